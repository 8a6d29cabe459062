"""Named errors of the enrollment app (enrollment contract 9).

Two trees: `CourseEnrollmentError` is what `enrollment.api` raises; `CourseEnrollmentException` is what
the operations on `CourseEnrollment` raise, which the default data backend translates.
"""

from typing import Any

from coursecredit.errors import Conflict, DomainError, Invalid, NotAllowed


class CourseEnrollmentError(Invalid):
    """The enrollment could not be read or changed."""

    code = "enrollment_error"

    def __init__(self, message: str | None = None, data: Any = None, **members: Any) -> None:
        """Take a message for people and, as `.data`, what a caller needs to act on the error."""
        super().__init__(message, **members)
        self.data = data


class UserNotFoundError(CourseEnrollmentError):
    """There is no such user."""

    code = "user_not_found"


class RetiredNameInUse(Conflict):
    """An account has the name that is to stand in the place of a person's."""

    code = "retired_name_in_use"


class CourseNotFoundError(CourseEnrollmentError):
    """There is no such course."""

    code = "course_not_found"


class CourseEnrollmentClosedError(CourseEnrollmentError):
    """Enrollment in this course is closed for the learner."""

    code = "enrollment_closed"


class CourseEnrollmentFullError(CourseEnrollmentError):
    """The course is full."""

    code = "course_full"


class CourseEnrollmentExistsError(CourseEnrollmentError):
    """The learner is enrolled already."""

    code = "enrollment_exists"

    def __init__(self, message: str | None = None, enrollment: Any = None, **members: Any) -> None:
        """Take the current record as `.enrollment`."""
        super().__init__(message, **members)
        self.enrollment = enrollment


class CourseModeNotFoundError(CourseEnrollmentError):
    """The course does not offer this mode. `.data` is what it does offer, as the data backend tells it."""

    code = "mode_unavailable"


class EnrollmentNotFoundError(CourseEnrollmentError):
    """The learner has no enrollment in this course."""

    code = "enrollment_not_found"


class EnrollmentApiLoadError(CourseEnrollmentError):
    """The module that stores enrollments could not be loaded."""

    code = "backend_unavailable"


class InvalidEnrollmentAttribute(CourseEnrollmentError):
    """An enrollment attribute is not well formed."""

    code = "attribute_invalid"


class InvalidCourseRole(CourseEnrollmentError):
    """A role needs a name, and either a course or an organisation; names have at most 64 characters."""

    code = "invalid_course_role"


class EnrollmentNotAllowedError(NotAllowed, CourseEnrollmentError):
    """This site does not allow the enrollment."""

    code = "enrollment_not_allowed"


class UnenrollmentNotAllowedError(EnrollmentNotAllowedError):
    """This site does not allow the learner to leave."""

    code = "unenrollment_not_allowed"


class EnrollmentModeMismatchError(Invalid):
    """Enrollment mode mismatch: an enrollment is not deactivated and moved to another mode in one step."""

    code = "mode_mismatch"


class EnrollmentAttributesMissingError(Invalid):
    """The mode needs enrollment attributes that are missing."""

    code = "attributes_missing"


class InvalidCourseKeyError(Invalid, ValueError):
    """Not a course key: expected course-v1:ORG+COURSE+RUN or ORG/COURSE/RUN."""

    code = "invalid_course_id"


class CourseEnrollmentException(DomainError):
    """An operation on an enrollment was refused."""


class NonExistentCourseError(CourseEnrollmentException):
    """There is no such course."""


class EnrollmentClosedError(CourseEnrollmentException):
    """Enrollment in this course is closed for the learner."""


class CourseFullError(CourseEnrollmentException):
    """The course is full."""


class AlreadyEnrolledError(CourseEnrollmentException):
    """The learner is enrolled already."""


class EnrollmentNotAllowed(CourseEnrollmentException):
    """This site does not allow the enrollment."""


class UnenrollmentNotAllowed(CourseEnrollmentException):
    """This site does not allow the learner to leave."""
