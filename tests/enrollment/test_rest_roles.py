"""GET roles/ (enrollment contract 10.10)."""

import pytest

from tests.credit.rest import client_of
from tests.enrollment.factories import CourseAccessRoleFactory, UserFactory
from tests.enrollment.rest import COURSE, KEY, V1, server_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.rest.roles")]

URL = f"{V1}roles/"


@pytest.fixture
def bob():
    return UserFactory(username="bob")


@pytest.fixture
def roles(bob):
    CourseAccessRoleFactory(user=bob, org="edX", course_id=COURSE, role="staff")
    CourseAccessRoleFactory(user=bob, org="edX", course_id=None, role="org_course_creator_group")
    CourseAccessRoleFactory(course_id=COURSE)
    return [
        {"org": "edX", "course_id": COURSE, "role": "staff"},
        {"org": "edX", "course_id": None, "role": "org_course_creator_group"},
    ]


def test_the_callers_own_are_told(bob, roles):
    response = client_of(bob).get(URL)
    assert (response.status_code, response.json()) == (200, {"roles": roles, "is_staff": False})


def test_who_has_none_gets_none(bob):
    assert client_of(bob).get(URL).json() == {"roles": [], "is_staff": False}


def test_staff_of_the_whole_site_are_told_so():
    assert client_of(UserFactory(is_staff=True)).get(URL).json() == {"roles": [], "is_staff": True}


@pytest.mark.parametrize(
    ("course_id", "places"),
    [(COURSE, [0]), (COURSE.lower(), []), (f"{COURSE}x", []), ("None", []), ("nonsense", []), ("", [0, 1])],
)
def test_a_course_restricts_them_to_its_very_text(bob, roles, course_id, places):
    response = client_of(bob).get(URL, {"course_id": course_id})
    assert response.json()["roles"] == [roles[place] for place in places]


def test_a_server_speaks_for_a_user_or_gets_nothing(settings, bob, roles):
    settings.EDX_API_KEY = KEY

    nobody, named = server_client().get(URL), server_client(bob).get(URL)

    assert (nobody.status_code, nobody.json()) == (
        400,
        {
            "message": "Roles are a user's: a server has to say for whom it speaks.",
            "error_code": "target_missing",
        },
    )
    assert named.json() == {"roles": roles, "is_staff": False}


@pytest.mark.parametrize("broken", ["BrokenRoles", "UndressedRoles"])
def test_roles_that_cannot_be_read(settings, bob, caplog, broken):
    settings.ENROLLMENT_PORTS = {"RolePort": f"tests.enrollment.doubles.{broken}"}

    response = client_of(bob).get(URL)

    assert (response.status_code, response.json()) == (
        400,
        {"message": "An error occurred while retrieving roles for user 'bob'.", "error_code": "roles_unreadable"},
    )
    assert f"The roles of user {bob.pk} could not be read: " in caplog.text
    assert "bob" not in caplog.text.replace("roles for user", "")


def test_whoever_is_nobody_is_asked_to_log_in():
    response = client_of().get(URL)
    assert (response.status_code, response.json()) == (
        401,
        {
            "detail": "Authentication credentials were not provided.",
            "message": "Authentication credentials were not provided.",
            "error_code": "not_authenticated",
        },
    )
