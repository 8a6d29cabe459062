"""Work of several steps on the data backend."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from attrs import frozen
from django.db import transaction

from coursecredit.transactions import retried_atomic
from enrollment.errors import CourseEnrollmentExistsError
from enrollment.ports import EnrollmentData, HeldEnrollment, data_api
from enrollment.types import AttributeDict, CourseDetailsDict, EnrollmentDict

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_one_transaction(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run the function inside the data backend's `atomic()`, or plainly if the backend has none.

    A backend whose `atomic` is Django's own is tried again after a deadlock.
    """
    retried = retried_atomic(function)

    @wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        atomic = getattr(data_api(), "atomic", nullcontext)
        if atomic is transaction.atomic:
            return retried(*args, **kwargs)
        with atomic():
            return function(*args, **kwargs)

    return run


def hold(username: str, course_id: str) -> HeldEnrollment:
    """Return a learner's enrollment in a course, held until the transaction ends if the data backend can do so."""
    data = data_api()
    hold_enrollment = getattr(data, "hold_enrollment", None)
    if hold_enrollment is None:
        return _Unheld(data, username, course_id)
    return cast(HeldEnrollment, hold_enrollment(username, course_id))


def decided_again_if_overtaken(decide: Callable[[], Result]) -> Result:
    """Return what is decided about a held enrollment: a second time, if somebody else has created one meanwhile.

    Raises:
        CourseEnrollmentExistsError: it is so the second time too.
    """
    try:
        return decide()
    except CourseEnrollmentExistsError:
        return decide()


@frozen
class _Unheld:
    """An enrollment in a data backend that knows only functions, each asked for every step."""

    data: EnrollmentData
    username: str
    course_id: str

    def read(self) -> EnrollmentDict | None:
        return self.data.get_course_enrollment(self.username, self.course_id)

    def course_info(self, include_expired: bool = False) -> CourseDetailsDict:
        return self.data.get_course_enrollment_info(self.course_id, **_given(include_expired=include_expired))

    def create(
        self, mode: str, is_active: bool, enterprise_uuid: str | None = None, force_enrollment: bool = False
    ) -> EnrollmentDict:
        options = _given(enterprise_uuid=enterprise_uuid, force_enrollment=force_enrollment)
        return self.data.create_course_enrollment(self.username, self.course_id, mode, is_active, **options)

    def update(self, mode: str | None = None, is_active: bool | None = None) -> EnrollmentDict | None:
        return self.data.update_course_enrollment(self.username, self.course_id, mode=mode, is_active=is_active)

    def set_attributes(self, attributes: list[AttributeDict]) -> None:
        self.data.add_or_update_enrollment_attr(self.username, self.course_id, attributes)


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that differ from their defaults: older data backends do not know all of them."""
    return {name: value for name, value in options.items() if value not in (None, False)}
