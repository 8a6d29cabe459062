"""Words that are stored or go over the wire, so they never change (program enrollments contract 3).

A group offers `ALL` its words, those that are `OK`, those that are `ERRORS`, and those that count as `ACTIVE`.
"""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = tuple[str, ...]
Choices = list[tuple[str, Promise]]


class ProgramEnrollmentStatuses:
    """Labels of a learner's place in a program. Any may follow any other, and none changes anything else."""

    ENROLLED: Final = "enrolled"
    PENDING: Final = "pending"
    SUSPENDED: Final = "suspended"
    CANCELED: Final = "canceled"
    ENDED: Final = "ended"

    ALL: Words = (ENROLLED, PENDING, SUSPENDED, CANCELED, ENDED)
    OK: Words = ALL
    ERRORS: Words = ()
    ACTIVE: Words = (ENROLLED, PENDING)
    CHOICES: Choices = [
        (ENROLLED, _("Enrolled")),
        (PENDING, _("Pending")),
        (SUSPENDED, _("Suspended")),
        (CANCELED, _("Canceled")),
        (ENDED, _("Ended")),
    ]


class ProgramCourseEnrollmentStatuses:
    """Whether a learner takes a course run through a program. `ACTIVE` is the word, the only one of its group."""

    ACTIVE: Final = "active"
    INACTIVE: Final = "inactive"

    ALL: Words = (ACTIVE, INACTIVE)
    OK: Words = ALL
    ERRORS: Words = ()
    CHOICES: Choices = [(ACTIVE, _("Active")), (INACTIVE, _("Inactive"))]


class _OperationErrors:
    """Why nothing was written for one student of a request."""

    DUPLICATED: Final = "duplicated"
    """The key stands in the request more than once."""
    INVALID_STATUS: Final = "invalid-status"
    CONFLICT: Final = "conflict"
    """It is there already, or the run is taken through another program."""
    ILLEGAL_OPERATION: Final = "illegal-operation"
    NOT_IN_PROGRAM: Final = "not-in-program"
    INTERNAL_ERROR: Final = "internal-error"

    ERRORS: Words = (DUPLICATED, INVALID_STATUS, CONFLICT, ILLEGAL_OPERATION, NOT_IN_PROGRAM, INTERNAL_ERROR)


class ProgramOperationStatuses(_OperationErrors, ProgramEnrollmentStatuses):
    """What became of each student of a request about a program."""

    ALL: Words = (*ProgramEnrollmentStatuses.OK, *_OperationErrors.ERRORS)


class ProgramCourseOperationStatuses(_OperationErrors, ProgramCourseEnrollmentStatuses):
    """What became of each student of a request about a course run of a program."""

    NOT_FOUND: Final = "not-found"
    """The student does not take the run through the program, and the request was not to make them."""

    ERRORS: Words = (NOT_FOUND, *_OperationErrors.ERRORS)
    ALL: Words = (*ProgramCourseEnrollmentStatuses.OK, *ERRORS)


class CourseRunProgressStatuses:
    """How far a learner is in a course run."""

    IN_PROGRESS: Final = "in_progress"
    UPCOMING: Final = "upcoming"
    COMPLETED: Final = "completed"

    ALL: Words = (IN_PROGRESS, UPCOMING, COMPLETED)


STAFF_ROLE: Final = "staff"
"""The one role on a course run that a registrar gives."""

ROLE_CHOICES: Choices = [(STAFF_ROLE, _("Staff"))]

# The names under which older code knows them.
ProgramResponseStatuses = ProgramEnrollmentResponseStatuses = ProgramOperationStatuses
ProgramCourseResponseStatuses = CourseEnrollmentResponseStatuses = ProgramCourseOperationStatuses
