"""JSON Web Tokens: our own, with the claims that Open edX services expect, and the check of anybody's."""

from collections.abc import Collection
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

ALGORITHMS = ("RS256", "RS512")
REQUIRED_CLAIMS = ["aud", "exp", "iat", "iss"]
LEEWAY = 5  # seconds by which another machine's clock may be ahead


def issue(
    user: User,
    *,
    scopes: Collection[str],
    lifetime: float,
    restricted: bool = False,
    filters: Collection[str] = (),
) -> str:
    """Return a signed token for a user.

    Args:
        scopes: `email`, `profile` and `user_id` add claims about the user; the others are for views.
        lifetime: seconds until it expires.
        restricted: it then passes only where a view names its scopes, see `settings.authentication`.
        filters: such as `content_org:EdX`; meant for services that understand them.
    """
    now = timezone.now().timestamp()
    claims = {
        "aud": settings.JWT_AUTH["JWT_AUDIENCE"],
        "exp": int(now + lifetime),
        "iat": int(now),
        "iss": settings.JWT_AUTH["JWT_ISSUER"],
        "sub": str(user.pk),
        "preferred_username": user.get_username(),
        "email_verified": user.is_active,
        "scopes": list(scopes),
        "version": settings.JWT_AUTH["JWT_SUPPORTED_VERSION"],
        "is_restricted": restricted,
        "filters": list(filters),
        **_claims_of_scopes(user, scopes),
    }
    key = jwt.PyJWK.from_json(settings.JWT_AUTH["JWT_PRIVATE_SIGNING_JWK"])
    return jwt.encode(claims, key, algorithm=settings.JWT_AUTH["JWT_ALGORITHM"], headers={"kid": key.key_id})


def decode(token: str) -> dict[str, Any]:
    """Return the claims of a token that is valid now and was signed with a key of the issuer that it names.

    This is the `JWT_DECODE_HANDLER`. The stock one binds neither keys nor audiences to issuers; defaults and versions
    of claims are the same.

    Raises:
        jwt.InvalidTokenError: anything is wrong with the token; the message says what, without the token.
    """
    claims = _verified(token, _issuer_named_by(token))
    _require_supported_version(claims)
    return {"is_restricted": False, "filters": [], **claims}


def is_own(claims: dict[str, Any]) -> bool:
    """Tell whether we issued the token, so that its user must be an account of ours."""
    return bool(claims["iss"] == settings.JWT_AUTH["JWT_ISSUER"])


def _claims_of_scopes(user: User, scopes: Collection[str]) -> dict[str, Any]:
    claims: dict[str, Any] = {}
    if "user_id" in scopes:
        claims |= {"user_id": user.pk}
    if "email" in scopes:
        claims |= {"email": user.email}
    if "profile" in scopes:
        claims |= {
            "name": user.get_full_name(),
            "given_name": user.first_name,
            "family_name": user.last_name,
            "administrator": user.is_staff,
            "superuser": user.is_superuser,
        }
    return claims


def _issuer_named_by(token: str) -> dict[str, Any]:
    named = jwt.decode(token, options={"verify_signature": False}).get("iss")
    for issuer in settings.JWT_AUTH["JWT_ISSUERS"]:
        if issuer["ISSUER"] == named:
            trusted: dict[str, Any] = issuer
            return trusted
    raise jwt.InvalidIssuerError("The issuer is not trusted")


def _verified(token: str, issuer: dict[str, Any]) -> dict[str, Any]:
    for key in _candidate_keys(token, issuer):
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=ALGORITHMS,
                audience=issuer["AUDIENCE"],
                issuer=issuer["ISSUER"],
                leeway=LEEWAY,
                options={"require": REQUIRED_CLAIMS},
            )
        except jwt.InvalidSignatureError:
            continue
        return claims
    raise jwt.InvalidSignatureError("No key of the issuer made the signature")


def _candidate_keys(token: str, issuer: dict[str, Any]) -> list[jwt.PyJWK]:
    """Return the key that the token names, else all: older services name none, or number their keys differently."""
    keys = jwt.PyJWKSet.from_dict(issuer["JWK_SET"]).keys
    named = jwt.get_unverified_header(token).get("kid")
    return [key for key in keys if key.key_id == named] or keys


def _require_supported_version(claims: dict[str, Any]) -> None:
    """Refuse tokens of a later major version, whose claims may mean something else."""
    major = str(claims.get("version", "1")).partition(".")[0]
    supported = settings.JWT_AUTH["JWT_SUPPORTED_VERSION"].partition(".")[0]
    if not major.isdecimal() or int(major) > int(supported):
        raise jwt.InvalidTokenError("The version of the token's claims is not supported")
