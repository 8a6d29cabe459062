"""What exam systems ask about enrollments: one object, as Open edX's proctoring libraries know it."""

from django.contrib.auth import get_user_model
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Contains
from opaque_keys.edx.keys import CourseKey

from enrollment import api, ports
from enrollment.api.enrollments import modes_for_proctoring
from enrollment.keys import course_id_of
from enrollment.models import CourseEnrollment
from enrollment.querysets import CourseEnrollmentQuerySet

__all__ = ["EnrollmentsService"]


class EnrollmentsService:
    """Enrollments of whole courses, and who may take their proctored exams."""

    def get_active_enrollments_by_course(self, course_id: str | CourseKey) -> CourseEnrollmentQuerySet:
        """Return the active enrollments of a course, to be paged by the caller.

        Raises:
            InvalidCourseKeyError
        """
        rows: CourseEnrollmentQuerySet = CourseEnrollment.objects.in_course(course_id_of(course_id)).active()
        return rows

    def get_active_enrollments_by_course_and_user(
        self, course_id: str | CourseKey, user_id: int
    ) -> CourseEnrollment | None:
        """Return a user's active enrollment in a course, or None.

        Raises:
            InvalidCourseKeyError
            AssertionError: no user has this id.
        """
        row: CourseEnrollment | None = (
            self.get_active_enrollments_by_course(course_id).filter(user_id=user_id).select_related("user").first()
        )
        if row is None and not get_user_model()._default_manager.filter(pk=user_id).exists():
            raise AssertionError(f"There is no user {user_id}.")
        return row

    def get_enrollments_can_take_proctored_exams(
        self, course_id: str | CourseKey, text_search: str | None = None
    ) -> CourseEnrollmentQuerySet | None:
        """Return the active enrollments whose mode entitles to proctored exams, by user; None if the course has none.

        The course is looked up at once, the rows when they are used: in one query, with their users.

        Args:
            course_id: the course.
            text_search: part of a username or e-mail address, in whatever case.

        Raises:
            InvalidCourseKeyError
        """
        course = ports.courses().get(course_id_of(course_id))
        if course is None or not course.enable_proctored_exams:
            return None
        rows = self.get_active_enrollments_by_course(course.id).filter(mode__in=modes_for_proctoring(course))
        if text_search:
            rows = rows.filter(_mentioned("user__username", text_search) | _mentioned("user__email", text_search))
        found: CourseEnrollmentQuerySet = rows.select_related("user").order_by("user_id")
        return found

    def is_enrollment_valid_for_proctoring(self, username: str, course_id: str | CourseKey) -> bool:
        """Return whether the learner's enrollment entitles to proctored exams in the course.

        Raises:
            InvalidCourseKeyError
        """
        return api.is_enrollment_valid_for_proctoring(username, course_id)


def _mentioned(field: str, text: str) -> Q:
    # `icontains` follows the collation on MariaDB, which tells case apart here.
    return Q(Contains(Lower(field), Lower(Value(text))))
