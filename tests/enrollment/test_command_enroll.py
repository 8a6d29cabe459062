"""`manage.py enroll_user_in_course` (enrollment contract 14.1)."""

import pytest

from enrollment import api
from tests.credit.commands import run
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, CourseModeFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.command")]

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"


@pytest.fixture
def potions():
    course = CourseFactory(id=POTIONS)
    for slug in ("audit", "verified"):
        CourseModeFactory(course=course, mode_slug=slug)
    return course


@pytest.fixture
def ron():
    return UserFactory(username="ron", email="Ron@example.com")


def enroll(*words):
    return run("enroll_user_in_course", *words)


def enrollment():
    found = api.get_enrollment("ron", POTIONS)
    return found and (found["mode"], found["is_active"])


@pytest.mark.parametrize(
    ("words", "mode"),
    [
        pytest.param(["--email", "ron@example.com", "--course", POTIONS], "audit", id="by rule"),
        pytest.param(["-e", "Ron@example.com", "-c", POTIONS, "-m", "verified"], "verified", id="short, and a mode"),
    ],
)
def test_enrolls_and_says_nothing_also_the_second_time(potions, ron, words, mode):
    for _ in range(2):
        assert (outcome := enroll(*words)).status == 0, outcome
        assert outcome.out == outcome.err == ""
        assert enrollment() == (mode, True)


def test_who_had_left_is_enrolled_again(potions, ron):
    CourseEnrollmentFactory(user=ron, course=potions, is_active=False, mode="verified")
    assert enroll("-e", ron.email, "-c", POTIONS).status == 0
    assert enrollment() == ("audit", True)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param(["-e", "ron@example.com"], "required: -c/--course", id="no course"),
        pytest.param(["-c", POTIONS], "required: -e/--email", id="no address"),
        pytest.param(["-e", "ron@example.com", "-c", POTIONS, "--urgent"], "unrecognized", id="unknown"),
        pytest.param(["-e", "", "-c", POTIONS], "There is no user", id="empty address"),
        pytest.param(["-e", "harry@example.com", "-c", POTIONS], "There is no user", id="nobody"),
        pytest.param(["-e", "ron@example.com", "-c", "potions"], "Not a course key", id="no key"),
        pytest.param(["-e", "ron@example.com", "-c", "course-v1:a+b+c"], "No course", id="no such course"),
        pytest.param(["-e", "ron@example.com", "-c", POTIONS, "-m", "honor"], "honor course mode", id="no such mode"),
    ],
)
def test_what_is_in_the_way_is_told(potions, ron, words, text):
    outcome = enroll(*words)
    assert outcome.status == 1
    assert text in outcome.err
    assert enrollment() is None


def test_two_accounts_with_one_address_are_no_guess(potions, ron):
    UserFactory(email="ron@EXAMPLE.com")
    assert "Several users" in enroll("-e", "ron@example.com", "-c", POTIONS).err
    assert enrollment() is None
