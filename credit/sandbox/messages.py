"""A message as an integrator pastes it: a request's parameters or a callback, as JSON or as a form."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import attrs
from django.db import models
from rest_framework.exceptions import ParseError

from coursecredit.parsers import refuse_unstorable
from credit.signature import signed_text

MAX_FIELDS = 1000
SECONDS = re.compile(r"[0-9]{1,11}")  # until the year 5138
CALLBACK_KEYS = ("request_uuid", "status", "timestamp")
REQUEST_KEYS = (  # in the order in which the service sends them
    "request_uuid",
    "timestamp",
    "course_org",
    "course_num",
    "course_run",
    "enrollment_timestamp",
    "course_completion_timestamp",
    "final_grade",
    "user_username",
    "user_email",
    "user_full_name",
    "user_mailing_address",
    "user_country",
)


class Unreadable(Exception):
    """The text is no message; its own text says why."""


class Kind(models.TextChoices):
    """Which way a message goes; the label is what integrators read."""

    REQUEST = "request", "a request for credit, from the service to the university"
    CALLBACK = "callback", "a callback, from the university to the service"


KEYS_OF = {Kind.REQUEST: REQUEST_KEYS, Kind.CALLBACK: CALLBACK_KEYS}


@attrs.frozen
class Pair:
    """One key of a message, as it goes into the signed text; `value` is None for a key that the message lacks."""

    key: str
    value: str | None
    is_unexpected: bool

    @property
    def is_missing(self) -> bool:
        return self.value is None

    @property
    def moment(self) -> datetime | None:
        """The value as a time, where the key holds seconds since 1970."""
        text = self.value or ""
        if not self.key.endswith("timestamp") or not SECONDS.fullmatch(text):
            return None
        return datetime.fromtimestamp(int(text), UTC)


def pairs_of(params: Mapping[str, object], expected: Iterable[str]) -> list[Pair]:
    """Return every key that was signed, and every key that should have been, in the order of signing."""
    expected = set(expected)
    keys = sorted((expected | params.keys()) - {"signature"})
    return [Pair(key, str(params[key]) if key in params else None, key not in expected) for key in keys]


def fingerprint(params: Mapping[str, object]) -> str:
    """Return the SHA-256 of the signed text, without a key: whoever gets the same has signed the same text."""
    return hashlib.sha256(signed_text(params).encode()).hexdigest()


@attrs.frozen
class Message:
    """What was pasted. `params` holds values as the service takes them, `written` as they stand in the text."""

    text: str
    params: Mapping[str, Any]
    written: Mapping[str, str]
    repeated: tuple[str, ...]
    is_json: bool

    @property
    def kind(self) -> Kind:
        """The kind whose keys are nearer to those of the message."""
        keys = self.params.keys() - {"signature"}
        return min(Kind, key=lambda kind: len(keys ^ set(KEYS_OF[kind])))

    @property
    def expected_keys(self) -> tuple[str, ...]:
        return KEYS_OF[self.kind]

    @property
    def claimed(self) -> str:
        """The signature that it carries, blank if none."""
        signature = self.params.get("signature")
        return signature if isinstance(signature, str) else ""


def read(text: str) -> Message:
    """Take a text apart.

    Raises:
        Unreadable: it is neither a JSON object nor a form, or the service could not store it.
    """
    text = text.strip()
    if not text:
        raise Unreadable("Nothing was pasted.")
    message = _from_json(text) if text[0] in "{[" else _from_form(text)
    try:
        refuse_unstorable(dict(message.params))
    except ParseError as exc:
        raise Unreadable(str(exc.detail)) from exc
    return message


def _from_json(text: str) -> Message:
    names: list[str] = []

    def note_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names[:] = [name for name, _ in pairs]  # the outermost object is the last to end
        return dict(pairs)

    try:
        params = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=note_names)
        written = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"This begins like JSON, but is none: {exc}.") from exc
    if not isinstance(params, dict):
        raise Unreadable("The JSON is a list; a message is an object.")
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in written.items()}
    return Message(text, params, texts, _repeated(names), is_json=True)


def _from_form(text: str) -> Message:
    if "=" not in text:
        raise Unreadable('This is neither a JSON object, {"key": "value"}, nor a form, key=value&key=value.')
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MAX_FIELDS)
    except ValueError as exc:
        raise Unreadable(f"A form has at most {MAX_FIELDS} fields.") from exc
    params = dict(pairs)
    return Message(text, params, params, _repeated([name for name, _ in pairs]), is_json=False)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _repeated(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name, times in Counter(names).items() if times > 1)
