"""Invitations by e-mail address: who may enroll in a course, account or not (enrollment contract 3.5, 10.11).

Staff make and withdraw them by hand, so each change leaves a record of who did it.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from opaque_keys.edx.keys import CourseKey

from coursecredit.transactions import retried_atomic
from enrollment.choices import StateTransition
from enrollment.errors import InvalidEmail, InvitationExists, InvitationNotFound
from enrollment.keys import course_id_of
from enrollment.models import CourseEnrollmentAllowed, ManualEnrollmentAudit
from enrollment.types import InvitationDict

MAX_LENGTH = 255


def list_invitations(email: str) -> list[InvitationDict]:
    """Return the invitations of an e-mail address, without regard to case, oldest first; [] for an empty one."""
    return [_as_dict(row) for row in CourseEnrollmentAllowed.objects.to_address(email).order_by("pk")]


@retried_atomic
def create_invitation(
    email: str, course_id: str | CourseKey, *, auto_enroll: bool = False, requested_by: int | None
) -> InvitationDict:
    """Invite an e-mail address to a course, which need not be known, and record who did.

    Args:
        email: kept as it is given.
        auto_enroll: enroll whoever confirms the address, without asking them.
        requested_by: id of the user who invites.

    Raises:
        InvalidCourseKeyError, InvalidEmail
        InvitationExists: the address is invited, in whatever case it is written.
    """
    course_id = course_id_of(course_id)
    _require_email(email)
    try:
        with transaction.atomic():
            row = CourseEnrollmentAllowed.objects.create(email=email, course_id=course_id, auto_enroll=auto_enroll)
    except IntegrityError as exc:
        raise InvitationExists from exc
    _record(StateTransition.UNENROLLED_TO_ALLOWED, email, requested_by)
    return _as_dict(row)


@retried_atomic
def delete_invitation(email: str, course_id: str | CourseKey, *, requested_by: int | None) -> None:
    """Withdraw an invitation, used or not, and record who did. Whoever has enrolled stays enrolled.

    Args:
        requested_by: id of the user who withdraws it.

    Raises:
        InvalidCourseKeyError
        InvitationNotFound: also the second time.
    """
    invitations = CourseEnrollmentAllowed.objects.to_address(email).filter(course_id=course_id_of(course_id))
    row = invitations.select_for_update().first()
    if row is None:
        raise InvitationNotFound
    row.delete()
    _record(StateTransition.ALLOWED_TO_UNENROLLED, row.email, requested_by)


def _require_email(email: Any) -> None:
    # Lower-cased, which is how it is compared, an address may be longer than it was.
    if not isinstance(email, str) or len(email.lower()) > MAX_LENGTH:
        raise InvalidEmail
    try:
        validate_email(email)
    except ValidationError as exc:
        raise InvalidEmail from exc


def _record(transition: StateTransition, email: str, requested_by: int | None) -> None:
    ManualEnrollmentAudit.objects.create(enrolled_by_id=requested_by, enrolled_email=email, state_transition=transition)


def _as_dict(row: CourseEnrollmentAllowed) -> InvitationDict:
    return {
        "email": row.email,
        "course_id": row.course_id,
        "auto_enroll": row.auto_enroll,
        "created": row.created,
        "user": row.user_id,
    }
