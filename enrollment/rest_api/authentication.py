"""Sessions, as learners' endpoints take them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import authentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from enrollment.rest_api.cross_domain import NeighbourlyCsrfCheck, is_from_neighbour


class SessionAuthentication(authentication.SessionAuthentication):
    """Django's sessions with the CSRF check, of unconfirmed accounts and from neighbours where the view says so.

    For unconfirmed accounts `AUTHENTICATION_BACKENDS` has to name a backend that loads them, such as Django's
    `AllowAllUsersModelBackend`.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        view = (request.parser_context or {}).get("view")
        user = getattr(request._request, "user", None)
        if not user or not user.is_authenticated:
            return None
        if not user.is_active and not getattr(view, "accepts_inactive_users", False):
            return None
        self.enforce_csrf(request)
        return user, None

    def enforce_csrf(self, request: Request) -> None:
        view = (request.parser_context or {}).get("view")
        if not (getattr(view, "accepts_neighbours", False) and is_from_neighbour(request._request)):
            super().enforce_csrf(request)
            return
        check = NeighbourlyCsrfCheck(_never_asked)
        check.process_request(request._request)
        reason = check.process_view(request._request, _never_asked, (), {})
        if reason:
            raise PermissionDenied(f"CSRF Failed: {reason}")


def _never_asked(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError("The check looks at the request alone.")
