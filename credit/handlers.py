"""What this app does about events.

Receivers of other services' facts call the api at once, inside the consumer's transaction, and let its exceptions
out: they make the consumer try the event again. What is not for credit, or about nobody known, is ignored.
"""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from coursecredit import broker
from credit import api, ports
from credit.choices import RequirementStatus
from credit.tasks import send_credit_eligibility_email, update_credit_course_requirements
from credit.types import RetiredLearner
from enrollment.signals import USER_RETIRED
from events.credit.data import CreditEligibilityData
from events.credit.signals import CREDIT_ELIGIBILITY_EARNED
from events.data import EventsMetadata
from events.learning.data import ExamAttemptData, PersistentCourseGradeData
from events.learning.signals import (
    EXAM_ATTEMPT_ERRORED,
    EXAM_ATTEMPT_REJECTED,
    EXAM_ATTEMPT_RESET,
    EXAM_ATTEMPT_SUBMITTED,
    EXAM_ATTEMPT_VERIFIED,
    PERSISTENT_GRADE_SUMMARY_CHANGED,
)
from events.tooling import OpenEdxPublicSignal

log = logging.getLogger(__name__)


def on_course_publish(course_key: CourseKey) -> None:
    """Have a published course's requirements read anew, if it earns credit.

    To be called by the host when a course has been published, and its exams are known (credit contract 9.1). A worker
    reads them after the commit; what is lost on the way, a sweep finds.
    """
    if api.note_publication(course_key):
        broker.enqueue_on_commit(update_credit_course_requirements, str(course_key))
        log.info("Course %s was published; its requirements for credit are read anew.", course_key)


@receiver(CREDIT_ELIGIBILITY_EARNED, dispatch_uid="credit.handlers.mail_new_eligibility")
def mail_new_eligibility(eligibility: CreditEligibilityData, **kwargs: Any) -> None:
    """Ask a worker to send the mail that a new eligibility owes. What is lost on the way, the sweep finds."""
    learner = ports.learners().by_id(eligibility.user.id)
    if learner is None:
        log.warning("User %s became eligible for credit but has no account.", eligibility.user.id)
        return
    broker.enqueue_on_commit(send_credit_eligibility_email, learner.username, str(eligibility.course.course_key))


def listen_for_grade_calculation(
    sender: Any, user: Any, course_grade: Any, course_key: CourseKey, deadline: datetime | None, **kwargs: Any
) -> None:
    """Let a host's own signal about a calculated grade count for credit, and never fail it (credit contract 9.2).

    To be connected by the host; `course_grade.percent` is a fraction from 0 to 1, `deadline` the end of the course.
    """
    try:
        api.record_grade(user.pk, course_key, course_grade.percent, deadline=deadline, now=timezone.now())
    except Exception as exc:
        if transaction.get_connection().needs_rollback:
            raise  # the sender's transaction is lost in any case, and must not believe otherwise
        # Not the text: databases quote the values that they refuse.
        log.error("The grade of user %s in %s was not recorded (%s).", user.pk, course_key, type(exc).__name__)


@receiver(PERSISTENT_GRADE_SUMMARY_CHANGED, dispatch_uid="credit.handlers.listen_for_grade_summary")
def listen_for_grade_summary(grade: PersistentCourseGradeData, metadata: EventsMetadata, **kwargs: Any) -> None:
    """Let a stored grade count for credit, as of the moment when it was told: the event may have waited for us."""
    course_key = grade.course.course_key
    if not api.is_credit_course(course_key):
        return
    if ports.learners().by_id(grade.user_id) is None:
        log.error("User %s has a grade in %s but no account.", grade.user_id, course_key)
        return
    facts = ports.courses().facts(course_key)
    deadline = grade.course.end if facts is None else facts.end
    now = min(metadata.time, timezone.now())
    api.record_grade(grade.user_id, course_key, grade.percent_grade, deadline=deadline, now=now)


@receiver(EXAM_ATTEMPT_SUBMITTED, dispatch_uid="credit.handlers.listen_for_exam_submitted")
def listen_for_exam_submitted(sender: Any, signal: OpenEdxPublicSignal, **kwargs: Any) -> None:
    """An exam was handed in, and is not looked at yet; when that was counts as its completion."""
    handle_exam_event(signal, kwargs["exam_attempt"], RequirementStatus.SUBMITTED, time=_time(kwargs))


@receiver(EXAM_ATTEMPT_VERIFIED, dispatch_uid="credit.handlers.listen_for_exam_verified")
def listen_for_exam_verified(sender: Any, signal: OpenEdxPublicSignal, **kwargs: Any) -> None:
    """An exam was in order."""
    handle_exam_event(signal, kwargs["exam_attempt"], RequirementStatus.SATISFIED, time=_time(kwargs))


@receiver(EXAM_ATTEMPT_REJECTED, dispatch_uid="credit.handlers.listen_for_exam_rejected")
def listen_for_exam_rejected(sender: Any, signal: OpenEdxPublicSignal, **kwargs: Any) -> None:
    """An exam was not in order."""
    handle_exam_event(signal, kwargs["exam_attempt"], RequirementStatus.FAILED, time=_time(kwargs))


@receiver(EXAM_ATTEMPT_ERRORED, dispatch_uid="credit.handlers.listen_for_exam_errored")
def listen_for_exam_errored(sender: Any, signal: OpenEdxPublicSignal, **kwargs: Any) -> None:
    """An exam ended by a technical error."""
    handle_exam_event(signal, kwargs["exam_attempt"], RequirementStatus.FAILED, time=_time(kwargs))


@receiver(EXAM_ATTEMPT_RESET, dispatch_uid="credit.handlers.listen_for_exam_reset")
def listen_for_exam_reset(sender: Any, signal: OpenEdxPublicSignal, **kwargs: Any) -> None:
    """An exam was wiped, so that the learner can try again."""
    handle_exam_event(signal, kwargs["exam_attempt"], time=_time(kwargs))


def handle_exam_event(
    signal: OpenEdxPublicSignal,
    event_data: ExamAttemptData,
    credit_status: str | None = None,
    *,
    time: datetime | None = None,
) -> None:
    """Let what became of an exam count for credit (credit contract 9.3).

    Args:
        signal: which event it was.
        event_data: its payload.
        credit_status: the status that the learner now has for the exam; None takes the former one away.
        time: when that was; by default now.
    """
    course_key, usage_key = event_data.course_key, event_data.usage_key
    if not api.is_credit_course(course_key):
        return
    user_id = event_data.student_user.id
    log.info("User %s, exam %s: %s.", user_id, usage_key, signal.event_type)
    learner = ports.learners().by_id(user_id)
    if learner is None:
        log.error("User %s took exam %s but has no account.", user_id, usage_key)
        return

    by = event_data.requesting_user
    actor = "" if by is None else str(by.id)
    moment = time or timezone.now()
    if credit_status is None:
        api.forget_exam_completion(user_id, course_key, usage_key, reset_at=moment)
        api.reset_exam_status(learner.username, course_key, usage_key, actor=actor)
        return
    if credit_status == RequirementStatus.SUBMITTED:
        api.record_exam_completion(user_id, course_key, usage_key, completed_at=moment)
    api.set_exam_status(user_id, course_key, usage_key, credit_status, actor=actor)


def _time(kwargs: dict[str, Any]) -> datetime | None:
    metadata: EventsMetadata | None = kwargs.get("metadata")
    return None if metadata is None else metadata.time


@receiver(USER_RETIRED, dispatch_uid="credit.handlers.forget_retired_user")
def forget_retired_user(original_username: str, retired_username: str, **kwargs: Any) -> None:
    """Remove a person from this app's tables, in the transaction that removes them everywhere."""
    api.retire_credit_user(RetiredLearner(original_username, retired_username))
