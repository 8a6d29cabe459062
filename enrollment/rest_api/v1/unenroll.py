"""The end of all enrollments of an account that is being removed (enrollment contract 10.9)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from enrollment import api
from enrollment.errors import RetirementMissing
from enrollment.rest_api import base
from enrollment.rest_api.base import EnrollmentApiView
from enrollment.rest_api.permissions import MayRetireUsers


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error as all endpoints do, but for one: of an account that is not being removed just a text tells."""
    response = base.exception_handler(exc, context)
    if response is not None and isinstance(exc, RetirementMissing):
        response.data = str(exc)
    return response


class UnenrollmentView(EnrollmentApiView):
    """All of an account's enrollments end, or none; the service that removes accounts asks for it, unlimited."""

    permission_classes: Any = (MayRetireUsers,)
    throttle_classes: Any = ()

    def get_exception_handler(self) -> Any:
        return exception_handler

    def post(self, request: Request) -> Response:
        body = request.data if isinstance(request.data, Mapping) else {}
        username = body.get("username")
        if username is None:
            raise RetirementMissing("Username not specified.")
        if not isinstance(username, str):
            raise RetirementMissing
        orgs = api.unenroll_retiring_user(username)
        return Response(list(orgs)) if orgs else Response(status=status.HTTP_204_NO_CONTENT)
