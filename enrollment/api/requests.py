"""Requests for enrollments, by learners, staff and trusted servers: one call, one answer, one transaction."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from opaque_keys.edx.keys import CourseKey

from enrollment import ports
from enrollment.api.accounts import get_account
from enrollment.api.attributes import require_attributes
from enrollment.api.courses import mode_to_enroll_in, require_mode
from enrollment.api.storage import decided_again_if_overtaken, hold, in_one_transaction
from enrollment.conf import conf
from enrollment.errors import (
    CohortNotFoundError,
    CourseEnrollmentExistsError,
    CourseNotFoundError,
    EnrollmentNotFoundError,
    EnrollmentPreventedError,
)
from enrollment.keys import course_id_of, parse_course_key
from enrollment.state_machine import Action, Decision, ModeCheck, Stored, decide
from enrollment.types import AttributeDict, EnrollmentDict


def request_enrollment(
    username: str,
    course_id: str | CourseKey,
    *,
    mode: str | None = None,
    is_active: bool | None = None,
    enrollment_attributes: list[AttributeDict] | None = None,
    cohort: str | None = None,
    email_opt_in: bool | None = None,
    enterprise_uuid: str | None = None,
    privileged: bool = False,
    server_request: bool = False,
    force_enrollment: bool = False,
) -> EnrollmentDict:
    """Do what a request for an enrollment means (`enrollment.state_machine`), and return the enrollment.

    All of it happens or nothing: the enrollment, its attributes, the cohort, the answer to mail, and what is told. It
    is decided under the enrollment's lock where the data backend can lock. A repeated request gets the first answer,
    whatever has become of the course meanwhile; a privileged one still leaves its attributes, cohort and answer.

    Args:
        mode: None leaves the mode of an enrollment that stays, and chooses one, never a paid one, for who gets in.
        is_active: None is True for who gets in, and leaves the rest as it is.
        enrollment_attributes: replace those that there are; None leaves them.
        cohort: the name of a group of the course, to put the learner in.
        email_opt_in: the learner's answer to mail from the course's organisation.
        enterprise_uuid: for analytics.
        privileged: the caller is a trusted server or global staff.
        server_request: the caller is a trusted server: enrollments may move to expired modes.
        force_enrollment: global staff ask to pass over closed enrollment and expired modes; never over a full course.

    Raises:
        InvalidCourseKeyError, InvalidEnrollmentAttribute
        EnrollmentModeMismatchError: an active enrollment would leave and move to another mode in one step.
        EnrollmentAttributesMissingError: the mode needs attributes that are not among those given.
        CourseNotFoundError, CourseModeNotFoundError, UserNotFoundError
        CourseEnrollmentClosedError, CourseEnrollmentFullError
        EnrollmentNotAllowedError, UnenrollmentNotAllowedError: a hook keeps the learner out, or in.
        CohortNotFoundError
    """
    course_id = course_id_of(course_id)
    if enrollment_attributes is not None:
        require_attributes(enrollment_attributes)

    def settled(held: ports.HeldEnrollment) -> tuple[EnrollmentDict, bool]:
        current = held.read()
        decision = decide(
            _stored(current),
            mode=mode,
            is_active=is_active,
            privileged=privileged,
            server_request=server_request,
            force=force_enrollment,
            attributes=enrollment_attributes,
            strict_attributes=conf.STRICT_MODE_ATTRIBUTES,
        )
        create = partial(held.create, enterprise_uuid=enterprise_uuid, force_enrollment=force_enrollment)
        return _applied(decision, held, current, course_id, mode, create), decision.takes_extras

    @in_one_transaction
    def answer() -> EnrollmentDict:
        held = hold(username, course_id)
        try:
            enrollment, takes_extras = decided_again_if_overtaken(partial(settled, held))
        except CourseEnrollmentExistsError as exc:
            enrollment, takes_extras = exc.enrollment, privileged
        if takes_extras:
            if enrollment_attributes is not None:
                held.set_attributes(enrollment_attributes)
            _store_preferences(username, course_id, cohort, email_opt_in)
        return enrollment

    return answer()


def ask_pre_enroll_hooks(
    username: str, course_id: str | CourseKey, *, is_server_request: bool, data: Mapping[str, Any]
) -> None:
    """Let the site's hooks see a request before it changes anything; to be called outside of any transaction.

    Args:
        is_server_request: the caller is a trusted server.
        data: the request's body.

    Raises:
        InvalidCourseKeyError, UserNotFoundError
        EnrollmentPreventedError: a hook prevented it; its text is the message.
    """
    course_id = course_id_of(course_id)
    hooks = ports.pre_enroll_hooks()
    if not hooks:
        return
    user = get_account(username)
    for hook in hooks:
        try:
            hook.before_request(user, course_id, is_server_request, data)
        except ports.PreventEnrollment as exc:
            raise EnrollmentPreventedError(str(exc)) from exc


def _stored(current: EnrollmentDict | None) -> Stored | None:
    # A backend may answer with other keys than ours; then it decides itself what a repeat means.
    if current is None or "mode" not in current or "is_active" not in current:
        return None
    return Stored(current["mode"], current["is_active"])


def _applied(
    decision: Decision,
    held: ports.HeldEnrollment,
    current: EnrollmentDict | None,
    course_id: str,
    mode: str | None,
    create: Callable[[str, bool], EnrollmentDict],
) -> EnrollmentDict:
    """Do what is decided, and return the enrollment as it is then."""
    expired_will_do = decision.mode_check is ModeCheck.EXPIRED_TOO
    if decision.action is Action.ADD:
        try:
            chosen = mode_to_enroll_in(held.course_info, course_id, mode, include_expired=expired_will_do)
        except CourseNotFoundError:
            if current is None or mode is not None or decision.is_active:
                raise
            return current  # who stays away repeats that, and no course says any more which mode is meant
        return create(chosen, decision.is_active is True)

    if mode is not None and decision.mode_check is not ModeCheck.ANY:
        require_mode(held.course_info, course_id, mode, include_expired=expired_will_do)
    enrollment = current if decision.action is Action.KEEP else held.update(decision.mode, decision.is_active)
    if enrollment is None:
        raise EnrollmentNotFoundError
    return enrollment


def _store_preferences(username: str, course_id: str, cohort: str | None, email_opt_in: bool | None) -> None:
    if cohort is None and email_opt_in is None:
        return
    user = get_account(username)
    if cohort is not None:
        try:
            ports.cohorts().add(user, course_id, cohort)
        except ports.CohortNotFound as exc:
            raise CohortNotFoundError(f"Course {course_id} has no cohort {cohort!r}.") from exc
    if email_opt_in is not None:
        ports.email_opt_ins().set(user, str(parse_course_key(course_id).org), email_opt_in)
