"""Who is calling: JSON Web Tokens, OAuth2 bearer tokens, sessions, in this order.

Beside what their libraries do, the two kinds of token refuse inactive users unless the view takes them, let a
restricted application in only where the view names its scopes, and log one line, without the token, for each that they
refuse.
"""

import logging
from collections.abc import Collection
from typing import Any, TypeAlias

import jwt
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.encoding import escape_uri_path
from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication as OpenEdxJwtAuthentication
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from oauth2_provider.models import AccessToken
from oauth2_provider.oauth2_backends import get_oauthlib_core
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from settings import tokens

Caller: TypeAlias = tuple[User, Any]

log = logging.getLogger(__name__)


class JwtAuthentication(OpenEdxJwtAuthentication):  # type: ignore[misc]  # published without types
    """`Authorization: JWT …`, signed by us or by an issuer that `JWT_AUTH` trusts.

    Our own tokens name an account that exists. An account that an outside token names is made at first sight, and
    takes over e-mail and staff flag from the claims, as Open edX services do.
    """

    def authenticate(self, request: Request) -> Caller | None:
        self.claims: dict[str, Any] = {}
        self.accepts_inactive = _accepts_inactive_users(request)
        try:
            caller: Caller | None = super().authenticate(request)
            if caller is not None and self.claims["is_restricted"]:
                _require_named_scopes(request, self.claims.get("scopes"), filters=self.claims["filters"])
        except APIException as exc:
            log.warning("A JSON Web Token was refused: %s", _reason(exc))
            raise
        return caller

    def authenticate_credentials(self, payload: dict[str, Any]) -> User:
        self.claims = payload
        username = self._get_username_from_payload(payload)
        user = _own_account(username, payload.get("sub")) if tokens.is_own(payload) else self._outside_account(username)
        return _admitted(user, accepts_inactive=self.accepts_inactive)

    def _outside_account(self, username: Any) -> User:
        draft = User(username=username)
        _require_clean(draft, "username")
        user, _ = User.objects.get_or_create(username=draft.username, defaults={"password": make_password(None)})
        self._take_over_claims(user)
        return user

    def _take_over_claims(self, user: User) -> None:
        changed = []
        for claim, attribute in self.get_jwt_claim_attribute_map().items():
            value = self.claims.get(claim)
            if value is not None and value != getattr(user, attribute):
                setattr(user, attribute, value)
                changed.append(attribute)
        if changed:
            _require_clean(user, *changed)
            user.save(update_fields=changed)


class BearerAuthentication(OAuth2Authentication):  # type: ignore[misc]  # published without types
    """`Authorization: Bearer …`, from our token endpoint. A token without a user speaks for its application's user."""

    def authenticate(self, request: Request) -> Caller | None:
        header = get_authorization_header(request).split()
        if not header or header[0].lower() != b"bearer":
            return None
        try:
            token = _stored_token(request)
            belongs_to_user = token.user is not None  # else to a program, whose account nobody has to confirm
            user = _admitted(
                token.user or token.application.user,
                accepts_inactive=belongs_to_user and _accepts_inactive_users(request),
            )
            if token.application.client_id in settings.OAUTH2_RESTRICTED_CLIENTS:
                _require_named_scopes(request, token.scope.split())
        except APIException as exc:
            log.warning("A bearer token was refused: %s", exc)
            raise
        return user, token


def _stored_token(request: Request) -> AccessToken:
    """Return the valid token that the header carries. The body is left alone: it is parsed after permissions only."""
    headers = {"Authorization": get_authorization_header(request).decode("latin-1")}
    # Escaped again, or a question mark in the path would begin a query, which may be malformed.
    address = request.build_absolute_uri(escape_uri_path(request.path))
    valid, checked = get_oauthlib_core().server.verify_request(address, request.method, None, headers, [])
    if not valid or checked.access_token.application is None:
        raise AuthenticationFailed("This bearer token is unknown or has expired.")
    return checked.access_token


def _reason(exc: APIException) -> str:
    """Return the rule that was broken, in words that the token's sender did not choose."""
    broken = exc.__context__
    return type(broken).__name__ if isinstance(broken, jwt.InvalidTokenError) else str(exc)


def _own_account(username: Any, subject: Any) -> User | None:
    """Return the account that the token was made for, not one that took over its username."""
    user = User.objects.filter(username=username).first()
    return user if user is not None and str(user.pk) == subject else None


def _accepts_inactive_users(request: Request) -> bool:
    """Return whether the view takes calls of accounts that are not confirmed yet."""
    view = (request.parser_context or {}).get("view")
    return getattr(view, "accepts_inactive_users", False) is True


def _admitted(user: User | None, *, accepts_inactive: bool) -> User:
    if user is None:
        raise AuthenticationFailed("This token belongs to no account.")
    if not user.is_active and not accepts_inactive:
        raise AuthenticationFailed("This account is not active.")
    return user


def _require_clean(user: User, *fields: str) -> None:
    others = {field.name for field in user._meta.fields} - set(fields)
    try:
        user.clean_fields(exclude=others)
    except ValidationError as exc:
        # The validators' messages quote the values.
        raise AuthenticationFailed(f"The claims about {', '.join(sorted(exc.message_dict))} are not valid.") from None


def _require_named_scopes(request: Request, scopes: Any, *, filters: Collection[str] = ()) -> None:
    """Let a restricted application's token pass if its scopes include all that the view names, of which there are some.

    No view narrows its answer by filters, so a restricted token that carries any passes nowhere.
    """
    view = (request.parser_context or {}).get("view")
    required = set(getattr(view, "required_scopes", ()))
    granted = set(scopes) if isinstance(scopes, list) and all(isinstance(scope, str) for scope in scopes) else set()
    if filters or not required or not required <= granted:
        raise PermissionDenied("A restricted application may not do this.")
