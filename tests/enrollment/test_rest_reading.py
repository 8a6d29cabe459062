"""GET: one enrollment, somebody's list, a course (enrollment contract 10.4, 10.5, 10.7)."""

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from enrollment.models import Course, CourseEnrollment
from tests.credit.rest import client_of
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)
from tests.enrollment.rest import COURSE, KEY, V1, server_client
from tests.support import statements

pytestmark = pytest.mark.django_db

CREATED = datetime(2026, 3, 1, 10, 15, 30, 123456, tzinfo=UTC)
EXPIRES = datetime(2126, 11, 1, tzinfo=UTC)
UNKNOWN = "course-v1:edX+Unknown+2026_T1"
INVALID = {
    "message": "Not a course key: expected course-v1:ORG+COURSE+RUN or ORG/COURSE/RUN.",
    "error_code": "invalid_course_id",
}

DETAILS = {
    "course_id": COURSE,
    "course_name": "Demonstration",
    "enrollment_start": None,
    "enrollment_end": "2126-12-20T20:18:00Z",
    "course_start": "2026-02-03T00:00:00Z",
    "course_end": None,
    "invite_only": False,
    "course_modes": [
        {
            "slug": "verified",
            "name": "Verified Certificate",
            "min_price": 49,
            "suggested_prices": "",
            "currency": "usd",
            "expiration_datetime": "2126-11-01T00:00:00Z",
            "description": None,
            "sku": "8CF08E5",
            "bulk_sku": "A5B6DBE",
        }
    ],
    "pacing_type": "Instructor Paced",
}
ENROLLMENT = {
    "created": "2026-03-01T10:15:30.123456Z",
    "mode": "verified",
    "is_active": True,
    "course_details": DETAILS,
    "user": "bob",
}


@pytest.fixture(autouse=True)
def _key(settings):
    settings.EDX_API_KEY = KEY


@pytest.fixture
def bob():
    return UserFactory(username="bob")


@pytest.fixture
def enrollment(bob):
    """Bob's enrollment in a course with one mode, as the contract shows it."""
    course = CourseFactory(
        id=COURSE,
        start=datetime(2026, 2, 3, tzinfo=UTC),
        enrollment_end=datetime(2126, 12, 20, 20, 18, tzinfo=UTC),
    )
    CourseModeFactory(
        course=course,
        mode_slug="verified",
        mode_display_name="Verified Certificate",
        expiration_datetime=EXPIRES,
        sku="8CF08E5",
        bulk_sku="A5B6DBE",
    )
    row = CourseEnrollmentFactory(user=bob, course=course, mode="verified")
    CourseEnrollment.objects.update(created=CREATED)
    return row


def client_for(caller, bob):
    """Return a client of one of those who may see what is bob's."""
    match caller:
        case "bob":
            return client_of(bob)
        case "staff":
            return client_of(UserFactory(is_staff=True))
        case "server with a user":
            return server_client(UserFactory())
    return server_client()


PRIVILEGED = pytest.mark.parametrize("caller", ["bob", "staff", "server", "server with a user"])


def answer(response):
    return response.status_code, response.json() if response.content else b""


# --- one enrollment


@PRIVILEGED
@pytest.mark.parametrize("is_active", [True, False])
def test_an_enrollment_active_or_not(bob, enrollment, caller, is_active):
    CourseEnrollment.objects.update(is_active=is_active)

    response = client_for(caller, bob).get(f"{V1}enrollment/bob,{COURSE}")

    assert answer(response) == (200, {**ENROLLMENT, "is_active": is_active})


def test_ones_own_by_the_shorter_address(bob, enrollment):
    assert answer(client_of(bob).get(f"{V1}enrollment/{COURSE}")) == (200, ENROLLMENT)


def test_a_server_that_speaks_for_nobody_has_none(enrollment):
    assert answer(server_client().get(f"{V1}enrollment/{COURSE}")) == (200, b"")


@PRIVILEGED
@pytest.mark.parametrize("course_id", [COURSE, UNKNOWN])
def test_no_enrollment_is_an_empty_answer(bob, caller, course_id):
    CourseFactory(id=COURSE)

    response = client_for(caller, bob).get(f"{V1}enrollment/bob,{course_id}")

    assert answer(response) == (200, b"")


@pytest.mark.parametrize(
    "client",
    [pytest.param(server_client, id="server"), pytest.param(lambda: client_of(UserFactory(is_staff=True)), id="staff")],
)
def test_nobody_by_that_name_is_an_empty_answer(enrollment, client):
    assert answer(client().get(f"{V1}enrollment/nobody,{COURSE}")) == (200, b"")


@pytest.mark.parametrize("username", ["bob", "nobody"])
@pytest.mark.parametrize("course_id", [COURSE, UNKNOWN, "a+b+c"])
def test_another_learner_learns_nothing(enrollment, username, course_id):
    response = client_of(UserFactory()).get(f"{V1}enrollment/{username},{course_id}")

    assert answer(response) == (404, b"")


@PRIVILEGED
@pytest.mark.parametrize("course_id", ["a+b+c", "course-v1:a+b+c%0A", "course-v1:a+b+c+d", "course-v1:a+b+\u00a0"])
def test_an_invalid_key(bob, caller, course_id):
    assert answer(client_for(caller, bob).get(f"{V1}enrollment/bob,{course_id}")) == (400, INVALID)
    assert answer(client_for(caller, bob).get(f"{V1}enrollment/{course_id}")) == (400, INVALID)


def test_an_enrollment_whose_course_is_gone(bob, enrollment):
    Course.objects.all().delete()

    assert answer(client_of(bob).get(f"{V1}enrollment/bob,{COURSE}")) == (200, {**ENROLLMENT, "course_details": None})


def test_a_data_backend_that_is_not_there(settings, bob):
    settings.ENROLLMENT_DATA_API = "no.such.module"
    reason = "The module that stores enrollments could not be loaded."
    client = client_of(bob)

    assert answer(client.get(f"{V1}enrollment/bob,{COURSE}")) == (
        400,
        {
            "message": f"An error occurred while retrieving enrollments for user 'bob' in course '{COURSE}': {reason}",
            "error_code": "backend_unavailable",
        },
    )
    assert answer(client.get(f"{V1}enrollment")) == (
        400,
        {
            "message": f"An error occurred while retrieving enrollments for user 'bob': {reason}",
            "error_code": "backend_unavailable",
        },
    )
    details = client.get(f"{V1}course/{COURSE}")
    assert answer(details) == (400, {"message": reason, "error_code": "backend_unavailable"})


# --- the list


def enroll(user, number, **fields):
    row = CourseEnrollmentFactory(user=user, course__id=f"course-v1:edX+Course{number}+2026", **fields)
    CourseEnrollment.objects.filter(pk=row.pk).update(created=CREATED - timedelta(days=number))
    return row


def listed(client, query=""):
    response = client.get(f"{V1}enrollment{query}")
    assert response.status_code == 200
    return [enrollment["course_details"]["course_id"] for enrollment in response.json()]


def test_a_list_of_whole_enrollments(bob, enrollment):
    assert answer(client_of(bob).get(f"{V1}enrollment")) == (200, [ENROLLMENT])


@PRIVILEGED
def test_a_list_is_of_active_enrollments_oldest_first(bob, caller):
    for number in (1, 3, 2):
        enroll(bob, number)
    enroll(bob, 4, is_active=False)
    enroll(UserFactory(), 5)
    client = client_for(caller, bob)
    active = [f"course-v1:edX+Course{number}+2026" for number in (3, 2, 1)]

    assert listed(client, "?user=bob") == active
    assert listed(client, "?user=bob&include_inactive=1") == ["course-v1:edX+Course4+2026", *active]
    assert listed(client, "?user=bob&include_inactive=0") == active


def test_without_a_name_it_is_ones_own(bob):
    enroll(bob, 1)
    assert listed(client_of(bob)) == ["course-v1:edX+Course1+2026"]
    assert listed(server_client(bob)) == ["course-v1:edX+Course1+2026"]
    assert listed(server_client()) == []


@PRIVILEGED
def test_a_list_of_nobody(bob, caller):
    assert listed(client_for(caller, bob), "?user=nobody") == []


@pytest.mark.parametrize(
    ("role", "fields", "seen"),
    [
        pytest.param({"role": "staff"}, {}, [1], id="staff of one course"),
        pytest.param({"role": "instructor"}, {}, [1], id="instructor of one course"),
        pytest.param({"role": "beta_testers"}, {}, [], id="another role"),
        pytest.param({"role": "staff", "course_id": None}, {}, [], id="staff of the organisation"),
        pytest.param({"role": "staff"}, {"is_active": False}, [], id="switched off"),
        pytest.param(None, {}, [], id="no role"),
        pytest.param(None, {"is_superuser": True}, [], id="superuser who is not staff"),
    ],
)
def test_course_staff_see_their_courses(settings, bob, role, fields, seen):
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
    for number in (2, 1):
        enroll(bob, number)
    teacher = UserFactory(**fields)
    if role is not None:
        CourseAccessRoleFactory(user=teacher, **{"course_id": "course-v1:edX+Course1+2026", **role})

    assert listed(client_of(teacher), "?user=bob") == [f"course-v1:edX+Course{number}+2026" for number in seen]
    assert listed(client_of(teacher), "?user=bob&include_inactive=1") == [
        f"course-v1:edX+Course{number}+2026" for number in seen
    ]
    assert listed(client_of(teacher), "?user=nobody") == []


def test_numbered_pages_if_asked_for(bob):
    for number in range(12):
        enroll(bob, number)
    client = client_of(bob)

    first, second = client.get(f"{V1}enrollment?page=1").json(), client.get(f"{V1}enrollment?page=2").json()

    assert {name: value for name, value in first.items() if name != "results"} == {
        "next": f"http://testserver{V1}enrollment?page=2",
        "previous": None,
        "count": 12,
        "num_pages": 2,
        "current_page": 1,
        "start": 0,
    }
    assert (second["next"], second["previous"], second["start"]) == (None, f"http://testserver{V1}enrollment", 10)
    assert [*first["results"], *second["results"]] == client.get(f"{V1}enrollment").json()
    assert len(client.get(f"{V1}enrollment?page_size=5").json()["results"]) == 5
    assert len(client.get(f"{V1}enrollment?page_size=1000").json()["results"]) == 12
    assert answer(client.get(f"{V1}enrollment?page=3")) == (
        404,
        {"detail": "Invalid page.", "message": "Invalid page.", "error_code": "not_found"},
    )


# --- a course


@pytest.fixture
def anybody():
    return APIClient()


def test_a_course(anybody, enrollment):
    response = anybody.get(f"{V1}course/{COURSE}")

    assert answer(response) == (200, DETAILS)
    assert response["Cache-Control"] == "max-age=60"


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("", ["audit", "credit"]),
        ("?include_expired=", ["audit", "credit"]),
        *((f"?include_expired={value}", ["verified", "audit", "credit"]) for value in ("1", "true", "False", "0")),
    ],
)
def test_modes_of_a_course(anybody, query, slugs):
    course = CourseFactory(id=COURSE)
    for slug in ("verified", "audit", "credit"):
        CourseModeFactory(course=course, mode_slug=slug, expiration_datetime=CREATED if slug == "verified" else None)

    for path in (f"{V1}course/{COURSE}{query}", f"{V1}course/{COURSE}/{query}"):
        assert [mode["slug"] for mode in anybody.get(path).json()["course_modes"]] == slugs


def test_a_course_without_usable_modes_offers_the_default(anybody):
    CourseModeFactory(course__id=COURSE, mode_slug="verified", expiration_datetime=CREATED)

    assert [mode["slug"] for mode in anybody.get(f"{V1}course/{COURSE}").json()["course_modes"]] == ["audit"]


def test_no_such_course(anybody):
    response = anybody.get(f"{V1}course/{UNKNOWN}")

    assert answer(response) == (
        400,
        {"message": f"No course found for course ID '{UNKNOWN}'.", "error_code": "course_not_found"},
    )
    assert "Cache-Control" not in response


def test_a_course_key_that_is_none(anybody):
    assert answer(anybody.get(f"{V1}course/a+b+c")) == (400, INVALID)


def test_tokens_are_not_looked_at(anybody, enrollment):
    anybody.credentials(HTTP_AUTHORIZATION="Bearer nonsense")

    assert answer(anybody.get(f"{V1}course/{COURSE}")) == (200, DETAILS)


# --- what they cost


@pytest.mark.parametrize(
    ("path", "most"),
    [
        (f"enrollment/bob,{COURSE}", 2),
        (f"enrollment/bob,{UNKNOWN}", 2),
        ("enrollment?user=bob", 2),
        ("enrollment?user=bob&page=1", 2),
        (f"course/{COURSE}", 2),
    ],
)
def test_statements_of_a_server(enrollment, path, most):
    client = server_client()

    with statements() as seen:
        client.get(V1 + path)

    assert len(seen) <= most, seen


@pytest.mark.parametrize("count", [1, 30])
def test_statements_of_course_staff_for_any_number(bob, count):
    teacher = UserFactory()
    for number in range(count):
        row = enroll(bob, number)
        CourseAccessRoleFactory(user=teacher, course_id=row.course_id)
    client = client_of(teacher, "jwt")

    with statements() as seen:
        assert len(client.get(f"{V1}enrollment?user=bob").json()) == count

    assert len([sql for sql in seen.texts if '"enrollment_' in sql or "`enrollment_" in sql]) == 2, seen


@pytest.mark.django_db(transaction=True)  # what a transaction has changed, it does not read from the cache
def test_a_course_that_is_cached_costs_none(anybody, enrollment):
    anybody.get(f"{V1}course/{COURSE}")

    with statements() as seen:
        assert anybody.get(f"{V1}course/{COURSE}").status_code == 200

    assert seen.texts == []
