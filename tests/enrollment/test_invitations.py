"""Invitations that are taken up when an account is made or changed."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import update_last_login
from django.db import transaction
from django.utils import timezone

from enrollment.choices import StateTransition
from enrollment.invitations import enroll_pending
from enrollment.models import CourseEnrollment, ManualEnrollmentAudit
from events.testing import captured_events
from tests.enrollment.factories import (
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)
from tests.support import statements

pytestmark = pytest.mark.django_db

EMAIL = "Eve@example.com"
YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture
def course():
    return CourseFactory(invitation_only=True)


@pytest.fixture
def invitation(course):
    return CourseEnrollmentAllowedFactory(email=EMAIL.lower(), course_id=course.id, auto_enroll=True)


@pytest.mark.rule("enrollment.invitations")
class TestAccount:
    def test_new(self, invitation):
        user = UserFactory(email=EMAIL)
        invitation.refresh_from_db()
        assert CourseEnrollment.is_enrolled(user, invitation.course_id)
        assert invitation.user == user

    def test_new_but_not_active_until_later(self, invitation):
        user = UserFactory(email=EMAIL, is_active=False)
        assert not CourseEnrollment.is_enrolled(user, invitation.course_id)
        user.is_active = True
        user.save(update_fields=["is_active"])
        assert CourseEnrollment.is_enrolled(user, invitation.course_id)

    def test_changed_address(self, invitation):
        user = UserFactory(email="other@example.com")
        user.email = EMAIL
        user.save()
        assert CourseEnrollment.is_enrolled(user, invitation.course_id)

    def test_saved_without_a_change_that_matters(self, invitation):
        user = UserFactory(email=EMAIL)
        CourseEnrollment.unenroll(user, invitation.course_id)
        user.first_name = "Eve"
        user.save()
        assert not CourseEnrollment.is_enrolled(user, invitation.course_id)

    def test_logging_in_costs_no_statement(self):
        user = UserFactory()
        with statements() as run:
            update_last_login(None, user)
        assert len(run) == 1, run

    def test_setting_switches_it_off(self, settings, invitation):
        settings.ENROLLMENT_AUTO_ENROLL_PENDING = False
        assert not CourseEnrollment.is_enrolled(UserFactory(email=EMAIL), invitation.course_id)

    def test_unconfirmed_address(self, settings, invitation):
        settings.ENROLLMENT_PORTS = {"ProfilePort": "tests.enrollment.doubles.NobodyConfirmed"}
        user = UserFactory(email=EMAIL)
        assert not CourseEnrollment.is_enrolled(user, invitation.course_id)
        CourseEnrollment.enroll(user, invitation.course_id)
        invitation.refresh_from_db()
        assert invitation.user is None

    def test_who_is_enrolled_meanwhile_keeps_the_mode(self, settings, invitation):
        settings.ENROLLMENT_PORTS = {"AccessPort": "tests.enrollment.doubles.QuickerShop"}
        with captured_events() as events:
            user = UserFactory(email=EMAIL)
        invitation.refresh_from_db()
        assert CourseEnrollment.enrollment_mode_for_user(user, invitation.course_id) == ("verified", True)
        assert (invitation.user, list(events)) == (user, [])

    def test_failure_is_logged_and_keeps_nothing_else_from_happening(self, settings, invitation, caplog):
        settings.ENROLLMENT_PORTS = {"AccessPort": "tests.enrollment.doubles.BrokenAccess"}
        user = UserFactory(email=EMAIL)
        (message,) = caplog.messages
        assert message.startswith(f"User {user.pk} could not take up invitation {invitation.pk}: OSError.")
        assert EMAIL.lower() not in caplog.text.lower()

    def test_failure_in_the_database_harms_neither_the_account_nor_other_invitations(self, settings, invitation):
        settings.ENROLLMENT_PORTS = {"AccessPort": "tests.enrollment.doubles.BrokenTable"}
        broken = CourseFactory(id="course-v1:edX+Broken+2026")
        for course_id in (broken.id, CourseFactory().id):
            CourseEnrollmentAllowedFactory(email=EMAIL, course_id=course_id, auto_enroll=True)

        with transaction.atomic():
            user = UserFactory(email=EMAIL)

        assert CourseEnrollment.enrollments_for_user(user).count() == 2
        assert not CourseEnrollment.is_enrolled(user, broken.id)

    @pytest.mark.django_db(transaction=True)
    def test_failure_that_cost_the_transaction_is_told(self, settings, invitation):
        settings.ENROLLMENT_PORTS = {"AccessPort": "tests.enrollment.doubles.Sacrificed"}
        with pytest.raises(OSError, match="deadlock"), transaction.atomic():
            UserFactory(email=EMAIL)
        assert not get_user_model().objects.filter(email=EMAIL).exists()


@pytest.mark.rule("enrollment.invitations")
class TestEachInvitation:
    def test_only_those_that_enroll_by_themselves(self, course):
        CourseEnrollmentAllowedFactory(email=EMAIL, course_id=course.id, auto_enroll=False)
        assert not CourseEnrollment.is_enrolled(UserFactory(email=EMAIL), course.id)

    def test_only_unused_ones(self, course, invitation):
        first = UserFactory()
        invitation.user = first
        invitation.save()
        assert not CourseEnrollment.is_enrolled(UserFactory(email=EMAIL), course.id)
        invitation.refresh_from_db()
        assert invitation.user == first

    def test_enrolled_already_is_only_linked(self, course):
        user = UserFactory(email=EMAIL)
        row = CourseEnrollmentFactory(user=user, course=course, mode="verified")
        invitation = CourseEnrollmentAllowedFactory(email=EMAIL, course_id=course.id, auto_enroll=True)

        enroll_pending(user)

        row.refresh_from_db()
        invitation.refresh_from_db()
        assert (row.mode, invitation.user) == ("verified", user)

    def test_again_enrolls_only_where_the_learner_has_left(self, course, invitation):
        user = UserFactory(email=EMAIL)
        with captured_events() as events:
            enroll_pending(user)
        assert len(events) == 0
        CourseEnrollment.unenroll(user, course.id)
        enroll_pending(user)
        assert CourseEnrollment.is_enrolled(user, course.id)

    def test_closed_course_is_passed_over(self, settings, course, invitation):
        settings.DISABLE_ALLOWED_ENROLLMENT_IF_ENROLLMENT_CLOSED = True
        course.enrollment_end = YESTERDAY
        course.save()
        user = UserFactory(email=EMAIL)
        invitation.refresh_from_db()
        assert not CourseEnrollment.is_enrolled(user, course.id)
        assert invitation.user is None

    def test_unknown_course_is_passed_over(self, course, invitation):
        course.delete()
        assert not CourseEnrollment.is_enrolled(UserFactory(email=EMAIL), invitation.course_id)

    def test_full_course_is_not(self, course, invitation):
        course.max_student_enrollments_allowed = 0
        course.save()
        assert CourseEnrollment.is_enrolled(UserFactory(email=EMAIL), course.id)

    def test_mode_is_the_one_for_learners_who_name_none(self, course, invitation):
        for slug in ("verified", "honor"):
            CourseModeFactory(course=course, mode_slug=slug)
        user = UserFactory(email=EMAIL)
        assert CourseEnrollment.enrollment_mode_for_user(user, course.id) == ("honor", True)

    def test_hook_keeps_the_learner_out(self, settings, course, invitation):
        settings.ENROLLMENT_PORTS = {"EnrollHook": ["tests.enrollment.doubles.KeepOut"]}
        assert not CourseEnrollment.is_enrolled(UserFactory(email=EMAIL), course.id)

    def test_who_invited_by_hand_is_recorded_as_who_enrolled(self, course, invitation):
        staff = UserFactory()
        ManualEnrollmentAudit.objects.create(
            enrolled_by=staff,
            enrolled_email=EMAIL,
            state_transition=StateTransition.UNENROLLED_TO_ALLOWED,
            reason="asked by phone",
        )

        user = UserFactory(email=EMAIL)

        audit = ManualEnrollmentAudit.objects.latest_for_enrollment(CourseEnrollment.get_enrollment(user, course.id))
        assert (audit.enrolled_by, audit.reason) == (staff, "asked by phone")
        assert audit.state_transition == "from allowed to enroll to enrolled"
