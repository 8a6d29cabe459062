"""Signing and checking of what travels between us and credit providers (credit contract 3).

Both directions use one scheme and one secret: we sign the parameters of a request, the provider signs its callback.
The text that is signed neither separates nor escapes its pairs. Two rules make it unambiguous all the same: a callback
has exactly three signed keys, and the values that we send out contain no colon.
"""

import hmac
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, TypeGuard

from credit.conf import conf

log = logging.getLogger(__name__)

SharedSecret: TypeAlias = str | list[str | None] | None


def signature(params: Mapping[str, object], shared_secret: str) -> str:
    """Return the HMAC-SHA256 of the parameters: 64 lower-case hexadecimal digits.

    A key `signature` is left out. A number and its decimal text give the same result.

    Raises:
        UnicodeEncodeError: a key or value contains an unpaired surrogate, which has no bytes to sign.
    """
    return _digest(signed_text(params), shared_secret)


def signed_text(params: Mapping[str, object]) -> str:
    """Return the text whose UTF-8 bytes are signed: `key:value` of every pair but the signature, ordered by key."""
    return "".join([f"{key}:{params[key]!s}" for key in sorted(params) if key != "signature"])


def is_signed_with(params: Mapping[str, object], signature: str, keys: Iterable[str]) -> bool:
    """Tell whether one of the keys made this signature; never for a text that cannot be signed, or without keys."""
    return signing_key(params, signature, list(keys)) is not None


def signing_key(params: Mapping[str, object], signature: str, keys: Sequence[str | None]) -> int | None:
    """Return which of the keys made this signature, counted from 1, or None. None among the keys is no key.

    Every key is tried in constant time, so the time taken tells nothing about which one fits or how nearly.
    """
    claimed = signature.encode(errors="replace")
    text = signed_text(params)
    try:
        matches = [key is not None and hmac.compare_digest(_digest(text, key).encode(), claimed) for key in keys]
    except UnicodeEncodeError:
        return None
    return matches.index(True) + 1 if True in matches else None


def usable_keys(provider_id: str) -> tuple[str, ...]:
    """Return the keys that may sign for a provider: the first signs what we send, any of them what we receive."""
    return tuple(key for key in keys_by_position(provider_id) if key is not None)


def keys_by_position(provider_id: str) -> list[str | None]:
    """Return the keys that are configured for a provider in their order, None standing for each that cannot sign."""
    secret = get_shared_secret_key(provider_id)
    keys = secret if isinstance(secret, list) else [secret]
    return [key if is_usable(key) else None for key in keys]


def is_usable(key: object) -> TypeGuard[str]:
    """Tell whether a key can sign: ASCII text that is not blank."""
    return isinstance(key, str) and key.isascii() and bool(key.strip())


def get_shared_secret_key(provider_id: str) -> SharedSecret:
    """Return what `CREDIT_PROVIDER_SECRET_KEYS` holds for a provider, with None for whatever cannot be a key.

    A list keeps its length, so that an operator finds the bad entry. The setting itself is never changed.
    """
    configured = conf.CREDIT_PROVIDER_SECRET_KEYS.get(provider_id)
    if isinstance(configured, list | tuple):
        return [_ascii_or_none(key, provider_id) for key in configured]
    return _ascii_or_none(configured, provider_id)


def _ascii_or_none(key: object, provider_id: str) -> str | None:
    if not isinstance(key, str):
        return None
    if not key.isascii():
        log.error("A shared secret of credit provider [%s] is not ASCII text and is not used.", provider_id)
        return None
    return key


def _digest(text: str, secret: str) -> str:
    # hmac.new() rather than the one-shot hmac.digest(), which looks the algorithm up anew at every call.
    return hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()
