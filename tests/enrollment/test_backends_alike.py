"""What the API promises on every full data backend: the default one, and the one in memory for users' tests."""

import logging
from datetime import timedelta

import pytest
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from enrollment import api, testing
from enrollment.errors import (
    CourseEnrollmentClosedError,
    CourseEnrollmentExistsError,
    CourseEnrollmentFullError,
    CourseModeNotFoundError,
    CourseNotFoundError,
    EnrollmentModeMismatchError,
    EnrollmentNotFoundError,
    InvalidEnrollmentAttribute,
    UserNotFoundError,
)
from enrollment.ports import EnrollmentData
from enrollment.types import Role
from tests.enrollment.worlds import MEMORY, each_backend

COURSE = "course-v1:edX+DemoX+2026_T1"
OTHER = "course-v1:MITx+Other+2026_T1"
ORDER = {"namespace": "order", "name": "order_number", "value": "EDX-1000"}
PROVIDER = {"namespace": "credit", "name": "provider_id", "value": "hogwarts"}
YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture(autouse=True)
def _named(settings, world):
    settings.ENROLLMENT_DATA_API = world.path
    testing.reset()
    yield
    testing.reset()


def state(username="bob", course_id=COURSE):
    enrollment = api.get_enrollment(username, course_id)
    return enrollment and (enrollment["mode"], enrollment["is_active"])


def refused(error, call, *arguments, **options):
    with pytest.raises(error):
        call(*arguments, **options)
    return True


@each_backend
def test_module_offers_every_function(world):
    functions = [name for name in vars(EnrollmentData) if not name.startswith("_")]
    assert len(functions) == 11
    assert [name for name in functions if not callable(getattr(world.backend, name, None))] == []


@each_backend
class TestReading:
    def test_enrollment_has_every_key(self, world):
        world.add_user("bob")
        world.add_course(COURSE, modes=["audit", "verified", "credit"], expired=["verified"], end=YESTERDAY)

        added = api.add_enrollment("bob", COURSE)

        free = {"min_price": 0, "suggested_prices": "", "currency": "usd", "expiration_datetime": None}
        unsaid = {"description": None, "sku": None, "bulk_sku": None}
        assert added["created"].endswith("Z")
        assert added == {
            "created": added["created"],
            "mode": "audit",
            "is_active": True,
            "user": "bob",
            "course_details": {
                "course_id": COURSE,
                "course_name": "2026 T1",
                "enrollment_start": None,
                "enrollment_end": None,
                "course_start": None,
                "course_end": YESTERDAY,
                "invite_only": False,
                "course_modes": [
                    {"slug": "audit", "name": "Audit", **free, **unsaid},
                    {"slug": "credit", "name": "Credit", **free, **unsaid},
                ],
                "pacing_type": "Instructor Paced",
            },
        }
        assert api.get_enrollment("bob", COURSE) == added
        assert api.get_enrollment("bob", CourseKey.from_string(COURSE)) == added
        assert api.get_enrollments("bob") == [added]

    def test_lists(self, world):
        world.add_user("bob")
        for course_id in (COURSE, OTHER):
            world.add_course(course_id, modes=["audit", "verified"])
        world.add_enrollment("bob", COURSE, mode="verified")
        world.add_enrollment("bob", OTHER, mode="audit", is_active=False)

        listed = api.get_enrollments("bob", include_inactive=True)

        assert [row["course_details"]["course_id"] for row in listed] == [COURSE, OTHER]
        assert api.get_enrollments("bob") == listed[:1] == api.get_verified_enrollments("bob")
        rows = world.backend.get_user_enrollments(CourseKey.from_string(COURSE))
        assert api.serialize_enrollments(rows) == listed[:1]
        assert list(world.backend.get_user_enrollments(OTHER)) == []

    def test_course_that_is_gone(self, world, caplog):
        world.add_user("bob")
        world.add_course(COURSE)
        world.add_enrollment("bob", COURSE, mode="audit")
        world.remove_course(COURSE)

        assert api.get_enrollment("bob", COURSE)["course_details"] is None
        with caplog.at_level(logging.WARNING):
            assert api.get_enrollments("bob") == []
        assert len(caplog.messages) == 1
        assert "bob" not in caplog.text
        assert refused(CourseNotFoundError, api.get_course_enrollment_details, COURSE)

    def test_course_details(self, world):
        world.add_course(COURSE, modes=["audit", "verified", "credit"], expired=["verified"])

        def slugs(**options):
            return [mode["slug"] for mode in api.get_course_enrollment_details(COURSE, **options)["course_modes"]]

        assert slugs() == ["audit", "credit"]
        assert slugs(include_expired=True) == ["audit", "verified", "credit"]
        world.remove_course(COURSE)
        world.add_course(COURSE)
        world.add_course(OTHER, modes=["verified"], expired=["verified"])
        assert [mode["slug"] for mode in api.get_course_enrollment_details(OTHER)["course_modes"]] == ["audit"]

    def test_unknown_user(self, world):
        world.add_course(COURSE)
        assert api.get_enrollments("nobody") == []
        assert api.get_enrollment("nobody", COURSE) is None
        assert refused(UserNotFoundError, api.add_enrollment, "nobody", COURSE)
        assert refused(UserNotFoundError, api.request_enrollment, "nobody", COURSE)
        assert refused(UserNotFoundError, api.update_enrollment, "nobody", COURSE, is_active=False)
        assert refused(UserNotFoundError, api.set_enrollment_attributes, "nobody", COURSE, [])
        assert refused(UserNotFoundError, api.get_enrollment_attributes, "nobody", COURSE)
        assert refused(UserNotFoundError, api.unenroll_user_from_all_courses, "nobody")
        assert refused(UserNotFoundError, api.get_user_roles, "nobody")

    def test_roles(self, world):
        world.add_user("bob")
        world.give_role("bob", "staff", org="edX", course_id=COURSE)
        world.give_role("bob", "course_creator")
        assert list(api.get_user_roles("bob")) == [
            Role(org="edX", course_id=COURSE, role="staff"),
            Role(org="", course_id=None, role="course_creator"),
        ]


@each_backend
class TestWhoGetsIn:
    @pytest.fixture(autouse=True)
    def _people(self, world):
        for name in ("bob", "eve"):
            world.add_user(name)
        world.add_user("ann", is_staff=True)

    def test_open_course(self, world):
        world.add_course(COURSE, enrollment_start=YESTERDAY)
        assert api.add_enrollment("bob", COURSE)["is_active"]
        assert refused(CourseEnrollmentExistsError, api.add_enrollment, "bob", COURSE)

    @pytest.mark.parametrize(
        "facts", [{"enrollment_end": YESTERDAY}, {"invitation_only": True}], ids=["window is over", "invitation only"]
    )
    def test_closed_course_lets_in_staff_and_invited(self, world, facts):
        world.add_course(COURSE, **facts)
        world.give_role("eve", "instructor", org="edX", course_id=COURSE)
        assert refused(CourseEnrollmentClosedError, api.add_enrollment, "bob", COURSE)
        assert state() is None
        assert api.add_enrollment("ann", COURSE)["is_active"]
        assert api.add_enrollment("eve", COURSE)["is_active"]
        world.invite("bob", COURSE)
        assert api.add_enrollment("bob", COURSE)["is_active"]

    def test_roles_elsewhere_open_nothing(self, world):
        world.add_course(COURSE, invitation_only=True)
        world.give_role("bob", "staff", org="edX", course_id=OTHER)
        world.give_role("bob", "staff", org="edX")
        world.give_role("bob", "ccx_coach", org="edX", course_id=COURSE)
        assert refused(CourseEnrollmentClosedError, api.add_enrollment, "bob", COURSE)

    def test_invitation_that_somebody_else_used(self, world):
        world.add_course(COURSE)
        world.invite("bob", COURSE, used_by="eve")
        assert refused(CourseEnrollmentClosedError, api.add_enrollment, "bob", COURSE)

    def test_invitations_only_while_open_if_the_site_says_so(self, world, settings):
        settings.DISABLE_ALLOWED_ENROLLMENT_IF_ENROLLMENT_CLOSED = True
        world.add_course(COURSE, enrollment_end=YESTERDAY)
        for name in ("bob", "ann"):
            world.invite(name, COURSE)
        assert refused(CourseEnrollmentClosedError, api.add_enrollment, "bob", COURSE)
        assert api.add_enrollment("ann", COURSE)["is_active"]

    def test_site_that_takes_the_invited_only(self, world, settings):
        settings.COURSES_INVITE_ONLY = True
        world.add_course(COURSE)
        assert refused(CourseEnrollmentClosedError, api.add_enrollment, "bob", COURSE)

    def test_seats(self, world):
        world.add_course(COURSE, max_student_enrollments_allowed=1)
        world.add_course(OTHER, max_student_enrollments_allowed=0)
        world.give_role("ann", "ccx_coach", org="edX", course_id=COURSE)
        world.add_enrollment("ann", COURSE, mode="audit")
        assert api.add_enrollment("bob", COURSE)["is_active"]
        assert refused(CourseEnrollmentFullError, api.add_enrollment, "eve", COURSE)
        assert refused(CourseEnrollmentFullError, api.add_enrollment, "eve", COURSE, force_enrollment=True)
        assert refused(CourseEnrollmentFullError, api.add_enrollment, "eve", OTHER)
        api.update_enrollment("bob", COURSE, is_active=False)
        assert api.add_enrollment("eve", COURSE)["is_active"]

    def test_who_left_comes_back_in_another_mode(self, world):
        world.add_course(COURSE, modes=["audit", "honor", "verified"])
        created = api.add_enrollment("bob", COURSE, "verified")["created"]
        api.update_enrollment("bob", COURSE, is_active=False)
        assert api.add_enrollment("bob", COURSE, "honor")["created"] == created
        assert state() == ("honor", True)


@each_backend
class TestChanging:
    @pytest.fixture(autouse=True)
    def _enrolled(self, world):
        world.add_user("bob")
        world.add_course(COURSE, modes=["audit", "verified", "honor"], expired=["honor"])
        world.add_enrollment("bob", COURSE, mode="audit")

    def test_update(self, world):
        assert api.update_enrollment("bob", COURSE, "verified") == api.get_enrollment("bob", COURSE)
        assert state() == ("verified", True)
        assert refused(CourseModeNotFoundError, api.update_enrollment, "bob", COURSE, "honor")
        assert api.update_enrollment("bob", COURSE, "honor", is_active=False)["is_active"] is False
        assert refused(EnrollmentNotFoundError, api.update_enrollment, "bob", OTHER, is_active=False)

    def test_request(self, world):
        ask = {"privileged": True, "server_request": True}
        assert api.request_enrollment("bob", COURSE, mode="verified", enrollment_attributes=[ORDER], **ask)
        assert state() == ("verified", True)
        assert refused(
            EnrollmentModeMismatchError, api.request_enrollment, "bob", COURSE, mode="audit", is_active=False, **ask
        )
        api.request_enrollment("bob", COURSE, is_active=False, enrollment_attributes=[PROVIDER], **ask)
        assert state() == ("verified", False)
        assert api.get_enrollment_attributes("bob", COURSE) == [PROVIDER]

    def test_refusal_undoes_what_was_done(self, world):
        def change_and_fail():
            with world.backend.atomic():
                api.update_enrollment("bob", COURSE, "verified", enrollment_attributes=[ORDER])
                raise RuntimeError

        assert refused(RuntimeError, change_and_fail)
        assert state() == ("audit", True)
        assert api.get_enrollment_attributes("bob", COURSE) == []

    def test_attributes(self, world):
        api.set_enrollment_attributes("bob", COURSE, [ORDER, PROVIDER, {**ORDER, "value": "EDX-2000"}])
        assert api.get_enrollment_attributes("bob", COURSE) == [{**ORDER, "value": "EDX-2000"}, PROVIDER]
        assert refused(InvalidEnrollmentAttribute, api.set_enrollment_attributes, "bob", COURSE, [{}])
        api.set_enrollment_attributes("bob", COURSE, [])
        assert api.get_enrollment_attributes("bob", COURSE) == []
        assert api.set_enrollment_attributes("bob", OTHER, [ORDER]) is None
        assert api.get_enrollment_attributes("bob", OTHER) == []

    def test_leaving_everything(self, world):
        world.add_course(OTHER)
        world.add_enrollment("bob", OTHER, mode="audit", is_active=False)
        for _ in range(2):
            assert api.unenroll_user_from_all_courses("bob") == {"edX", "MITx"}
        assert api.get_enrollments("bob") == []
        assert state() == ("audit", False)


@pytest.mark.parametrize("world", [MEMORY])
def test_what_is_read_is_a_copy(world):
    world.add_user("bob")
    world.add_course(COURSE)
    api.add_enrollment("bob", COURSE, enrollment_attributes=[ORDER])["mode"] = "verified"
    api.get_enrollment_attributes("bob", COURSE)[0]["value"] = "changed"
    assert state() == ("audit", True)
    assert api.get_enrollment_attributes("bob", COURSE) == [ORDER]
