"""Invitations that are taken up without the learner's doing (enrollment contract 3.7)."""

import logging
import traceback

from django.db import transaction

from coursecredit.transactions import retried_atomic
from enrollment import ports
from enrollment.choices import StateTransition
from enrollment.errors import EnrollmentNotAllowed
from enrollment.models import CourseEnrollment, CourseEnrollmentAllowed, CourseMode, ManualEnrollmentAudit
from enrollment.models.enrollments import Overtaken
from enrollment.types import Account

log = logging.getLogger(__name__)


def enroll_pending(user: Account) -> None:
    """Enroll a user wherever their confirmed address was invited with `auto_enroll`.

    Again changes nothing where the user is still enrolled, and enrolls again where the user has left. Courses that
    are gone or closed for the user are passed over, full ones are not. Each invitation is taken up by itself; one
    that fails is logged and harms no other, unless it cost the caller's transaction: then its exception is raised.
    """
    if not user.is_active or not ports.profiles().email_confirmed(user):
        return
    for invitation in CourseEnrollmentAllowed.objects.for_user(user).filter(auto_enroll=True).order_by("pk"):
        try:
            _take_up(invitation, user)
        except Exception as exc:
            if transaction.get_connection().needs_rollback:
                raise
            # Where it happened, but not its text: databases quote the values that they refuse.
            place = "".join(traceback.format_tb(exc.__traceback__))
            log.error(
                "User %s could not take up invitation %s: %s.\n%s", user.pk, invitation.pk, type(exc).__name__, place
            )


@retried_atomic
def _take_up(invitation: CourseEnrollmentAllowed, user: Account) -> None:
    try:
        enrollment = _admitted(invitation, user)
    except Overtaken:
        enrollment = _admitted(invitation, user)  # whom somebody else has enrolled meanwhile, in whatever mode
    if enrollment is not None:
        _copy_manual_audit(invitation, enrollment)


def _admitted(invitation: CourseEnrollmentAllowed, user: Account) -> CourseEnrollment | None:
    """Enroll the learner, and return the enrollment; None if there is nothing to do, or if it is not to be.

    Raises:
        Overtaken: there was no enrollment, and there is one now.
    """
    row = CourseEnrollment.locked(user, invitation.course_id)
    if row is not None and row.is_active:
        CourseEnrollmentAllowed.objects.link(user, invitation.course_id)
        return None
    course = ports.courses().get(invitation.course_id)
    if course is None or not ports.access().can_enroll(user, course):
        return None
    mode = CourseMode.objects.chosen_for(course.id)
    try:
        return CourseEnrollment.admit(user, course.id, mode, row, course=course, check_access=False)
    except EnrollmentNotAllowed:
        log.info("A hook keeps user %s out of %s, where invitation %s leads.", user.pk, course.id, invitation.pk)
        return None


def _copy_manual_audit(invitation: CourseEnrollmentAllowed, enrollment: CourseEnrollment) -> None:
    """Record that whoever invited by hand has thereby enrolled."""
    audit = ManualEnrollmentAudit.objects.latest_for_email(invitation.email)
    if audit is not None:
        ManualEnrollmentAudit.objects.create(
            enrollment=enrollment,
            enrolled_by=audit.enrolled_by,
            enrolled_email=invitation.email,
            state_transition=StateTransition.ALLOWED_TO_ENROLLED,
            reason=audit.reason,
        )
