"""RSA keys for JSON Web Tokens, and the `JWT_AUTH` setting built from them. Run as a module, it prints a new key."""

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from django.core.exceptions import ImproperlyConfigured
from jwcrypto import jwk
from jwcrypto.common import JWException

MINIMUM_BITS = 2048
TOKEN_VERSION = "1.2.0"  # noqa: S105  # of the claims, as Open edX numbers them

JwkSet: TypeAlias = dict[str, list[dict[str, Any]]]


def new_signing_key() -> str:
    """Return a new private RSA key as a JSON Web Key on one line, its `kid` being its thumbprint."""
    key = jwk.JWK.generate(kty="RSA", size=MINIMUM_BITS, use="sig", alg="RS512")
    key.update(kid=key.thumbprint())
    text: str = key.export_private()
    return text


def kept_signing_key(path: Path) -> str:
    """Return the key kept in a file that only its owner can read; make both the first time.

    Processes that start together all get the same key: the first one to link its file wins.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft:  # created for its owner alone
            draft.write(new_signing_key())
            draft.flush()
            with suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_text()


def private_key(text: str, *, name: str) -> str:
    """Return the text if it is a private RSA key of at least `MINIMUM_BITS` as a JSON Web Key.

    Raises:
        ImproperlyConfigured: naming the variable `name`, never the value.
    """
    key = _rsa_key(_json(text, name=name), name=name)
    if not key.has_private:
        raise ImproperlyConfigured(f"{name} must hold the private part of the key too.")
    return text


def public_keys(text: str, *, name: str) -> JwkSet:
    """Return a JSON Web Key Set of public RSA keys, whatever else its members say about themselves.

    Raises:
        ImproperlyConfigured: naming the variable `name`; for keys that do not suit and for a set without keys.
    """
    parsed = _json(text, name=name)
    members = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(members, list) or not members:
        raise ImproperlyConfigured(f"{name} must be a JSON Web Key Set with at least one key.")
    return {"keys": [_public_part(_rsa_key(member, name=name)) for member in members]}


def jwt_auth(
    signing_key: str,
    *,
    issuer: str,
    audience: str,
    former: JwkSet | None = None,
    outside: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return the `JWT_AUTH` setting: tokens of our own, and those of outside issuers.

    Args:
        signing_key: our private JSON Web Key.
        issuer, audience: what our tokens say, and have to say.
        former: public keys of ours whose tokens may not have expired yet.
        outside: from `trusted_issuer`. A token counts only if a key of the issuer that it names has signed it.
    """
    own: JwkSet = {"keys": [_public_part(jwk.JWK.from_json(signing_key)), *(former or {"keys": []})["keys"]]}
    issuers = [trusted_issuer(issuer, audience, own), *outside]
    every_key = {"keys": [key for trusted in issuers for key in trusted["JWK_SET"]["keys"]]}
    return {
        "JWT_ALGORITHM": "RS512",
        "JWT_AUDIENCE": audience,
        "JWT_AUTH_HEADER_PREFIX": "JWT",
        "JWT_DECODE_HANDLER": "settings.tokens.decode",
        "JWT_ISSUER": issuer,
        "JWT_ISSUERS": issuers,
        "JWT_PRIVATE_SIGNING_JWK": signing_key,
        "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps(every_key),
        "JWT_SUPPORTED_VERSION": TOKEN_VERSION,
        "JWT_VERIFY_AUDIENCE": True,
    }


def trusted_issuer(issuer: str, audience: str, keys: JwkSet) -> dict[str, Any]:
    """Return one entry of `JWT_ISSUERS`, without the secret by which tokens could be signed symmetrically."""
    return {"ISSUER": issuer, "AUDIENCE": audience, "SECRET_KEY": None, "JWK_SET": keys}


def _json(text: str, *, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        # The parser's message quotes what it read.
        raise ImproperlyConfigured(f"{name} is not JSON.") from None


def _rsa_key(parameters: Any, *, name: str) -> jwk.JWK:
    try:
        key = jwk.JWK(**parameters)
        bits = key["n"] and key.get_op_key("verify").key_size if key["kty"] == "RSA" else 0
    except (JWException, TypeError, ValueError, KeyError):
        raise ImproperlyConfigured(f"{name} does not hold a JSON Web Key.") from None
    if bits < MINIMUM_BITS:
        raise ImproperlyConfigured(f"{name} must hold RSA keys of at least {MINIMUM_BITS} bits.")
    return key


def _public_part(key: jwk.JWK) -> dict[str, Any]:
    part: dict[str, Any] = key.export_public(as_dict=True)
    return {"kid": key.thumbprint(), **part, "use": "sig"}


if __name__ == "__main__":
    print(new_signing_key())  # noqa: T201
