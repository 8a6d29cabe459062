"""What exam systems are told of enrollments (enrollment contract 14.2)."""

import pytest

from enrollment.services import EnrollmentsService
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, UserFactory
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.service")]

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"
MODES = ["audit", "honor", "verified", "masters", "professional", "executive-education", "no-id-professional", "credit"]
PROCTORED = ["verified", "masters", "professional", "executive-education"]

service = EnrollmentsService()


@pytest.fixture
def potions():
    return CourseFactory(id=POTIONS, enable_proctored_exams=True, proctoring_provider="owls")


@pytest.fixture
def ron(potions):
    user = UserFactory(username="RonWeasley", email="ron.w@Burrow.example")
    CourseEnrollmentFactory(user=user, course=potions, mode="verified")
    return user


def takers(**search):
    return [row.mode for row in service.get_enrollments_can_take_proctored_exams(POTIONS, **search)]


def test_active_enrollments_of_a_course(potions, ron):
    CourseEnrollmentFactory(course=potions, is_active=False)
    CourseEnrollmentFactory()
    assert [row.user for row in service.get_active_enrollments_by_course(POTIONS)] == [ron]


def test_active_enrollment_of_a_user(potions, ron):
    gone = CourseEnrollmentFactory(course=potions, is_active=False)
    assert service.get_active_enrollments_by_course_and_user(POTIONS, ron.pk).mode == "verified"
    assert service.get_active_enrollments_by_course_and_user(POTIONS, gone.user.pk) is None
    assert service.get_active_enrollments_by_course_and_user("course-v1:a+b+c", ron.pk) is None
    with pytest.raises(AssertionError):
        service.get_active_enrollments_by_course_and_user(POTIONS, 10**9)


@pytest.mark.parametrize(
    ("options", "modes"),
    [
        pytest.param({}, PROCTORED, id="not said"),
        pytest.param({"owls": {"allow_honor_mode": False}}, PROCTORED, id="no"),
        pytest.param({"owls": {"allow_honor_mode": True}}, ["honor", *PROCTORED], id="honor too"),
        pytest.param({"other": {"allow_honor_mode": True}}, PROCTORED, id="another provider"),
    ],
)
def test_who_may_take_proctored_exams(potions, settings, options, modes):
    settings.PROCTORING_BACKENDS = options
    for mode in MODES:
        CourseEnrollmentFactory(course=potions, mode=mode)
        CourseEnrollmentFactory(course=potions, mode=mode, is_active=False)
    assert takers() == [mode for mode in MODES if mode in modes]  # by user: as they were made


@pytest.mark.parametrize(
    "course",
    [{"enable_proctored_exams": False, "proctoring_provider": "owls"}, None],
    ids=["no proctoring", "no course"],
)
def test_without_proctoring_there_is_no_answer(course):
    if course:
        CourseFactory(id=POTIONS, **course)
    assert service.get_enrollments_can_take_proctored_exams(POTIONS) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("weasley", 1),
        ("RONW", 1),
        ("BURROW", 1),
        ("ron.w@", 1),
        ("ron_w", 0),
        ("%", 0),
        ("harry", 0),
        ("", 1),
        ("Zoë", 0),
    ],
)
def test_search_looks_at_usernames_and_addresses_in_whatever_case(ron, text, found):
    assert len(takers(text_search=text)) == found


def test_search_finds_other_scripts(potions):
    CourseEnrollmentFactory(course=potions, mode="verified", user=UserFactory(username="Zoë"))
    assert takers(text_search="oë") == ["verified"]


@pytest.mark.rule("enrollment.budget.service")
@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize("text", [None, "learner"])
def test_rows_come_in_one_statement_when_they_are_used(potions, count, text):
    for _ in range(count):
        CourseEnrollmentFactory(course=potions, mode="verified")
    with statements() as run:
        rows = service.get_enrollments_can_take_proctored_exams(POTIONS, text_search=text)
    assert len(run) == 1, run  # the course
    with statements() as run:
        assert len([row.user.username for row in rows]) == count
    assert len(run) == 1, run


@pytest.mark.parametrize(("mode", "valid"), [("verified", True), ("audit", False)])
def test_it_says_what_the_api_says_of_one_enrollment(potions, settings, mode, valid):
    settings.ENABLE_SPECIAL_EXAMS = True
    row = CourseEnrollmentFactory(course=potions, mode=mode)
    assert service.is_enrollment_valid_for_proctoring(row.username, POTIONS) is valid
