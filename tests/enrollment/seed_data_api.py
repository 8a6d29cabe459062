"""A data backend as it was written for the first version of the API: five functions, few parameters."""

from typing import Any

from enrollment.errors import CourseNotFoundError

COURSE = "edX/DemoX/2014T2"
rows: dict[tuple[str, str], dict[str, Any]] = {}


def get_course_enrollments(user_id):
    return [row for (name, _), row in rows.items() if name == user_id]


def get_course_enrollment(user_id, course_id):
    return rows.get((user_id, course_id))


def create_course_enrollment(user_id, course_id, mode, is_active):
    return rows.setdefault((user_id, course_id), {"student": user_id, "track": mode, "enrolled": is_active})


def update_course_enrollment(user_id, course_id, mode=None, is_active=None):
    row = rows.get((user_id, course_id))
    if row is not None:
        row.update(track=mode or row["track"], enrolled=row["enrolled"] if is_active is None else is_active)
    return row


def get_course_enrollment_info(course_id, include_expired=False):
    if course_id != COURSE:
        raise CourseNotFoundError
    return {"course_id": COURSE, "course_modes": [{"slug": "honor"}, {"slug": "verified"}]}
