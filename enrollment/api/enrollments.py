"""Who is enrolled where: reading and changing."""

import logging
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from opaque_keys.edx.keys import CourseKey

from enrollment import ports
from enrollment.api.attributes import require_attributes
from enrollment.api.courses import mode_to_enroll_in, require_mode
from enrollment.api.storage import decided_again_if_overtaken, hold, in_one_transaction
from enrollment.choices import PROCTORED_MODES, VERIFIED_MODES, ModeSlug
from enrollment.conf import conf
from enrollment.errors import CourseEnrollmentExistsError, EnrollmentNotFoundError
from enrollment.keys import course_id_of
from enrollment.ports import HeldEnrollment, data_api
from enrollment.types import AttributeDict, EnrollmentDict, Role

log = logging.getLogger(__name__)


def get_enrollments(username: str, include_inactive: bool = False) -> list[EnrollmentDict]:
    """Return a learner's enrollments, oldest first; [] for an unknown user.

    Those in courses that are gone are left out.
    """
    options: dict[str, Any] = {"include_inactive": True} if include_inactive else {}
    return data_api().get_course_enrollments(username, **options)


def get_verified_enrollments(username: str, include_inactive: bool = False) -> list[EnrollmentDict]:
    """Return the learner's enrollments in modes that verify who learns, oldest first."""
    return [
        enrollment for enrollment in get_enrollments(username, include_inactive) if enrollment["mode"] in VERIFIED_MODES
    ]


def get_enrollment(username: str, course_id: str | CourseKey) -> EnrollmentDict | None:
    """Return a learner's enrollment in a course, active or not, or None; None as well for an unknown user.

    Raises:
        InvalidCourseKeyError
    """
    return data_api().get_course_enrollment(username, course_id_of(course_id))


def add_enrollment(
    username: str,
    course_id: str | CourseKey,
    mode: str | None = None,
    is_active: bool | None = True,
    enrollment_attributes: list[AttributeDict] | None = None,
    enterprise_uuid: str | None = None,
    force_enrollment: bool = False,
    include_expired: bool = False,
) -> EnrollmentDict:
    """Enroll a learner, or enroll again one who had left, and return the enrollment.

    All of it happens or nothing. What is stored answers a repeated call, whatever has become of the course meanwhile:
    an active enrollment with an error if the mode is the same or none is named, an inactive one with itself if the
    mode is the same and it is to stay inactive.

    Args:
        mode: None takes the mode for learners who name none, never a paid one.
        is_active: False stores the mode without using it.
        enrollment_attributes: replace those that there are; None leaves them.
        enterprise_uuid: for analytics.
        force_enrollment: let in although enrollment is closed; never into a full course.
        include_expired: accept a mode whose deadline is past.

    Raises:
        InvalidCourseKeyError, InvalidEnrollmentAttribute
        CourseEnrollmentExistsError: the learner is enrolled; `.enrollment` is the current record.
        CourseNotFoundError, CourseModeNotFoundError, UserNotFoundError, EnrollmentNotAllowedError,
        CourseEnrollmentClosedError, CourseEnrollmentFullError
    """
    course_id = course_id_of(course_id)
    if enrollment_attributes is not None:
        require_attributes(enrollment_attributes)
    is_active = is_active is not False
    expired_will_do = include_expired or not is_active

    def added(held: HeldEnrollment) -> EnrollmentDict:
        current = held.read()
        _refuse_repeat(current, mode)
        enrollment = None if is_active else _left_in(current, mode)
        if enrollment is not None:
            return enrollment
        chosen = mode_to_enroll_in(held.course_info, course_id, mode, include_expired=expired_will_do)
        return held.create(chosen, is_active, enterprise_uuid, force_enrollment)

    @in_one_transaction
    def add() -> EnrollmentDict:
        held = hold(username, course_id)
        enrollment = decided_again_if_overtaken(partial(added, held))
        if enrollment_attributes is not None:
            held.set_attributes(enrollment_attributes)
        return enrollment

    return add()


def update_enrollment(
    username: str,
    course_id: str | CourseKey,
    mode: str | None = None,
    is_active: bool | None = None,
    enrollment_attributes: list[AttributeDict] | None = None,
    include_expired: bool = False,
) -> EnrollmentDict:
    """Change what is given of an enrollment and return it; access is not checked. All of it happens or nothing.

    Args:
        mode: None leaves it.
        is_active: None leaves it; with False also an expired mode is accepted.
        enrollment_attributes: replace those that there are; None leaves them.
        include_expired: accept a mode whose deadline is past.

    Raises:
        InvalidCourseKeyError, InvalidEnrollmentAttribute
        CourseNotFoundError, CourseModeNotFoundError: only if a mode is given.
        UserNotFoundError, EnrollmentNotFoundError
        UnenrollmentNotAllowedError: a hook keeps the learner.
    """
    course_id = course_id_of(course_id)
    if enrollment_attributes is not None:
        require_attributes(enrollment_attributes)

    @in_one_transaction
    def update() -> EnrollmentDict:
        held = hold(username, course_id)
        if mode is not None:
            expired_will_do = include_expired or is_active is False
            require_mode(held.course_info, course_id, mode, include_expired=expired_will_do)
        enrollment = held.update(mode, is_active)
        if enrollment is None:
            raise EnrollmentNotFoundError
        if enrollment_attributes is not None:
            held.set_attributes(enrollment_attributes)
        return enrollment

    return update()


@in_one_transaction
def unenroll_user_from_all_courses(username: str) -> Collection[str]:
    """End every active enrollment of a learner, all or none; no hook is asked.

    Returns:
        The organisations of all the learner's courses, each once, those left earlier included.

    Raises:
        UserNotFoundError
    """
    return data_api().unenroll_user_from_all_courses(username)


def get_user_roles(username: str) -> Collection[Role]:
    """Return the user's roles on courses and organisations.

    Raises:
        UserNotFoundError
    """
    return data_api().get_user_roles(username)


def serialize_enrollments(enrollments: Iterable[Any]) -> list[EnrollmentDict]:
    """Return enrollment dicts for rows of the data backend, in their order."""
    return data_api().serialize_enrollments(enrollments)


def is_enrollment_valid_for_proctoring(username: str, course_id: str | CourseKey) -> bool:
    """Return whether the learner's enrollment entitles to proctored exams in the course.

    Raises:
        InvalidCourseKeyError
    """
    course_id = course_id_of(course_id)
    if not conf.ENABLE_SPECIAL_EXAMS:
        return False
    enrollment = data_api().get_course_enrollment(username, course_id)
    if enrollment is None or not enrollment["is_active"]:
        return False
    course = ports.courses().get(course_id)
    if course is None or not course.enable_proctored_exams:
        return False
    return enrollment["mode"] in modes_for_proctoring(course)


def modes_for_proctoring(course: ports.CourseLike) -> frozenset[str]:
    """Return the modes that entitle to proctored exams in a course that has them."""
    options = conf.PROCTORING_BACKENDS.get(course.proctoring_provider or "", {})
    return PROCTORED_MODES | {ModeSlug.HONOR} if options.get("allow_honor_mode") else PROCTORED_MODES


def _refuse_repeat(current: EnrollmentDict | None, mode: str | None) -> None:
    # A backend may answer with other keys than ours; then it refuses repeats itself.
    if current is not None and current.get("is_active") and mode in (None, current.get("mode")):
        raise CourseEnrollmentExistsError(enrollment=current)


def _left_in(current: EnrollmentDict | None, mode: str | None) -> EnrollmentDict | None:
    """Return the record if it is inactive in this very mode: there is nothing to store."""
    if current is None or current.get("is_active") is not False or current.get("mode") != mode:
        return None
    return current
