"""Requirements and a learner's statuses of them, in words."""

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from credit.choices import GRADE_NAME, GRADE_NAMESPACE, PROCTORED_EXAM_NAMESPACE, RequirementStatus
from credit.learner_pages.shapes import Badge, Requirement
from credit.types import RequirementStatusDict


def requirement(row: RequirementStatusDict) -> Requirement:
    """Return a requirement with its state; what its criteria and its reason do not tell is left out."""
    is_grade = (row["namespace"], row["name"]) == (GRADE_NAMESPACE, GRADE_NAME)
    return Requirement(
        title=_("Minimum grade") if is_grade else row["display_name"] or row["name"],
        condition=_condition(row),
        badge=_badge(row["status"]),
        note=_note(row["reason"]) if is_grade else "",
        moment=row["status_date"],
        is_met=row["status"] == RequirementStatus.SATISFIED,
    )


def _condition(row: RequirementStatusDict) -> str:
    if row["namespace"] == PROCTORED_EXAM_NAMESPACE:
        return _("Proctored exam")
    least = percent(_entry(row["criteria"], "min_grade"))
    return _("At least {grade}").format(grade=least) if least else ""


def _badge(status: str | None) -> Badge:
    if status == RequirementStatus.SATISFIED:
        return Badge(_("Met"), "good")
    if status == RequirementStatus.FAILED:
        return Badge(_("Not met"), "bad")
    if status == RequirementStatus.DECLINED:
        return Badge(_("Declined"), "bad")
    if status == RequirementStatus.SUBMITTED:
        return Badge(_("Being reviewed"), "open")
    return Badge(_("Still to do"), "quiet")


def _note(reason: Any) -> str:
    grade = percent(_entry(reason, "final_grade"))
    if grade:
        return _("Your grade: {grade}").format(grade=grade)
    return _("Reached after the end of the course") if _entry(reason, "deadline") else ""


def _entry(values: Any, name: str) -> Any:
    return values.get(name) if isinstance(values, dict) else None


def percent(fraction: Any) -> str:
    """Return a fraction from 0 to 1, or its text, as the current language writes a percentage; else an empty text."""
    try:
        number = float(fraction)
    except (TypeError, ValueError):
        return ""
    if isinstance(fraction, bool) or not 0 <= number <= 1:
        return ""
    rounded = round(number * 100, 2)
    shown = number_format(int(rounded) if rounded == int(rounded) else rounded)
    return _("{number}%").format(number=shown)
