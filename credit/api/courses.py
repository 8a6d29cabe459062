"""Courses with a credit row, as staff see and change them: enabled or not."""

from opaque_keys.edx.keys import CourseKey

from coursecredit.transactions import retried_atomic
from credit.exceptions import CreditCourseExists, CreditCourseNotFound
from credit.models import CreditCourse
from credit.types import CreditCourseDict


def list_credit_courses() -> list[CreditCourseDict]:
    """Return every row, by key."""
    return [_as_dict(course) for course in CreditCourse.objects.order_by("course_key")]


def get_credit_course_row(course_key: CourseKey) -> CreditCourseDict | None:
    """Return the course's row, enabled or not, or None."""
    course = CreditCourse.objects.filter(course_key=course_key).first()
    return None if course is None else _as_dict(course)


@retried_atomic
def create_credit_course(course_key: CourseKey, *, enabled: bool = False) -> CreditCourseDict:
    """Add a course.

    Raises:
        CreditCourseExists: there is a row already; it stays as it is.
    """
    course, created = CreditCourse.objects.get_or_create(course_key=course_key, defaults={"enabled": enabled})
    if not created:
        raise CreditCourseExists
    return _as_dict(course)


@retried_atomic
def put_credit_course(course_key: CourseKey, *, enabled: bool | None) -> tuple[CreditCourseDict, bool]:
    """Add a course, or change it; return it and whether it is new. None changes nothing, and adds it disabled."""
    rows = CreditCourse.objects.locked()
    course, created = rows.get_or_create(course_key=course_key, defaults={"enabled": bool(enabled)})
    return (_as_dict(course) if created else _enable(course, enabled)), created


@retried_atomic
def update_credit_course(course_key: CourseKey, *, enabled: bool | None) -> CreditCourseDict:
    """Change a course; None changes nothing.

    Raises:
        CreditCourseNotFound: there is no row.
    """
    course = CreditCourse.objects.locked().filter(course_key=course_key).first()
    if course is None:
        raise CreditCourseNotFound
    return _enable(course, enabled)


def _enable(course: CreditCourse, enabled: bool | None) -> CreditCourseDict:
    if enabled is not None and enabled != course.enabled:
        course.enabled = enabled
        course.save(update_fields=["enabled"])
    return _as_dict(course)


def _as_dict(course: CreditCourse) -> CreditCourseDict:
    return {"course_key": str(course.course_key), "enabled": course.enabled}
