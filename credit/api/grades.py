"""What a learner's grade in a course means for credit (credit contract 9.2)."""

import logging
import math
from datetime import datetime
from typing import Any, TypeGuard

from opaque_keys.edx.keys import CourseKey

from credit.api.eligibility import get_credit_requirements, is_credit_course, set_requirement_status
from credit.choices import GRADE_NAME, GRADE_NAMESPACE, AuditSource, RequirementStatus

log = logging.getLogger(__name__)


def record_grade(
    user_id: int, course_key: CourseKey, percent: float, *, deadline: datetime | None, now: datetime
) -> None:
    """Record whether a learner's grade meets the minimum grade of a course.

    A passing grade counts until the deadline, the very moment excluded; a lower one is not held against a learner
    who still has time. A second time changes nothing.

    Args:
        user_id: the learner's account.
        course_key: the course.
        percent: the grade, a fraction from 0 to 1; anything else is logged and ignored.
        deadline: when the course ends; None: never.
        now: when the grade was calculated.
    """
    if not is_credit_course(course_key):
        return
    asked_for = next((row["criteria"] for row in get_credit_requirements(course_key, GRADE_NAMESPACE)), None)
    if not asked_for:
        return
    min_grade = asked_for.get("min_grade") if isinstance(asked_for, dict) else None
    if not _is_number(min_grade):
        log.error(
            "Course %s asks for a grade without saying which; the grade of user %s is ignored.", course_key, user_id
        )
        return
    if not _is_number(percent) or not 0 <= percent <= 1:
        log.error("User %s has a grade in %s that is no fraction from 0 to 1; it is ignored.", user_id, course_key)
        return

    verdict = _verdict(percent, min_grade, deadline, now)
    if verdict is None:
        log.info("User %s still has time to reach the minimum grade of %s.", user_id, course_key)
        return
    status, reason = verdict
    set_requirement_status(user_id, course_key, GRADE_NAMESPACE, GRADE_NAME, status, reason, source=AuditSource.EVENT)


def _verdict(
    percent: float, min_grade: float, deadline: datetime | None, now: datetime
) -> tuple[str, dict[str, Any]] | None:
    """Return the status with its reason, or None while nothing is decided."""
    passes = percent >= min_grade
    if deadline is None or now < deadline:
        return (RequirementStatus.SATISFIED, {"final_grade": percent}) if passes else None
    if passes:
        return RequirementStatus.FAILED, {"current_date": now, "deadline": deadline}
    return RequirementStatus.FAILED, {"final_grade": percent, "minimum_grade": min_grade}


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
