"""Enrollments that staff change by hand: as any other change, and on record with who did it and why."""

from opaque_keys.edx.keys import CourseKey

from coursecredit.transactions import retried_atomic
from enrollment.api.enrollments import update_enrollment
from enrollment.choices import StateTransition
from enrollment.errors import EnrollmentNotFoundError
from enrollment.keys import course_id_of
from enrollment.models import CourseEnrollment, ManualEnrollmentAudit

TRANSITIONS = {
    (True, True): StateTransition.ENROLLED_TO_ENROLLED,
    (True, False): StateTransition.ENROLLED_TO_UNENROLLED,
    (False, True): StateTransition.UNENROLLED_TO_ENROLLED,
    (False, False): StateTransition.UNENROLLED_TO_UNENROLLED,
}
"""What becomes of being active, to what the record says of it."""


@retried_atomic
def change_enrollment_by_hand(
    username: str,
    course_id: str | CourseKey,
    *,
    reason: str,
    changed_by: int,
    mode: str | None = None,
    is_active: bool | None = None,
) -> bool:
    """Change an enrollment for a member of staff and record it; return whether anything changed. No access is checked.

    Args:
        reason: why, for those who read the records later.
        changed_by: id of the user who does it.
        mode: the new mode, which the course has to offer just now; None leaves it.
        is_active: whether the learner is to be enrolled; None leaves it.

    Raises:
        InvalidCourseKeyError, EnrollmentNotFoundError
        CourseNotFoundError, CourseModeNotFoundError: only if the mode is another.
        UnenrollmentNotAllowedError: a hook keeps the learner.
    """
    course_id = course_id_of(course_id)
    row = CourseEnrollment.objects.of_username(username, course_id).select_for_update().first()
    if row is None:
        raise EnrollmentNotFoundError
    was_active = row.is_active
    new_mode = None if mode == row.mode else mode
    new_state = None if is_active == was_active else is_active
    if new_mode is None and new_state is None:
        return False

    update_enrollment(username, course_id, mode=new_mode, is_active=new_state)
    ManualEnrollmentAudit.objects.create(
        enrollment=row,
        enrolled_by_id=changed_by,
        enrolled_email=row.user.email,
        state_transition=TRANSITIONS[was_active, was_active if new_state is None else new_state],
        reason=reason,
    )
    return True
