"""Who may enroll in a course (enrollment contract 5.1). Pure: what is asked of tables, the caller has asked."""

from collections.abc import Callable

from enrollment.conf import conf


def may_enroll(
    *,
    is_invitation_valid: bool | None,
    is_invitation_only: bool,
    is_open: Callable[[], bool],
    is_staff: Callable[[], bool],
) -> bool:
    """Return whether an invitation, a role or the course's own openness lets a learner in.

    What is asked by a call is asked only if the answer depends on it.

    Args:
        is_invitation_valid: whether the learner's invitation is still theirs to use; None if they have none.
        is_invitation_only: whether the course takes invited learners only.
        is_open: whether enrollment is open just now.
        is_staff: whether the learner is staff of the course, or everywhere.
    """
    if is_invitation_valid is not None:
        if conf.DISABLE_ALLOWED_ENROLLMENT_IF_ENROLLMENT_CLOSED and not is_open():
            return is_invitation_valid and is_staff()
        return is_invitation_valid
    is_for_all = not (is_invitation_only or conf.COURSES_INVITE_ONLY)
    return (is_for_all and is_open()) or is_staff()
