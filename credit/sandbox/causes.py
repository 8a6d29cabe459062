"""Why a signature may be wrong: the usual mistakes are made on purpose until one gives the claimed signature.

A mistake is one deviation in the text, one in the key and one in the algorithm, each of which may be none, and any
deviation in how the result was written down. What is found is told; the right signature never is.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import Any, TypeAlias
from urllib.parse import quote, quote_plus, unquote

import attrs

from credit.sandbox.messages import Message
from credit.signature import signed_text

HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
PREFIX = re.compile(r"(?:hmac-)?(?:sha-?256[=: ]|0x)", re.IGNORECASE)
NO_FAULT = ""

Fault: TypeAlias = str
"""What was done wrong, in a sentence; `NO_FAULT` for nothing."""

Params: TypeAlias = Mapping[str, Any]


@attrs.frozen
class Key:
    """A key that may have signed: its bytes, and what would be wrong about its use."""

    content: bytes = attrs.field(repr=False)
    fault: Fault


def likely_causes(message: Message, provider_id: str, keys: tuple[str, ...], others: Mapping[str, str]) -> list[Fault]:
    """Return what was done wrong, where the claimed signature proves it; nothing if no known mistake gives it.

    Args:
        message: what carries the wrong signature.
        provider_id: whose message it is.
        keys: that provider's usable keys.
        others: keys of other providers, each with its provider's id.
    """
    digest, faults = _read_digest(message.claimed)
    if digest is None:
        return faults
    candidates = [*_keys(keys, others)]
    texts = {
        content: fault for fault, content in reversed([*_texts(message, provider_id)])
    }  # the first fault of each text
    found = [
        [fault for fault in (text_fault, key.fault, algorithm_fault) if fault]
        for content, text_fault in texts.items()
        for key in candidates
        for algorithm_fault, sign in ALGORITHMS
        if sign(key.content, content).startswith(digest)
    ]
    return [*min(found, key=len), *faults] if found else []


def _read_digest(claimed: str) -> tuple[bytes | None, list[Fault]]:
    """Return the bytes that a signature stands for, if any, and what is unusual in its writing."""
    faults = []
    text = claimed.strip()
    if text != claimed:
        faults.append("There is white space around the signature.")
    if prefix := PREFIX.match(text):
        faults.append(f"“{prefix[0].strip()}” stands before the signature: it is the hexadecimal digits alone.")
        text = text[prefix.end() :]
    if HEX.fullmatch(text) and len(text) >= 32:
        if text != text.lower():
            faults.append("The hexadecimal digits are in upper case: they have to be in lower case.")
        if len(text) < 64:
            faults.append(f"The signature has {len(text)} digits instead of 64: it was cut, or is another algorithm's.")
        return bytes.fromhex(text), faults
    if (decoded := _from_base64(text)) is not None:
        faults.append("The signature is in base64: it has to be in hexadecimal digits.")
        return decoded, faults
    return None, [*faults, "The signature is neither hexadecimal digits nor base64: it has to be 64 lower-case digits."]


def _from_base64(text: str) -> bytes | None:
    """Return the digest in a base64 text, URL-safe or not, padded or not, of its bytes or of its hexadecimal digits."""
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        decoded = base64.b64decode(padded.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        return None
    digits = decoded.decode("latin-1")
    if HEX.fullmatch(digits) and len(digits) >= 32:
        return bytes.fromhex(digits)
    return decoded if len(decoded) >= 16 else None


def _hmac_with(name: str) -> Callable[[bytes, bytes], bytes]:
    return lambda key, text: hmac.new(key, text, name).digest()


ALGORITHMS: tuple[tuple[Fault, Callable[[bytes, bytes], bytes]], ...] = (
    (NO_FAULT, _hmac_with("sha256")),
    ("The algorithm is HMAC-SHA1: it has to be HMAC-SHA256.", _hmac_with("sha1")),
    ("The algorithm is HMAC-SHA512: it has to be HMAC-SHA256.", _hmac_with("sha512")),
    ("The algorithm is HMAC-MD5: it has to be HMAC-SHA256.", _hmac_with("md5")),
    (
        "This is SHA-256 of the text, without any key: it has to be HMAC-SHA256.",
        lambda _, t: hashlib.sha256(t).digest(),
    ),
    ("This is SHA-256 of key and text joined: it has to be HMAC-SHA256.", lambda k, t: hashlib.sha256(k + t).digest()),
    ("This is SHA-256 of text and key joined: it has to be HMAC-SHA256.", lambda k, t: hashlib.sha256(t + k).digest()),
    ("Key and text are exchanged in the call of HMAC.", lambda k, t: hmac.new(t, k, "sha256").digest()),
)


def _keys(keys: tuple[str, ...], others: Mapping[str, str]) -> Iterator[Key]:
    for key in keys:
        content = key.encode()
        yield Key(content, NO_FAULT)
        for ending in ("\n", "\r\n", " "):
            yield Key(content + ending.encode(), "The key was used with the line break or blank after it.")
        if key != key.strip():
            yield Key(key.strip().encode(), "The blanks around the configured key were left out: they belong to it.")
        yield Key(f'"{key}"'.encode(), "The key was used with quotation marks around it.")
        yield Key(key.encode("utf-16-le"), "The key was used as UTF-16: it has to be its ASCII characters.")
        if HEX.fullmatch(key):
            fault = "The key was decoded from hexadecimal digits: it has to be used as the text that it is."
            yield Key(bytes.fromhex(key), fault)
        if decoded := _decoded(key):
            yield Key(decoded, "The key was decoded from base64: it has to be used as the text that it is.")
    for key, provider_id in others.items():
        yield Key(key.encode(), f"The key is the one of another university: {provider_id}.")
    yield Key(b"", "The key is empty: probably it was not read from your configuration.")


def _decoded(key: str) -> bytes | None:
    try:
        return base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return None


def _texts(message: Message, provider_id: str) -> Iterator[tuple[Fault, bytes]]:
    """Yield the text that has to be signed, and those that are signed by mistake."""
    params = {key: value for key, value in message.params.items() if key != "signature"}
    yield NO_FAULT, signed_text(params).encode()
    faulty = [*_other_orders(params, message), *_other_joints(params), *_other_keys(params, message, provider_id)]
    faulty += [*_other_values(params, message), *_whole_bodies(message, params)]
    for fault, text in faulty:
        yield fault, text.encode()
    for name in ("latin-1", "cp1252", "utf-16-le", "utf-16-be"):
        text = signed_text(params)
        if not text.isascii() or name.startswith("utf-16"):
            yield f"The text was signed as {name.upper()}: it has to be UTF-8.", text.encode(name, errors="replace")


def _joined(params: Params, keys: Iterable[str], *, colon: str = ":", between: str = "") -> str:
    return between.join(f"{key}{colon}{params[key]!s}" for key in keys)


def _other_orders(params: Params, message: Message) -> Iterator[tuple[Fault, str]]:
    fault = "The keys were signed in the order {}: they have to be sorted by code point."
    yield fault.format("in which they were sent"), _joined(params, params)
    documented = [key for key in message.expected_keys if key in params]
    documented += [key for key in params if key not in documented]
    yield fault.format("of the documentation"), _joined(params, documented)
    yield fault.format("from z to a"), _joined(params, sorted(params, reverse=True))
    yield fault.format("of a dictionary, without regard to case"), _joined(params, sorted(params, key=str.casefold))
    yield fault.format("of their values"), _joined(params, sorted(params, key=lambda key: str(params[key])))


def _other_joints(params: Params) -> Iterator[tuple[Fault, str]]:
    keys = sorted(params)
    for between in ("&", "\n", "\r\n", ",", ", ", ";", "|", " "):
        for colon in (":", "=", ": "):
            fault = (
                f"Pairs were joined with {between!r} and keys to values with {colon!r}: it has to be nothing and ':'."
            )
            yield fault, _joined(params, keys, colon=colon, between=between)
    for colon in ("=", ": ", ""):
        fault = f"Keys were joined to values with {colon!r}: it has to be ':'."
        yield fault, _joined(params, keys, colon=colon)
    yield (
        "Only the values were signed: it has to be key:value of every pair.",
        "".join(str(params[key]) for key in keys),
    )
    yield "A line break follows the signed text.", _joined(params, keys) + "\n"


def _other_keys(params: Params, message: Message, provider_id: str) -> Iterator[tuple[Fault, str]]:
    yield "An empty key “signature” was signed too: it is left out.", _with_empty_signature(params)
    yield "A key “provider_id” was signed too: it is not part of the message.", _plus(params, provider_id=provider_id)
    for key in params:
        yield f"The key “{key}” was not signed: all keys but “signature” are.", _minus(params, {key})
    further = params.keys() - set(message.expected_keys)
    yield "The further keys were not signed: all keys but “signature” are.", _minus(params, further)
    empty = {key for key, value in params.items() if value in ("", None)}
    yield "Keys with an empty value were not signed: all keys but “signature” are.", _minus(params, empty)
    missing = dict.fromkeys(set(message.expected_keys) - params.keys(), "")
    yield "Keys were signed that the message lacks.", _plus(params, **missing)


def _with_empty_signature(params: Params) -> str:
    return _joined({**params, "signature": ""}, sorted({*params, "signature"}))


def _plus(params: Params, **more: str) -> str:
    return signed_text({**params, **more})


def _minus(params: Params, keys: Iterable[str]) -> str:
    return signed_text({key: value for key, value in params.items() if key not in set(keys)})


def _other_values(params: Params, message: Message) -> Iterator[tuple[Fault, str]]:
    written = {key: text for key, text in message.written.items() if key != "signature"}
    fault = "Numbers or words such as true and null were signed as JSON writes them, where their text is {}."
    yield fault.format("that of Python: True, None, 0.95"), signed_text(written)
    for fault, change in VALUE_FAULTS:
        yield fault, signed_text({key: change(value) for key, value in params.items()})
    yield from _other_numbers(params)


def _other_numbers(params: Params) -> Iterator[tuple[Fault, str]]:
    fault = "The number “{}” was formatted differently before it was signed: it is signed exactly as it is sent."
    for key, value in params.items():
        for form in _forms_of_number(str(value)):
            yield fault.format(key), signed_text({**params, key: form})


def _forms_of_number(text: str) -> set[str]:
    """Return other ways to write a number: `1` and `1.0`, rounded, in per cent, in milliseconds."""
    try:
        number = float(text)
        forms = {f"{number:g}", f"{number:.0f}", repr(number), f"{number * 100:g}", f"{number * 1000:.0f}"}
        forms |= {f"{number:.{digits}f}" for digits in range(1, 7)} | {text.replace(".", ",")}
    except (ValueError, OverflowError):
        return set()
    return forms - {text}


def _text_only(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, str) else value


def _mojibake(text: str) -> str:
    return text.encode().decode("latin-1")


VALUE_FAULTS: tuple[tuple[Fault, Callable[[Any], Any]], ...] = (
    ("White space around values was cut off before signing.", _text_only(str.strip)),
    ("Values were percent-encoded before signing: they are signed as they are.", _text_only(quote_plus)),
    ("Values were percent-encoded before signing: they are signed as they are.", _text_only(quote)),
    ("Values were decoded twice before signing.", _text_only(unquote)),
    ("Every + in a value was taken for a blank.", _text_only(lambda text: text.replace("+", " "))),
    ("Every blank in a value was taken for a +: decode the form before signing.", lambda v: str(v).replace(" ", "+")),
    ("Values were escaped for HTML before signing: they are signed as they are.", _text_only(escape)),
    ("Values were quoted as in JSON before signing: they are signed as they are.", json.dumps),
    (
        "Characters beyond ASCII were escaped before signing: the text is UTF-8.",
        _text_only(lambda t: json.dumps(t)[1:-1]),
    ),
    ("UTF-8 was taken for Latin-1 and encoded once more.", _text_only(_mojibake)),
    (
        "Characters were composed anew (Unicode NFC) before signing.",
        _text_only(lambda t: unicodedata.normalize("NFC", t)),
    ),
    ("Characters were decomposed (Unicode NFD) before signing.", _text_only(lambda t: unicodedata.normalize("NFD", t))),
    ("Line breaks were changed to CR LF before signing.", _text_only(lambda t: re.sub("\r?\n", "\r\n", t))),
    ("Line breaks were changed to LF before signing.", _text_only(lambda t: t.replace("\r\n", "\n"))),
    ("Values were signed in lower case.", _text_only(str.lower)),
    ("Values were signed in upper case.", _text_only(str.upper)),
    ("An empty value was signed as null.", lambda value: "null" if value in ("", None) else value),
    ("null was signed as nothing, where its text is None.", lambda value: "" if value is None else value),
)


def _whole_bodies(message: Message, params: Params) -> Iterator[tuple[Fault, str]]:
    """Yield the body as it may have been signed instead of the pairs."""
    fault = "The whole body was signed: it has to be the pairs, key:value, sorted and joined."
    yield fault, message.text
    yield fault, re.sub(r"&?signature=[^&]*", "", message.text).removeprefix("&")
    for order in (params, {key: params[key] for key in sorted(params)}):
        for ascii_only in (True, False):
            yield fault, json.dumps(order, ensure_ascii=ascii_only)
            yield fault, json.dumps(order, ensure_ascii=ascii_only, separators=(",", ":"))
        yield fault, "&".join(f"{quote_plus(key)}={quote_plus(str(value))}" for key, value in order.items())
