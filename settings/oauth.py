"""The token endpoint and what it grants: client credentials only, as `client_id` and `client_secret` or HTTP Basic.

`token_type=jwt` asks for a JSON Web Token, anything else gives a bearer token. An application that
`OAUTH2_RESTRICTED_CLIENTS` names is restricted to the scopes listed there.
"""

import logging
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from oauth2_provider.models import Application
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import SettingsScopes
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import Request as OAuthRequest  # type: ignore[import-untyped]
from oauthlib.oauth2.rfc6749.tokens import random_token_generator  # type: ignore[import-untyped]

from settings import tokens

log = logging.getLogger(__name__)


@method_decorator(csrf_exempt, name="dispatch")
@method_decorator(sensitive_post_parameters("client_secret"), name="dispatch")
class AccessTokenView(OAuthLibMixin, View):  # type: ignore[misc]  # published without types
    """Answer `{access_token, expires_in, token_type, scope}`, or an error as RFC 6749 says."""

    def post(self, request: HttpRequest) -> HttpResponse:
        if request.META.get("QUERY_STRING"):
            return _refusal("invalid_request", "Parameters belong in the body, which is not logged on the way.")
        if "resource" in request.POST:
            return _refusal("invalid_target", "Tokens are for this service, and name no other.")
        _, headers, body, status = self.create_token_response(request)
        return HttpResponse(body, status=status, headers=headers)


@cache_control(public=True, max_age=3600)
def key_set(request: HttpRequest) -> JsonResponse:
    """Answer the public keys by which our tokens are checked, also those retired lately."""
    own = settings.JWT_AUTH["JWT_ISSUERS"][0]
    return JsonResponse(own["JWK_SET"], headers={"Access-Control-Allow-Origin": "*"})


def access_token(request: OAuthRequest) -> str:
    """Return the text of a new token: the `ACCESS_TOKEN_GENERATOR`."""
    if not _wants_jwt(request):
        token: str = random_token_generator(request)
        return token
    return tokens.issue(
        request.client.user,
        scopes=request.scopes,
        lifetime=request.expires_in,
        restricted=request.client.client_id in settings.OAUTH2_RESTRICTED_CLIENTS,
    )


class Validator(OAuth2Validator):  # type: ignore[misc]  # published without types
    """Grants tokens to applications whose user is active. A JSON Web Token is its own record and is not stored."""

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Application, request: OAuthRequest, *args: Any, **kwargs: Any
    ) -> bool:
        if client.user is None or not client.user.is_active:
            log.warning("Application %s got no token: it has no active user.", client.pk)
            return False
        return bool(super().validate_grant_type(client_id, grant_type, client, request, *args, **kwargs))

    def _extract_basic_auth(self, request: OAuthRequest) -> str | None:
        # The decoder raises for anything beyond ASCII, which would be a 500.
        credentials: str | None = super()._extract_basic_auth(request)
        return credentials if credentials and credentials.isascii() else None

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        # Staff can save an application without a secret, which nobody is to match by sending none.
        return bool(provided_secret and super()._check_secret(provided_secret, stored_secret))

    def save_bearer_token(self, token: dict[str, Any], request: OAuthRequest, *args: Any, **kwargs: Any) -> None:
        if _wants_jwt(request):
            token["token_type"] = "JWT"  # noqa: S105
        else:
            super().save_bearer_token(token, request, *args, **kwargs)

    def _load_application(self, client_id: str, request: OAuthRequest) -> Application | None:
        # PostgreSQL refuses to look for NUL characters, which would be a 500.
        return None if "\0" in (client_id or "") else super()._load_application(client_id, request)


class Scopes(SettingsScopes):  # type: ignore[misc]  # published without types
    """What an application may ask for, and gets when it asks for nothing: if restricted, the scopes listed for it."""

    def get_all_scopes(self) -> dict[str, str]:
        listed = {scope for scopes in settings.OAUTH2_RESTRICTED_CLIENTS.values() for scope in scopes}
        return {**dict.fromkeys(sorted(listed), ""), **super().get_all_scopes()}

    def get_available_scopes(
        self, application: Application | None = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        listed = _scopes_listed_for(application)
        return list(super().get_available_scopes()) if listed is None else listed

    def get_default_scopes(
        self, application: Application | None = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        listed = _scopes_listed_for(application)
        return list(super().get_default_scopes()) if listed is None else listed


def _refusal(error: str, description: str) -> JsonResponse:
    return JsonResponse({"error": error, "error_description": description}, status=400)


def _scopes_listed_for(application: Application | None) -> list[str] | None:
    scopes: list[str] | None = None
    if application is not None:
        scopes = settings.OAUTH2_RESTRICTED_CLIENTS.get(application.client_id)
    return scopes


def _wants_jwt(request: OAuthRequest) -> bool:
    return str(getattr(request, "token_type", "")).lower() == "jwt"
