"""From a published course to its requirements (credit contract 9.1)."""

import logging
from datetime import datetime
from typing import Any

from django.utils import timezone
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from credit import ports
from credit.api.eligibility import publish_requirements, require_well_formed
from credit.choices import GRADE_NAME, GRADE_NAMESPACE, PROCTORED_EXAM_NAMESPACE
from credit.exceptions import CourseNotFound, InvalidCreditCourse, InvalidCreditRequirements
from credit.models import CreditCourse
from credit.types import Exam

log = logging.getLogger(__name__)

ATTEMPTS = 5


def note_publication(course_key: CourseKey) -> bool:
    """Write down that a course has been published, so that its requirements are due; return whether it earns credit."""
    enabled = CreditCourse.objects.enabled().filter(course_key=course_key)
    return bool(enabled.update(requirements_due_at=timezone.now()))


def refresh_credit_requirements(course_key: CourseKey) -> bool:
    """Make what a course now says its requirements; return whether it is a credit course at all.

    A second time changes nothing. If the course is published meanwhile, or somebody else has been at it, what the
    course says is read once more, so that an old list never replaces a newer one. What fails for now stays due.

    Raises:
        CourseNotFound: the course is not there, or not yet.
        InvalidCreditRequirements: what the course says is badly formed; nothing is due any more.
    """
    for _ in range(ATTEMPTS):
        due = _due_since(course_key)
        if due is None:
            return False
        # Outside of a transaction: the host may have to ask its neighbours.
        requirements = requirements_of(course_key)
        try:
            require_well_formed(requirements)
            if publish_requirements(course_key, requirements, if_due_since=due):
                return True
        except InvalidCreditRequirements:
            _rows(course_key).filter(requirements_due_at=due).update(requirements_due_at=None)
            raise
        except InvalidCreditCourse:
            return False
    log.warning("Course %s was published again and again; its requirements stay due.", course_key)
    return True


def refresh_due_requirements(*, due_before: datetime) -> int:
    """Refresh the courses whose requirements have been due since before a moment; return how many now have theirs.

    What fails is logged and stays due, except for courses that do not exist and requirements that are badly formed.
    """
    refreshed = 0
    overdue = CreditCourse.objects.enabled().filter(requirements_due_at__lt=due_before)
    for course_key, due in overdue.order_by("requirements_due_at").values_list("course_key", "requirements_due_at"):
        try:
            refreshed += refresh_credit_requirements(course_key)
        except CourseNotFound:
            log.error("Course %s earns credit but is not known; its requirements are not due any more.", course_key)
            _rows(course_key).filter(requirements_due_at=due).update(requirements_due_at=None)
        except InvalidCreditRequirements as exc:
            log.error("The requirements of course %s are badly formed: %s.", course_key, exc)
        except Exception as exc:
            # The text may hold addresses of the host's neighbours.
            log.error("The requirements of course %s stay due (%s).", course_key, type(exc).__name__)
    return refreshed


def requirements_of(course_key: CourseKey) -> list[dict[str, Any]]:
    """Return what a course asks for now: the minimum grade first, then its proctored exams, dated ones first.

    Raises:
        CourseNotFound
    """
    return [*_minimum_grade(course_key), *_proctored_exams(course_key)]


def _minimum_grade(course_key: CourseKey) -> list[dict[str, Any]]:
    facts = ports.courses().facts(course_key)
    if facts is None:
        raise CourseNotFound(f"There is no course {course_key}.")
    if facts.minimum_grade_credit is None:
        log.warning("Course %s has no minimum grade for credit, so no grade is asked for.", course_key)
        return []
    return [
        {
            "namespace": GRADE_NAMESPACE,
            "name": GRADE_NAME,
            "display_name": "Minimum Grade",
            "criteria": {"min_grade": facts.minimum_grade_credit},
        }
    ]


def _proctored_exams(course_key: CourseKey) -> list[dict[str, Any]]:
    keys = {exam: key for exam in ports.exams().exams(course_key) if (key := _counted_key(course_key, exam))}
    blocks = ports.exams().blocks(list(keys.values())) if keys else {}
    for exam in keys:
        if exam.content_id not in blocks:
            log.warning("Exam %s of course %s is no block of it and is left out.", exam.content_id, course_key)
    requirements: list[dict[str, Any]] = [
        {
            "namespace": PROCTORED_EXAM_NAMESPACE,
            "name": exam.content_id,
            "display_name": exam.exam_name,
            "start_date": blocks[exam.content_id].start,
            "criteria": {},
        }
        for exam in keys
        if exam.content_id in blocks
    ]
    return sorted(requirements, key=_by_date)


def _counted_key(course_key: CourseKey, exam: Exam) -> UsageKey | None:
    """Return the exam's key if it counts for credit, else None."""
    if not exam.is_proctored or not exam.is_active or exam.is_practice_exam:
        log.info("Exam %s of course %s does not count for credit.", exam.content_id, course_key)
        return None
    try:
        return UsageKey.from_string(exam.content_id)
    except InvalidKeyError:
        log.warning("Exam %s of course %s has no usage key and is left out.", exam.content_id, course_key)
        return None


def _by_date(requirement: dict[str, Any]) -> tuple[bool, float, str]:
    start: datetime | None = requirement["start_date"]
    return start is None, start.timestamp() if start else 0, requirement["display_name"]


def _due_since(course_key: CourseKey) -> datetime | None:
    """Return since when the requirements are due, which is now if they were not; None: it is no credit course."""
    due: datetime | None = _rows(course_key).values_list("requirements_due_at", flat=True).first()
    if due is not None:
        return due
    now = timezone.now()
    return now if _rows(course_key).update(requirements_due_at=now) else None


def _rows(course_key: CourseKey) -> Any:
    return CreditCourse.objects.enabled().filter(course_key=course_key)
