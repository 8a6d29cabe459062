"""Tokens as callers send them: good ones, and such as nobody should have made."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from jwcrypto import jwk

from settings.keys import JwkSet, new_signing_key, public_keys

SECRET = "the application's own secret"
CREDENTIALS = {"grant_type": "client_credentials", "client_id": "reporting", "client_secret": SECRET}
OTHER_KEY = new_signing_key()


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a valid token of alice's; a change to None takes a claim out."""
    now = int(timezone.now().timestamp())
    valid = {
        "iss": settings.JWT_AUTH["JWT_ISSUER"],
        "aud": settings.JWT_AUTH["JWT_AUDIENCE"],
        "iat": now,
        "exp": now + 60,
        "preferred_username": "alice",
        "sub": "".join(str(pk) for pk in User.objects.filter(username="alice").values_list("pk", flat=True)),
        "version": "1.2.0",
    }
    return {name: value for name, value in {**valid, **changes}.items() if value is not None}


def signed(payload: dict[str, Any], *, key: str | None = None, algorithm: str = "RS512", **headers: Any) -> str:
    """Return a token with these claims, signed with our key or another private JSON Web Key."""
    private = jwt.PyJWK.from_json(key or settings.JWT_AUTH["JWT_PRIVATE_SIGNING_JWK"], algorithm)
    # The bare signature, since the library's own encoder refuses claims of wrong types.
    return jwt.PyJWS().encode(json.dumps(payload).encode(), private.key, algorithm, headers)


def unsigned(header: Any, payload: Any) -> str:
    """Return a token with an empty signature; text stands for itself, anything else for its JSON."""
    texts = [part if isinstance(part, str) else json.dumps(part) for part in (header, payload)]
    return ".".join([*(_base64(text.encode()) for text in texts), ""])


def signed_symmetrically(payload: dict[str, Any], secret: bytes) -> str:
    """Return an HS256 token, made by hand: the library does not take a public key, or nothing, for a secret."""
    text = unsigned({"alg": "HS256", "typ": "JWT"}, payload)
    return text + _base64(hmac.new(secret, text.rstrip(".").encode(), hashlib.sha256).digest())


def with_other_claims(token: str, **changes: Any) -> str:
    """Return the token with claims changed after it was signed."""
    _, payload, signature = token.split(".")
    return unsigned({"alg": "RS512"}, json.loads(base64.urlsafe_b64decode(payload + "==")) | changes) + signature


def public_pem(key: str) -> bytes:
    pem: bytes = jwk.JWK.from_json(key).export_to_pem()
    return pem


def key_set(key: str) -> JwkSet:
    """Return what the owner of a private key publishes."""
    return public_keys(f'{{"keys": [{jwk.JWK.from_json(key).export_public()}]}}', name="the published keys")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
