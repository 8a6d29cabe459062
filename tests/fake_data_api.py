"""A data backend for enrollment that keeps everything in lists: named by `ENROLLMENT_DATA_API` in tests.

It speaks the contract's functions and knows no users: whoever is asked for exists.
"""

from typing import Any

from enrollment.errors import CourseNotFoundError
from enrollment.types import Role

_courses: list[dict[str, Any]] = []
_enrollments: list[dict[str, Any]] = []
_attributes: list[dict[str, Any]] = []
_expired_modes: set[str] = set()


def get_course_enrollments(username: str, include_inactive: bool = False) -> list[dict[str, Any]]:
    return [row for row in _enrollments if row["user"] == username and (include_inactive or row["is_active"])]


def get_course_enrollment(username: str, course_id: str) -> dict[str, Any] | None:
    mine = [row for row in _enrollments if row["user"] == username and row["course"]["course_id"] == course_id]
    return mine[0] if mine else None


def create_course_enrollment(
    username: str,
    course_id: str,
    mode: str,
    is_active: bool,
    enterprise_uuid: str | None = None,
    force_enrollment: bool = False,
) -> dict[str, Any]:
    return add_enrollment(username, course_id, is_active=is_active, mode=mode)


def update_course_enrollment(
    username: str, course_id: str, mode: str | None = None, is_active: bool | None = None
) -> dict[str, Any] | None:
    row = get_course_enrollment(username, course_id)
    if row is not None:
        given = {"mode": mode, "is_active": is_active}
        row.update({name: value for name, value in given.items() if value is not None})
    return row


def get_course_enrollment_info(course_id: str, include_expired: bool = False) -> dict[str, Any]:
    for course in _courses:
        if course["course_id"] == course_id:
            offered = [mode for mode in course["course_modes"] if include_expired or mode["slug"] not in _expired_modes]
            return {**course, "course_modes": offered}
    raise CourseNotFoundError(f"No course {course_id} found.")


def add_or_update_enrollment_attr(username: str, course_id: str, attributes: list[dict[str, str]]) -> None:
    _attributes[:] = [row for row in _attributes if row["of"] != (username, course_id)]
    _attributes.extend({"of": (username, course_id), **attribute} for attribute in attributes)


def get_enrollment_attributes(username: str, course_id: str) -> list[dict[str, str]]:
    mine = [row for row in _attributes if row["of"] == (username, course_id)]
    return [{part: row[part] for part in ("namespace", "name", "value")} for row in mine]


def unenroll_user_from_all_courses(username: str) -> set[str]:
    mine = get_course_enrollments(username, include_inactive=True)
    for row in mine:
        row["is_active"] = False
    return {row["course"]["course_id"].partition("+")[0].removeprefix("course-v1:") for row in mine}


def get_user_roles(username: str) -> list[Role]:
    return []


def serialize_enrollments(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(rows)


def add_course(
    course_id: str,
    enrollment_start: Any = None,
    enrollment_end: Any = None,
    invite_only: bool = False,
    course_modes: tuple[str, ...] = ("honor",),
) -> dict[str, Any]:
    """Let there be a course that offers these modes, given by slug."""
    course = {
        "course_id": course_id,
        "enrollment_start": enrollment_start,
        "enrollment_end": enrollment_end,
        "invite_only": invite_only,
        "course_modes": [{"slug": slug, "min_price": 0} for slug in course_modes],
    }
    _courses.append(course)
    return course


def add_enrollment(username: str, course_id: str, is_active: bool = True, mode: str = "honor") -> dict[str, Any]:
    """Let somebody be enrolled. The course stands under `course`, as in the oldest examples of the API."""
    row = {
        "created": "2026-03-01T10:15:30Z",
        "mode": mode,
        "is_active": is_active,
        "course": get_course_enrollment_info(course_id, include_expired=True),
        "user": username,
    }
    _enrollments.append(row)
    return row


def set_expired_mode(mode: str) -> None:
    """Let the mode be expired in every course."""
    _expired_modes.add(mode)


def reset() -> None:
    """Forget everything."""
    for store in (_courses, _enrollments, _attributes, _expired_modes):
        store.clear()
