"""Roles on courses and organisations: each given once, taken back once, and announced as often."""

from functools import partial

import pytest
from opaque_keys.edx.keys import CourseKey

from enrollment import api
from enrollment.errors import InvalidCourseKeyError, InvalidCourseRole, UserNotFoundError
from enrollment.models import CourseAccessRole
from enrollment.types import Role
from events.learning.data import CourseAccessRoleData, UserData, UserPersonalData
from events.learning.signals import COURSE_ACCESS_ROLE_ADDED, COURSE_ACCESS_ROLE_REMOVED
from events.testing import captured_events
from tests.enrollment.factories import CourseAccessRoleFactory, UserFactory
from tests.support import in_parallel

pytestmark = pytest.mark.rule("enrollment.roles")

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"
CHANGES = [api.grant_course_role, api.revoke_course_role]


@pytest.fixture
def snape(db):
    return UserFactory(username="snape", email="snape@example.com")


def held(user):
    return [(role.org, role.course_id, role.role) for role in api.get_user_roles(user.username)]


def payload(user, *, role="staff"):
    return CourseAccessRoleData(
        user=UserData(
            id=user.pk, is_active=True, pii=UserPersonalData(username=user.username, email=user.email, name="")
        ),
        org_key="HogwartsX",
        course_key=CourseKey.from_string(POTIONS),
        role=role,
    )


@pytest.mark.parametrize("course", [POTIONS, CourseKey.from_string(POTIONS)], ids=["text", "key"])
def test_a_role_on_a_course_is_given_taken_back_and_announced(snape, course):
    with captured_events() as events:
        assert api.grant_course_role("snape", "staff", course_id=course)
        assert held(snape) == [("HogwartsX", POTIONS, "staff")]
        assert api.revoke_course_role("snape", "staff", course_id=course)
    assert held(snape) == []
    assert [(event.signal, event.data) for event in events] == [
        (COURSE_ACCESS_ROLE_ADDED, {"course_access_role_data": payload(snape)}),
        (COURSE_ACCESS_ROLE_REMOVED, {"course_access_role_data": payload(snape)}),
    ]


def test_a_second_time_changes_nothing(snape):
    with captured_events() as events:
        assert not api.revoke_course_role("snape", "staff", course_id=POTIONS)
        assert api.grant_course_role("snape", "staff", course_id=POTIONS)
        assert not api.grant_course_role("snape", "staff", course_id=POTIONS)
        assert api.grant_course_role("snape", "instructor", course_id=POTIONS)
        assert api.revoke_course_role("snape", "staff", course_id=POTIONS)
        assert not api.revoke_course_role("snape", "staff", course_id=POTIONS)
    assert held(snape) == [("HogwartsX", POTIONS, "instructor")]
    assert len(events) == 3


def test_a_role_on_an_organisation_counts_for_itself_and_has_no_event(snape):
    with captured_events() as events:
        assert api.grant_course_role("snape", "staff", org="HogwartsX")
        assert not api.grant_course_role("snape", "staff", org="HogwartsX")
        assert api.grant_course_role("snape", "staff", course_id=POTIONS)
        assert held(snape) == [("HogwartsX", None, "staff"), ("HogwartsX", POTIONS, "staff")]
        assert api.revoke_course_role("snape", "staff", org="HogwartsX")
        assert not api.revoke_course_role("snape", "staff", org="HogwartsX")
    assert held(snape) == [("HogwartsX", POTIONS, "staff")]
    assert [event.signal for event in events] == [COURSE_ACCESS_ROLE_ADDED]


def test_a_role_that_was_imported_without_its_organisation_is_the_same(snape):
    CourseAccessRoleFactory(user=snape, org="", course_id=POTIONS)
    with captured_events() as events:
        assert not api.grant_course_role("snape", "staff", course_id=POTIONS)
        assert api.revoke_course_role("snape", "staff", course_id=POTIONS)
    assert held(snape) == []
    assert [event.data for event in events] == [{"course_access_role_data": payload(snape)}]


def test_others_keep_theirs(snape):
    other = CourseAccessRoleFactory(org="HogwartsX", course_id=POTIONS)
    api.grant_course_role("snape", "staff", course_id=POTIONS)
    api.revoke_course_role("snape", "staff", course_id=POTIONS)
    assert CourseAccessRole.objects.get() == other


@pytest.mark.parametrize("change", CHANGES, ids=["give", "take back"])
@pytest.mark.parametrize(
    ("username", "role", "place", "error"),
    [
        pytest.param("Snape", "staff", {"course_id": POTIONS}, UserNotFoundError, id="another case"),
        pytest.param("snape", "staff", {"course_id": "potions"}, InvalidCourseKeyError, id="no course key"),
        pytest.param("snape", "staff", {}, InvalidCourseRole, id="nowhere"),
        pytest.param("snape", "staff", {"org": "x" * 65}, InvalidCourseRole, id="organisation too long"),
        pytest.param("snape", "staff", {"course_id": f"course-v1:{'x' * 65}+a+b"}, InvalidCourseRole, id="its course"),
        pytest.param("snape", "staff", {"course_id": POTIONS, "org": "Other"}, InvalidCourseRole, id="two places"),
        pytest.param("snape", "", {"course_id": POTIONS}, InvalidCourseRole, id="no role"),
        pytest.param("snape", "s" * 65, {"course_id": POTIONS}, InvalidCourseRole, id="role too long"),
        pytest.param("snape", "st\0aff", {"course_id": POTIONS}, InvalidCourseRole, id="no text"),
    ],
)
def test_what_is_no_role_is_refused(snape, change, username, role, place, error):
    with pytest.raises(error):
        change(username, role, **place)


def test_retirement_takes_roles_back_in_the_same_way(snape):
    for place in ({"course_id": POTIONS}, {"org": "HogwartsX"}):
        api.grant_course_role("snape", "staff", **place)
    with captured_events() as events:
        assert api.retire_user(snape, retired_username="gone")["roles"] == 2
    assert [event.data for event in events] == [{"course_access_role_data": payload(snape)}]


def test_roles_are_plain_values(snape):
    api.grant_course_role("snape", "beta_testers", org="HogwartsX")
    assert list(api.get_user_roles("snape")) == [Role(org="HogwartsX", course_id=None, role="beta_testers")]


@pytest.mark.database("postgresql", "mysql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", [{"course_id": POTIONS}, {"org": "HogwartsX"}], ids=["course", "organisation"])
def test_at_the_same_moment_a_role_is_given_once_and_taken_back_once(place):
    announced = 1 if "course_id" in place else 0
    for _ in range(3):
        user = UserFactory()
        for change in CHANGES:
            with captured_events() as events:
                results = in_parallel(*[partial(change, user.username, "staff", **place)] * 3)
            assert sorted(results) == [False, False, True]
            assert len(events) == announced
        assert not CourseAccessRole.objects.filter(user=user).exists()
