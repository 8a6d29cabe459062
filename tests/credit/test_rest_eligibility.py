"""Eligibility over REST (credit contract 5.5)."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine

from tests.credit.factories import CreditCourseFactory, CreditEligibilityFactory
from tests.credit.rest import KEYS_OF_OTHER_THINGS, learner_client, staff_client
from tests.support import statements

pytestmark = pytest.mark.django_db

ELIGIBILITY = "/api/credit/v1/eligibility/"
KEY = "course-v1:HogwartsX+Potions101+1T2026"
LEGACY_KEY = "HogwartsX/Potions101/1T2015"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture
def ron():
    return learner_client("ron")


@pytest.mark.parametrize("key", [KEY, LEGACY_KEY])
@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize(
    ("deadline", "text"),
    [
        (datetime(2027, 3, 1, 12, 0, 0, 123456, tzinfo=UTC), "2027-03-01T12:00:00.123456Z"),
        (datetime(2027, 3, 1, 12, tzinfo=UTC), "2027-03-01T12:00:00Z"),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_eligibility_of_an_enabled_or_disabled_course(settings, ron, key, enabled, deadline, text):
    settings.TIME_ZONE = "Europe/London"
    CreditEligibilityFactory(
        username="ron", course=CreditCourseFactory(course_key=key, enabled=enabled), deadline=deadline
    )

    response = ron.get(ELIGIBILITY, {"username": "ron", "course_key": key})

    assert response.status_code == 200
    assert response.json() == [{"username": "ron", "course_key": key, "deadline": text}]


@pytest.mark.parametrize(
    ("deadline", "shown"),
    [
        pytest.param(NOW + TICK, True, id="just before the deadline"),
        pytest.param(NOW, False, id="at the deadline"),
        pytest.param(NOW - TICK, False, id="after the deadline"),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_eligibility_ends_with_its_deadline(ron, deadline, shown):
    CreditEligibilityFactory(username="ron", course__course_key=KEY, deadline=deadline)

    response = ron.get(ELIGIBILITY, {"username": "ron", "course_key": KEY})

    assert response.status_code == 200
    assert len(response.json()) == int(shown)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"username": "ginny", "course_key": KEY}, id="another learner"),
        pytest.param({"username": "Ron", "course_key": KEY}, id="case counts"),
        pytest.param({"username": "nobody", "course_key": KEY}, id="unknown learner"),
        pytest.param({"username": "ron", "course_key": LEGACY_KEY}, id="unknown course"),
    ],
)
def test_others_and_the_unknown_have_none(query):
    CreditEligibilityFactory(username="ron", course__course_key=KEY)

    response = staff_client().get(ELIGIBILITY, query)

    assert response.status_code == 200
    assert response.json() == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"username": "ron"},
        {"course_key": KEY},
        {"username": "", "course_key": KEY},
        {"username": "ron", "course_key": ""},
    ],
)
def test_both_parameters_are_required(query):
    response = staff_client().get(ELIGIBILITY, query)

    assert response.status_code == 400
    assert response.json() == {
        "detail": "Both `username` and `course_key` are required in the query.",
        "code": "invalid_credit_request",
    }


@pytest.mark.parametrize(
    ("query", "value"),
    [
        pytest.param("course_key=a%2Bb%2Bc", "a+b+c", id="no key"),
        pytest.param("course_key=course-v1:HogwartsX+Potions101+1T2026", KEY.replace("+", " "), id="raw plus signs"),
        pytest.param("course_key=lib", "lib", id="no key at all"),
        *[pytest.param(urlencode({"course_key": key}), key, id=label) for label, key in KEYS_OF_OTHER_THINGS.items()],
    ],
)
def test_the_course_key_has_to_be_one(ron, query, value):
    response = ron.get(f"{ELIGIBILITY}?username=ron&{query}")

    assert response.status_code == 400
    assert response.json() == {"detail": f"[{value}] is not a valid course key.", "code": "invalid_course_key"}


def test_a_library_has_no_eligibilities(ron):
    response = ron.get(ELIGIBILITY, {"username": "ron", "course_key": "library-v1:HogwartsX+Lib"})

    assert response.status_code == 200
    assert response.json() == []


@pytest.mark.database("postgresql")
def test_it_takes_one_statement(ron):
    CreditEligibilityFactory(username="ron", course__course_key=KEY)
    with statements(without=("django_session", "auth_user")) as run:
        ron.get(ELIGIBILITY, {"username": "ron", "course_key": KEY})
    assert len(run) == 1, run
