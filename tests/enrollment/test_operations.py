"""The operations on an enrollment below the API."""

import pytest

from enrollment.errors import (
    AlreadyEnrolledError,
    EnrollmentClosedError,
    EnrollmentNotAllowed,
    InvalidCourseKeyError,
    NonExistentCourseError,
    UnenrollmentNotAllowed,
    UserNotFoundError,
)
from enrollment.models import CourseEnrollment
from tests.enrollment.factories import (
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

GONE = "course-v1:edX+Gone+2026"


def hooks(**named):
    return {name: [f"tests.enrollment.doubles.{path}" for path in paths] for name, paths in named.items()}


class TestEnroll:
    def test_without_checks_the_course_need_not_exist(self):
        user = UserFactory()
        row = CourseEnrollment.enroll(user, GONE)
        assert (row.user, row.course_id, row.mode, row.is_active) == (user, GONE, "audit", True)

    def test_with_checks_it_must(self):
        with pytest.raises(NonExistentCourseError):
            CourseEnrollment.enroll(UserFactory(), GONE, check_access=True)

    def test_closed_course_lets_in_who_may_upgrade(self):
        course, user = CourseFactory(invitation_only=True), UserFactory()
        with pytest.raises(EnrollmentClosedError):
            CourseEnrollment.enroll(user, course.id, check_access=True)
        assert CourseEnrollment.enroll(user, course.id, check_access=True, can_upgrade=True).is_active

    def test_without_checks_an_active_row_moves_to_the_mode(self):
        row = CourseEnrollmentFactory(mode="audit")
        assert CourseEnrollment.enroll(row.user, row.course_id, "verified") == row
        row.refresh_from_db()
        assert row.mode == "verified"

    def test_with_checks_an_active_row_stays_as_it_is(self):
        row = CourseEnrollmentFactory(mode="audit", course__invitation_only=True)
        with pytest.raises(AlreadyEnrolledError):
            CourseEnrollment.enroll(row.user, row.course_id, "verified", check_access=True)
        row.refresh_from_db()
        assert row.mode == "audit"

    def test_again_after_leaving_is_the_same_row(self):
        row = CourseEnrollmentFactory(mode="verified")
        CourseEnrollment.unenroll(row.user, row.course_id)

        again = CourseEnrollment.enroll(row.user, row.course_id, "honor", check_access=True)

        assert (again.pk, again.created, again.mode, again.is_active) == (row.pk, row.created, "honor", True)

    @pytest.mark.parametrize(
        ("offered", "mode"), [((), "audit"), (("honor", "verified"), "honor"), (("verified",), "audit")]
    )
    def test_mode_is_chosen_by_rule_if_none_is_named(self, offered, mode):
        course = CourseFactory()
        for slug in offered:
            CourseModeFactory(course=course, mode_slug=slug)
        assert CourseEnrollment.enroll(UserFactory(), course.id).mode == mode

    def test_bad_key_is_refused(self):
        with pytest.raises(InvalidCourseKeyError):
            CourseEnrollment.enroll(UserFactory(), "invalidcourse")

    @pytest.mark.parametrize("check_access", [True, False])
    def test_invitation_is_used_up(self, check_access):
        user, course = UserFactory(), CourseFactory()
        invitation = CourseEnrollmentAllowedFactory(email=user.email.upper(), course_id=course.id)
        elsewhere = CourseEnrollmentAllowedFactory(email=user.email)

        CourseEnrollment.enroll(user, course.id, check_access=check_access)

        invitation.refresh_from_db()
        elsewhere.refresh_from_db()
        assert (invitation.user, elsewhere.user) == (user, None)

    def test_used_invitation_never_changes_hands(self):
        user, course, first = UserFactory(), CourseFactory(), UserFactory()
        invitation = CourseEnrollmentAllowedFactory(email=user.email, course_id=course.id, user=first)
        CourseEnrollment.enroll(user, course.id)
        invitation.refresh_from_db()
        assert invitation.user == first


class TestEnrollHooks:
    def test_can_keep_a_learner_out(self, settings):
        settings.ENROLLMENT_PORTS = hooks(EnrollHook=["KeepOut"])
        user, course = UserFactory(), CourseFactory()
        with pytest.raises(EnrollmentNotAllowed, match=r"Pay your fees first\."):
            CourseEnrollment.enroll(user, course.id)
        assert CourseEnrollment.get_enrollment(user, course.id) is None

    def test_can_choose_the_mode(self, settings):
        settings.ENROLLMENT_PORTS = hooks(EnrollHook=["EverybodyVerified", "Approves"])
        assert CourseEnrollment.enroll(UserFactory(), CourseFactory().id, "audit").mode == "verified"


class TestUnenroll:
    def test_makes_the_row_inactive_and_keeps_the_mode(self):
        row = CourseEnrollmentFactory(mode="verified")
        CourseEnrollment.unenroll(row.user, row.course_id)
        row.refresh_from_db()
        assert (row.mode, row.is_active) == ("verified", False)

    def test_without_a_row_it_logs_and_does_nothing(self, caplog):
        user, course = UserFactory(), CourseFactory()
        CourseEnrollment.unenroll(user, course.id)
        assert caplog.messages == [f"User {user.pk} has no enrollment in {course.id} that could end."]

    @pytest.mark.parametrize(
        "leave",
        [
            lambda row: CourseEnrollment.unenroll(row.user, row.course_id),
            lambda row: row.deactivate(),
            lambda row: row.update_enrollment(is_active=False),
        ],
        ids=["unenroll", "deactivate", "update"],
    )
    def test_hook_can_hold_an_active_learner_back(self, settings, leave):
        settings.ENROLLMENT_PORTS = hooks(UnenrollHook=["HoldBack"])
        row, left = CourseEnrollmentFactory(), CourseEnrollmentFactory(is_active=False)

        with pytest.raises(UnenrollmentNotAllowed, match=r"The exam is tomorrow\."):
            leave(row)
        leave(left)

        row.refresh_from_db()
        assert row.is_active

    def test_hook_is_not_asked_when_an_account_is_removed(self, settings):
        settings.ENROLLMENT_PORTS = hooks(UnenrollHook=["HoldBack"])
        row = CourseEnrollmentFactory()
        CourseEnrollment.unenroll_from_all(row.user)
        row.refresh_from_db()
        assert not row.is_active


class TestByEmail:
    def test_finds_the_account_without_regard_to_case(self):
        user, course = UserFactory(email="Eve@example.com"), CourseFactory()
        row = CourseEnrollment.enroll_by_email("eve@EXAMPLE.com", course.id, "honor")
        assert (row.user, row.mode) == (user, "honor")
        CourseEnrollment.unenroll_by_email("eve@EXAMPLE.com", course.id)
        assert not CourseEnrollment.is_enrolled(user, course.id)

    def test_finds_an_address_beyond_ascii(self):
        user = UserFactory(email="ÉVE@example.com")
        assert CourseEnrollment.enroll_by_email("ÉVE@Example.com", CourseFactory().id).user == user

    @pytest.mark.parametrize("accounts", [0, 2], ids=["nobody", "two accounts"])
    def test_without_exactly_one_account_it_logs(self, caplog, accounts):
        course = CourseFactory()
        for _ in range(accounts):
            UserFactory(email="eve@example.com")

        assert CourseEnrollment.enroll_by_email("eve@example.com", course.id) is None
        CourseEnrollment.unenroll_by_email("eve@example.com", course.id)
        assert len(caplog.messages) == 2
        assert "eve@example.com" not in caplog.text
        with pytest.raises(UserNotFoundError):
            CourseEnrollment.enroll_by_email("eve@example.com", course.id, ignore_errors=False)


def test_conveniences_change_what_they_say():
    row = CourseEnrollmentFactory(mode="audit")
    row.deactivate()
    row.change_mode("honor")
    stored = CourseEnrollment.objects.get()
    assert (stored.mode, stored.is_active) == ("honor", False)
    row.activate()
    assert CourseEnrollment.objects.get().is_active


def test_update_decides_by_what_is_stored_not_by_what_was_read():
    row = CourseEnrollmentFactory(mode="audit")
    stale = CourseEnrollment.objects.get()
    row.change_mode("verified")

    stale.change_mode("verified")

    assert [past.mode for past in row.history.order_by("history_date")] == ["audit", "verified"]
    stale.change_mode("audit")
    assert CourseEnrollment.objects.get().mode == "audit"
