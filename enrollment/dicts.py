"""Enrollments and courses as plain values, in the keys that clients know (enrollment contract 7.1)."""

from datetime import UTC, datetime

from django.utils import timezone

from enrollment.mode_rules import offered
from enrollment.ports import CourseLike
from enrollment.types import CourseDetailsDict, EnrollmentDict, Mode, ModeDict

PACING = {"self": "Self Paced", "instructor": "Instructor Paced"}


def enrollment_dict(
    *, created: datetime | None, mode: str, is_active: bool, details: CourseDetailsDict | None, username: str
) -> EnrollmentDict:
    """Return an enrollment; `details` are None when the course is gone."""
    return {
        "created": iso(created),
        "mode": mode,
        "is_active": is_active,
        "course_details": details,
        "user": username,
    }


def course_details(course: CourseLike, modes: list[Mode], *, include_expired: bool = False) -> CourseDetailsDict:
    """Return a course that has these modes, with those that it offers just now, credit modes included."""
    modes = offered(modes, timezone.now(), include_expired=include_expired, only_selectable=False)
    return {
        "course_id": course.id,
        "course_name": course.display_name_with_default,
        "enrollment_start": course.enrollment_start,
        "enrollment_end": course.enrollment_end,
        "course_start": course.start,
        "course_end": course.end,
        "invite_only": course.invitation_only,
        "course_modes": [_mode_dict(mode) for mode in modes],
        "pacing_type": PACING[course.pacing],
    }


def iso(moment: datetime | None) -> str | None:
    """Return ISO text in UTC, ending in Z."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _mode_dict(mode: Mode) -> ModeDict:
    return {
        "slug": mode.slug,
        "name": mode.name,
        "min_price": mode.min_price,
        "suggested_prices": mode.suggested_prices,
        "currency": mode.currency,
        "expiration_datetime": iso(mode.expiration_datetime),
        "description": mode.description,
        "sku": mode.sku,
        "bulk_sku": mode.bulk_sku,
    }
