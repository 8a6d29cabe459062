"""What becomes of a learner's attempt at an exam (credit contract 9.3)."""

import logging
from datetime import datetime

from django.db.models import Q
from opaque_keys.edx.keys import CourseKey, UsageKey

from coursecredit.transactions import retried_atomic
from credit import ports
from credit.api.eligibility import remove_credit_requirement_status, set_requirement_status
from credit.choices import EXAM_NAMESPACE, PROCTORED_EXAM_NAMESPACE, AuditSource
from credit.models import CourseExam, CreditRequirement, ExamAttempt

log = logging.getLogger(__name__)


def set_exam_status(user_id: int, course_key: CourseKey, usage_key: UsageKey, status: str, *, actor: str = "") -> None:
    """Record how a learner's attempt at an exam went, by the rules of `set_credit_requirement_status`.

    Args:
        user_id: the learner's account.
        course_key: the course.
        usage_key: the exam.
        status: one of `RequirementStatus`.
        actor: id of the user who caused it, as text; empty: the learner or nobody.
    """
    name = str(usage_key)
    namespace = _namespace(course_key, name)
    set_requirement_status(user_id, course_key, namespace, name, status, source=AuditSource.EVENT, actor=actor)


def reset_exam_status(username: str, course_key: CourseKey, usage_key: UsageKey, *, actor: str = "") -> None:
    """Forget how a learner's attempt at an exam went; eligibility stays."""
    name = str(usage_key)
    namespace = _namespace(course_key, name)
    remove_credit_requirement_status(username, course_key, namespace, name, source=AuditSource.EVENT, actor=actor)


def _namespace(course_key: CourseKey, name: str) -> str:
    """Return under which namespace the exam is an active requirement; `exam` if under none."""
    requirements = CreditRequirement.objects.active().of_course(course_key).filter(name=name)
    namespaces = set(
        requirements.filter(namespace__in=[EXAM_NAMESPACE, PROCTORED_EXAM_NAMESPACE]).values_list(
            "namespace", flat=True
        )
    )
    return EXAM_NAMESPACE if EXAM_NAMESPACE in namespaces or not namespaces else PROCTORED_EXAM_NAMESPACE


@retried_atomic
def record_exam_completion(user_id: int, course_key: CourseKey, usage_key: UsageKey, *, completed_at: datetime) -> None:
    """Record when a learner handed in an exam; of several times the latest counts. Unknown exams are only logged."""
    exam = _exam(course_key, usage_key)
    # Locked, so that a retirement at the same moment does not miss the row.
    learner = ports.learners().by_id(user_id, lock=True)
    if exam is None or learner is None:
        return
    attempt, created = ExamAttempt.objects.get_or_create(
        exam=exam, username=learner.username, defaults={"completed_at": completed_at}
    )
    if not created and (attempt.completed_at is None or attempt.completed_at < completed_at):
        attempt.completed_at = completed_at
        attempt.save(update_fields=["completed_at"])


@retried_atomic
def forget_exam_completion(user_id: int, course_key: CourseKey, usage_key: UsageKey, *, reset_at: datetime) -> None:
    """Forget that a learner handed in an exam before it was reset."""
    exam = _exam(course_key, usage_key)
    learner = ports.learners().by_id(user_id, lock=True)
    if exam is None or learner is None:
        return
    former = Q(completed_at__lte=reset_at)
    ExamAttempt.objects.filter(former, exam=exam, username=learner.username).update(completed_at=None)


def _exam(course_key: CourseKey, usage_key: UsageKey) -> CourseExam | None:
    exam: CourseExam | None = CourseExam.objects.of_course(course_key).filter(content_id=str(usage_key)).first()
    if exam is None:
        log.info("Exam %s of course %s is not registered; when it was handed in is not kept.", usage_key, course_key)
    return exam
