"""What every endpoint shares: who is calling, what they may, and how errors are worded."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coursecredit import problems
from coursecredit.parsers import StrictJSONParser
from coursecredit.problems import MESSAGE, ApiViewMixin
from enrollment import ports
from enrollment.conf import conf
from enrollment.rest_api.api_key import has_api_key
from enrollment.rest_api.cross_domain import set_csrf_cookie
from enrollment.rest_api.permissions import HasApiKeyOrIsAuthenticated
from enrollment.rest_api.throttling import CallerThrottle
from enrollment.types import Account


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error as all apps do; a body that cannot be read has a word of its own."""
    response = problems.exception_handler(exc, context)
    if isinstance(exc, ParseError) and response is not None:
        response.data[context["view"].dialect.code] = "malformed_body"
    return response


class EnrollmentApiView(ApiViewMixin, APIView):
    """What the endpoints share: authenticators, the API key, one limit per caller, JSON, `{"message", "error_code"}`.

    A view serves one request, so what is found out about the caller is kept on it.
    """

    dialect = MESSAGE
    authentication_setting = "ENROLLMENT_AUTHENTICATION_CLASSES"
    parser_classes: Any = (StrictJSONParser,)
    permission_classes: Any = (HasApiKeyOrIsAuthenticated,)
    throttle_classes: Any = (CallerThrottle,)

    accepts_inactive_users: ClassVar[bool] = False
    """Whether accounts that are not confirmed yet may call; authenticators look here."""
    accepts_neighbours: ClassVar[bool] = False
    """Whether sessions may be used from pages of neighbour sites; `SessionAuthentication` looks here."""
    always_throttled: ClassVar[bool] = False
    """Whether the switch for load tests leaves the limit on."""

    def authentication_paths(self) -> Sequence[str] | None:
        return conf.AUTHENTICATION_CLASSES

    def get_exception_handler(self) -> Any:
        return exception_handler

    @cached_property
    def is_server_request(self) -> bool:
        """Whether the request carries a valid API key."""
        return has_api_key(self.request)

    @property
    def requester(self) -> Account | None:
        """The user who calls; None for a server that speaks for itself."""
        user = self.request.user
        return user if user.is_authenticated else None

    @property
    def own_username(self) -> str | None:
        return None if self.requester is None else self.requester.get_username()

    @cached_property
    def is_global_staff(self) -> bool:
        """Whether the caller is staff of the whole site. An account that is switched off is nobody's staff."""
        requester = self.requester
        return requester is not None and requester.is_active and ports.roles().is_global_staff(requester)

    @cached_property
    def is_privileged(self) -> bool:
        """Whether the caller may act for everybody."""
        return self.is_server_request or self.is_global_staff


class LearnerView(EnrollmentApiView):
    """What learners' browsers call: whoever has an account, confirmed or not, also from pages of a neighbour site."""

    accepts_inactive_users = True
    accepts_neighbours = True

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method == "GET":
            set_csrf_cookie(request, response)
        return response
