"""What every endpoint shares: who is calling, what they may, and how errors are worded."""

from collections.abc import Sequence
from typing import Any

from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coursecredit import problems
from coursecredit.errors import DomainError
from coursecredit.parsers import StrictJSONParser
from coursecredit.problems import DEVELOPER_MESSAGE, ApiViewMixin
from program_enrollments import api
from program_enrollments.conf import conf
from program_enrollments.ports import ProgramFacts


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error as all apps do; only this app's own errors have a code (program enrollments contract 6.1)."""
    response = problems.exception_handler(exc, context)
    if response is not None and not isinstance(exc, DomainError) and isinstance(response.data, dict):
        response.data.pop(DEVELOPER_MESSAGE.code, None)
    return response


class ProgramApiView(ApiViewMixin, APIView):
    """What the endpoints share: authenticators, JSON, and `{"developer_message", "error_code"}` for errors."""

    dialect = DEVELOPER_MESSAGE
    authentication_setting = "PROGRAM_ENROLLMENTS['AUTHENTICATION_CLASSES']"
    parser_classes: Any = (StrictJSONParser,)

    def authentication_paths(self) -> Sequence[str] | None:
        return conf.AUTHENTICATION_CLASSES

    def get_exception_handler(self) -> Any:
        return exception_handler


class RegistrarView(ProgramApiView):
    """An endpoint about a program, for registrars' service accounts: global staff."""

    permission_classes: Any = (IsAdminUser,)
    program: ProgramFacts

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.program = api.find_program(kwargs["program_uuid"])
