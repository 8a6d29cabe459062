"""What staff do by hand about eligibilities and their mail. Each is audited with who did it, and most with a reason."""

import logging
from datetime import datetime

from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from coursecredit.transactions import retried_atomic
from credit import ports
from credit.api import announcements
from credit.api.eligibility import can_earn_credit, earn_if_all_satisfied
from credit.choices import AuditKind
from credit.conf import conf
from credit.exceptions import (
    CreditCourseNotFound,
    CreditEligibilityExists,
    CreditEligibilityNotFound,
    EligibilityMailNotDue,
    InvalidCreditCourse,
    LearnerNotFound,
    ReasonMissing,
    UserIsNotEligible,
)
from credit.models import (
    CreditAudit,
    CreditCourse,
    CreditEligibility,
    CreditRequest,
    default_deadline_for_credit_eligibility,
)

log = logging.getLogger(__name__)


@retried_atomic
def add_eligibility(
    username: str,
    course_key: CourseKey,
    *,
    reason: str,
    source: str,
    actor: str,
    deadline: datetime | None = None,
) -> None:
    """Make a learner eligible who has not met the requirements, and announce it. No mail is sent about it.

    Args:
        username: the learner.
        course_key: a course with a credit row, enabled or not.
        reason: why, in words for those who read the audit later.
        source: by which way it came in, one of `AuditSource`.
        actor: id of the user who did it, as text.
        deadline: last moment to buy or request credit; by default as far ahead as if it were earned now.

    Raises:
        ReasonMissing: the reason is blank.
        LearnerNotFound: no account has this username.
        CreditCourseNotFound: the course has no credit row.
        CreditEligibilityExists: there is one, expired or not; move its deadline instead.
    """
    _require(reason)
    learner = ports.learners().by_username(username, lock=True)
    if learner is None:
        raise LearnerNotFound
    course = CreditCourse.objects.filter(course_key=course_key).first()
    if course is None:
        raise CreditCourseNotFound

    eligibility: CreditEligibility
    eligibility, created = CreditEligibility.objects.get_or_create(
        username=username,
        course=course,
        defaults={"deadline": deadline or default_deadline_for_credit_eligibility(), "added_by_staff": True},
    )
    if not created:
        raise CreditEligibilityExists
    _record(eligibility, old="", new=eligibility.deadline.isoformat(), source=source, actor=actor, reason=reason)
    announcements.eligibility_earned(learner, eligibility, course_key)


@retried_atomic
def extend_eligibility_deadline(
    username: str, course_key: CourseKey, deadline: datetime, *, reason: str, source: str, actor: str
) -> None:
    """Move a learner's last moment to buy or request credit; also back to life, or to an earlier moment.

    The same deadline again changes nothing.

    Args:
        username: the learner, with an account or without.
        course_key: the course.
        deadline: the new last moment.
        reason: why, in words for those who read the audit later.
        source: by which way it came in, one of `AuditSource`.
        actor: id of the user who did it, as text.

    Raises:
        ReasonMissing: the reason is blank.
        CreditEligibilityNotFound: there is none.
    """
    _require(reason)
    eligibility = _locked(username, course_key)
    old = eligibility.deadline
    if old == deadline:
        return
    eligibility.deadline = deadline
    eligibility.save(update_fields=["deadline"])
    _record(eligibility, old=old.isoformat(), new=deadline.isoformat(), source=source, actor=actor, reason=reason)


@retried_atomic
def remove_eligibility(username: str, course_key: CourseKey, *, reason: str, source: str, actor: str) -> None:
    """Take a learner's eligibility back. Statuses and requests stay; meeting the requirements again makes a new one.

    Args:
        username: the learner, with an account or without.
        course_key: the course.
        reason: why, in words for those who read the audit later.
        source: by which way it came in, one of `AuditSource`.
        actor: id of the user who did it, as text.

    Raises:
        ReasonMissing: the reason is blank.
        CreditEligibilityNotFound: there is none.
    """
    _require(reason)
    ports.learners().by_username(username, lock=True)  # nobody asks for credit with it meanwhile
    eligibility = _locked(username, course_key)
    CreditEligibility.objects.filter(pk=eligibility.pk).delete()
    _record(eligibility, old=eligibility.deadline.isoformat(), new="", source=source, actor=actor, reason=reason)


@retried_atomic
def re_evaluate_eligibility(username: str, course_key: CourseKey, *, source: str, actor: str) -> bool:
    """Make a learner eligible who meets all requirements as they are now, as the next satisfied one would do.

    Needed after a publication has dropped the last requirement that was missing. What is earned so is announced, and
    owes a mail, like any other. The rules for statuses hold here too: nothing happens to learners who cannot earn
    credit in their mode, or who have requested credit in the course. An eligibility that exists stays as it is.

    Args:
        username: the learner.
        course_key: the course.
        source: by which way it came in, one of `AuditSource`.
        actor: id of the user who did it, as text.

    Returns:
        Whether the learner has become eligible by this call.

    Raises:
        InvalidCreditCourse: credit cannot be earned in the course (any more).
    """
    if not CreditCourse.objects.enabled().filter(course_key=course_key).exists():
        raise InvalidCreditCourse
    learner = ports.learners().by_username(username, lock=True)
    if learner is None or not can_earn_credit(learner.id, course_key):
        return False
    if CreditRequest.objects.of_learner(username).filter(course__course_key=course_key).exists():
        return False
    eligibility = earn_if_all_satisfied(learner, course_key)
    if eligibility is None:
        return False
    _record(eligibility, old="", new=eligibility.deadline.isoformat(), source=source, actor=actor)
    return True


@retried_atomic
def resend_eligibility_mail(username: str, course_key: CourseKey, *, source: str, actor: str) -> None:
    """Owe a learner the mail about their eligibility once more; the sweep sends it within a minute.

    A debt is renewed here, never made: earning the eligibility has made it. So there is none for an eligibility that
    staff added. A mail that is still owed stays that one mail; only a longer wait after failed attempts ends. The
    mail has a `Message-ID` of its own, so that no mail server takes it for a copy of the first.

    Args:
        username: the learner.
        course_key: the course.
        source: by which way it came in, one of `AuditSource`.
        actor: id of the user who did it, as text.

    Raises:
        CreditEligibilityNotFound: there is none.
        UserIsNotEligible: it is expired, or the course is not enabled; what the mail says would be wrong.
        EligibilityMailNotDue: staff added it.
    """
    eligibility = _locked(username, course_key)
    now = timezone.now()
    if eligibility.added_by_staff:
        raise EligibilityMailNotDue
    if eligibility.deadline <= now or not eligibility.course.enabled:
        raise UserIsNotEligible
    if not _is_owed(eligibility):
        old = "sent" if eligibility.notified_at else "dropped"
        eligibility.email_due_at, eligibility.notified_at = now, None
    elif _is_put_off(eligibility, now):
        old = "put off"
    else:
        return
    eligibility.email_claimed_until = None
    eligibility.save(update_fields=["email_due_at", "notified_at", "email_claimed_until"])
    CreditAudit.record_eligibility(eligibility, AuditKind.MAIL, old=old, new="due", source=source, actor=actor)


def _is_owed(eligibility: CreditEligibility) -> bool:
    return eligibility.email_due_at is not None and eligibility.notified_at is None


def _is_put_off(eligibility: CreditEligibility, now: datetime) -> bool:
    """Return whether a failed attempt keeps others back; a worker that is sending claims less."""
    claimed_until = eligibility.email_claimed_until
    return claimed_until is not None and claimed_until > now + conf.CREDIT_EMAIL_CLAIM_SECONDS


def _locked(username: str, course_key: CourseKey) -> CreditEligibility:
    rows = CreditEligibility.objects.locked().of_learner(username).filter(course__course_key=course_key)
    eligibility: CreditEligibility | None = rows.select_related("course").first()
    if eligibility is None:
        raise CreditEligibilityNotFound
    return eligibility


def _record(eligibility: CreditEligibility, *, old: str, new: str, source: str, actor: str, reason: str = "") -> None:
    CreditAudit.record_eligibility(
        eligibility, AuditKind.ELIGIBILITY, old=old, new=new, source=source, actor=actor, reason=reason
    )


def _require(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing
