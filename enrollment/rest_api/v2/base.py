"""What the endpoints of version 2 share: problems instead of messages, and the short form of an enrollment."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from coursecredit.errors import DomainError, Invalid, NotFound
from coursecredit.problems import PROBLEM
from enrollment.errors import (
    CourseModeNotFoundError,
    EnrollmentNotAllowedError,
    EnrollmentPreventedError,
    UserNotFoundError,
)
from enrollment.rest_api import base
from enrollment.rest_api.refusals import TargetMissing
from enrollment.types import EnrollmentDict


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error with a problem, and with what a client needs to act on it."""
    match exc:
        case CourseModeNotFoundError():
            exc.members = {**exc.members, "course_details": exc.data}
        case EnrollmentNotAllowedError():
            exc.members = {**exc.members, "user_message": str(exc)}
        case EnrollmentPreventedError():
            exc.args = (exc.default_message(),)  # its own text is a hook's, which is not for the client
    return base.exception_handler(exc, context)


class Version2:
    """Makes a view one of version 2: errors are problems, and who does not exist is not found."""

    dialect = PROBLEM
    kinds: ClassVar[Mapping[type[DomainError], type[DomainError]]] = {
        TargetMissing: Invalid,
        UserNotFoundError: NotFound,
    }

    def get_exception_handler(self) -> Any:
        return exception_handler


def shown(enrollment: EnrollmentDict, request: Request, course_id: str | None = None) -> Mapping[str, Any]:
    """Return an enrollment as it is asked for: with `view=minimal`, with the course's key instead of its details."""
    if request.query_params.get("view") != "minimal":
        return enrollment
    details = enrollment["course_details"]
    rest = {name: value for name, value in enrollment.items() if name != "course_details"}
    return {**rest, "course_id": course_id if details is None else details["course_id"]}
