"""Named errors of the enrollment app (enrollment contract 9).

Two trees: `CourseEnrollmentError` is what `enrollment.api` raises; `CourseEnrollmentException` is what
the operations on `CourseEnrollment` raise, which the default data backend translates.
"""

from typing import Any

from coursecredit.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, TooLarge


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

    def __init__(self, path: str | None = None, **members: Any) -> None:
        """Take the module's dotted path as `.data`: it does not concern clients, who read the message."""
        super().__init__(None, data=path, **members)


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


class EnrollmentPreventedError(CourseEnrollmentError):
    """This site prevented the request before it changed anything."""

    code = "prevented"


class CohortNotFoundError(CourseEnrollmentError):
    """The course has no such cohort."""

    code = "cohort_not_found"


class RolesUnreadableError(CourseEnrollmentError):
    """The roles could not be read."""

    code = "roles_unreadable"


class InvalidEmail(Invalid):
    """An e-mail address is required, of at most 255 characters."""

    code = "invalid_email"


class InvitationExists(Conflict):
    """This address is invited to this course already."""

    code = "invitation_exists"


class InvitationNotFound(NotFound):
    """This address is not invited to this course."""

    code = "invitation_not_found"


class RetirementMissing(NotFound):
    """Nobody has asked to remove an account of this name."""

    code = "retirement_not_found"


class RetirementNotInProgress(Conflict):
    """The removal of this account has not begun, has failed, or is over."""

    code = "retirement_not_in_progress"


class InvalidCursor(Invalid):
    """A page is found by the `next` or `previous` of another one, and by nothing else."""

    code = "invalid_cursor"


class EnrollmentModeMismatchError(Invalid):
    """Enrollment mode mismatch: an enrollment is not deactivated and moved to another mode in one step."""

    code = "mode_mismatch"


class EnrollmentAttributesMissingError(Invalid):
    """The mode needs enrollment attributes that are missing."""

    code = "attributes_missing"


class InvalidCourseKeyError(Invalid, ValueError):
    """Not a course key: expected course-v1:ORG+COURSE+RUN or ORG/COURSE/RUN."""

    code = "invalid_course_id"


class MalformedItemError(Invalid):
    """This item is not well formed: it has to be an object with texts, a truth value and attributes, or null."""

    code = "malformed_item"


class CourseIdMissingError(Invalid):
    """No course is named: give its key as `course_id`."""

    code = "course_id_missing"


class TargetMissingError(UserNotFoundError):
    """Nobody is named: give a `username` or an `email`."""

    code = "target_missing"


class InvalidActivationError(Invalid):
    """`is_active` must be true, false or null."""

    code = "invalid_is_active"


class EmbargoedError(NotAllowed):
    """Learners in this location cannot enroll in this course."""

    code = "embargoed"


class TooManyItemsError(Invalid):
    """These are too many items: send up to 1,000 in one call."""

    code = "too_many_items"


class DryRunImpossibleError(Invalid):
    """This site keeps its enrollments where nothing can be tried without being done: a dry run is not possible."""

    code = "dry_run_impossible"


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


class UnknownJobKind(Invalid):
    """There are no jobs of this kind."""

    code = "unknown_job_kind"


class InvalidJob(Invalid):
    """A parameter is unknown or wrong, or a column is missing."""

    code = "invalid_job"


class UnreadableJobFile(Invalid):
    """The file cannot be read as a whole, so nothing of it is applied. The text says why, and in which line."""

    code = "unreadable_file"


class JobFileTooLarge(TooLarge):
    """The file is too large; split it."""

    code = "file_too_large"


class JobNotFound(NotFound):
    """There is no such job."""

    code = "job_not_found"


class JobOver(Conflict):
    """The job is over already."""

    code = "job_over"


class JobNotOver(Conflict):
    """The job has no result yet: it is still waiting or running."""

    code = "job_not_over"


class JobFilePurged(NotFound):
    """The job's files have been deleted."""

    code = "file_purged"
