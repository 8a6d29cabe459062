"""The endpoints as OpenAPI describes them. Only sites with drf-spectacular load this package.

A new view is described in the module of its subject: by the module and name of its class, each of its methods.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiViewExtension
from drf_spectacular.utils import extend_schema_view
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.views import APIView

from enrollment.openapi import bulk, jobs, learners, staff, v2
from enrollment.rest_api.api_key import HEADER
from enrollment.rest_api.permissions import HasApiKeyOrIsAuthenticated

REST_API = "enrollment.rest_api."
OPERATIONS: dict[str, dict[str, Any]] = {
    **learners.OPERATIONS,
    **staff.OPERATIONS,
    **jobs.OPERATIONS,
    **bulk.OPERATIONS,
    **v2.OPERATIONS,
}


class ApiKey(BaseAuthentication):
    """Stands for the API key, which authorises without saying who calls."""


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    target_class = "enrollment.openapi.ApiKey"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": HEADER}


class EnrollmentViewDescription(OpenApiViewExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """Adds the descriptions to a copy of the view, so that views need not know drf-spectacular."""

    target_class = "enrollment.rest_api.base.EnrollmentApiView"
    match_subclasses = True

    def view_replacement(self) -> type[APIView]:
        target = self.target
        described: type[APIView] = type(target.__name__, (target,), {"get_authenticators": _authenticators})
        name = f"{target.__module__.removeprefix(REST_API)}.{target.__name__}"
        return extend_schema_view(**OPERATIONS.get(name, {}))(described)


def _authenticators(view: Any) -> list[BaseAuthentication]:
    authenticators = [_as_known(each) for each in super(type(view), view).get_authenticators()]
    return [*authenticators, ApiKey()] if HasApiKeyOrIsAuthenticated in view.permission_classes else authenticators


def _as_known(authenticator: BaseAuthentication) -> BaseAuthentication:
    return SessionAuthentication() if isinstance(authenticator, SessionAuthentication) else authenticator
