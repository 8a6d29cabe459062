"""Invitations of addresses that no account has, many at once."""

from collections.abc import Collection, Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from enrollment import ports
from enrollment.bulk.shapes import Done, Result, Wish
from enrollment.bulk.writing import acting_user
from enrollment.choices import StateTransition
from enrollment.errors import CourseNotFoundError, UserNotFoundError
from enrollment.models import CourseEnrollmentAllowed, ManualEnrollmentAudit

ATTEMPTS = 5
"""Each time somebody else has inserted an invitation that was missing, it is there for the next."""


def invite(wishes: Sequence[Wish], *, requested_by: int | None, dry_run: bool) -> list[Result]:
    """Invite addresses to courses, so that their accounts are enrolled once they exist; to be called in a transaction.

    Whoever is invited stays so, and is enrolled automatically from now on. A new invitation is noted as made by hand.
    """
    courses = ports.courses().get_many({wish.course_id for wish in wishes}) if wishes else {}
    results = [_result(wish, is_known=wish.course_id in courses) for wish in wishes]
    wanted = {
        ((wish.email or "").lower(), wish.course_id): wish
        for wish, result in zip(wishes, results, strict=True)
        if isinstance(result, Done)
    }
    if wanted and not dry_run:
        _store(wanted, requested_by)
    return results


def _result(wish: Wish, *, is_known: bool) -> Result:
    try:
        validate_email(wish.email)
    except ValidationError:
        return UserNotFoundError("Nobody has this e-mail address, and it is none that could be invited.")
    if wish.is_active is False:
        return UserNotFoundError("Nobody has this e-mail address, so nobody with it can leave.")
    if not is_known:
        return CourseNotFoundError(f"No course {wish.course_id} found.")
    return Done(None, None, is_invited=True)


def _store(wanted: dict[tuple[str, str], Wish], requested_by: int | None) -> None:
    for _ in range(ATTEMPTS - 1):
        try:
            with transaction.atomic():
                return _write(wanted, requested_by)
        except IntegrityError:
            continue
    return _write(wanted, requested_by)


def _write(wanted: dict[tuple[str, str], Wish], requested_by: int | None) -> None:
    rows = CourseEnrollmentAllowed.objects.filter(
        email_lower__in={email for email, _ in wanted}, course_id__in={course_id for _, course_id in wanted}
    )
    existing = {(row.email_lower, row.course_id): row for row in rows}
    unused = [
        row.pk for pair, row in existing.items() if pair in wanted and row.user_id is None and not row.auto_enroll
    ]
    if unused:
        CourseEnrollmentAllowed.objects.filter(pk__in=unused, user=None).update(auto_enroll=True)
    _insert([wanted[pair] for pair in sorted(wanted) if pair not in existing], requested_by)


def _insert(wishes: Collection[Wish], requested_by: int | None) -> None:
    if not wishes:
        return
    now = timezone.now()
    CourseEnrollmentAllowed.objects.bulk_create(
        CourseEnrollmentAllowed(email=wish.email or "", course_id=wish.course_id, auto_enroll=True, created=now)
        for wish in wishes
    )
    audits = ManualEnrollmentAudit.objects.bulk_create(
        ManualEnrollmentAudit(
            enrolled_by_id=requested_by,
            enrolled_email=wish.email or "",
            time_stamp=now,
            state_transition=StateTransition.UNENROLLED_TO_ALLOWED,
        )
        for wish in wishes
    )
    ManualEnrollmentAudit.history.bulk_history_create(audits, default_user=acting_user(requested_by), default_date=now)
