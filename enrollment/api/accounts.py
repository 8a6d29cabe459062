"""Whom a request is about, and who may see or enroll them: questions that endpoints ask before they act."""

from django.contrib.auth import get_user_model
from opaque_keys.edx.keys import CourseKey

from enrollment import ports
from enrollment.api.enrollments import get_enrollments
from enrollment.choices import COURSE_STAFF_ROLES
from enrollment.errors import UserNotFoundError
from enrollment.keys import course_id_of
from enrollment.querysets import with_address
from enrollment.types import Account, EnrollmentDict


def get_account(username: str) -> Account:
    """Return the account with this username, active or not.

    Raises:
        UserNotFoundError
    """
    user: Account | None = get_user_model()._default_manager.filter(username=username).first()
    if user is None:
        raise UserNotFoundError(f"The user {username} does not exist.")
    return user


def get_account_by_email(email: str) -> Account:
    """Return the one account with this e-mail address, without regard to case.

    Raises:
        UserNotFoundError: none has it, or several.
    """
    users: list[Account] = list(with_address(get_user_model()._default_manager.all(), "email", email)[:2])
    if not users:
        raise UserNotFoundError("There is no user with this e-mail address.")
    if len(users) > 1:
        raise UserNotFoundError("Several users have this e-mail address: name one in `user`.")
    return users[0]


def get_enrollments_seen_by(staff: Account, username: str) -> list[EnrollmentDict]:
    """Return a learner's active enrollments in those courses of which somebody is staff; of a whole organisation's
    staff nothing follows, nor from an account that is switched off.
    """
    if not staff.is_active:
        return []
    courses = {course_id for _, course_id, role in ports.roles().roles_for(staff) if role in COURSE_STAFF_ROLES}
    courses.discard(None)
    if not courses:
        return []
    return [
        enrollment
        for enrollment in get_enrollments(username)
        if enrollment["course_details"] is not None and enrollment["course_details"]["course_id"] in courses
    ]


def find_embargo(user: Account, course_id: str | CourseKey, *, ip: str, path: str) -> str | None:
    """Return the path of a page that explains why a learner is kept out of a course where they are, or None.

    Staff of the site or of the course are never kept out.

    Args:
        ip: the learner's address, "" if unknown.
        path: what was called.

    Raises:
        InvalidCourseKeyError
    """
    course_id = course_id_of(course_id)
    explanation = ports.embargo().check(user, course_id, ip, path)
    if explanation is None:
        return None
    roles = ports.roles()
    return None if roles.is_global_staff(user) or roles.is_course_staff(user, course_id) else explanation
