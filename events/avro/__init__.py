"""Payloads to Avro bytes and back (events contract 10).

What a kind of event needs is compiled once, when the first such event is encoded or decoded, and kept for the life of
the process.
"""

import copy
from collections.abc import Mapping
from threading import Lock
from typing import Any

import attrs

from events.avro.decoder import compile_decoder
from events.avro.encoder import compile_encoder
from events.avro.errors import Malformed, Unfit, Wrong
from events.avro.schemas import build_schema, fingerprint_of
from events.avro.shapes import shape_of
from events.avro.source import Compiled
from events.exceptions import EventDeserializationError, EventSerializationError
from events.types import EventDefinition

__all__ = ["decode", "encode", "fingerprint", "is_fit_for_bus", "schema"]

NOT_FOR_THE_BUS = frozenset({"org.openedx.learning.external_grader.score.submitted.v1"})
"""Types that could be encoded but that Open edX keeps within a process, so that nobody expects them on the bus."""


def encode(signal: EventDefinition, data: Mapping[str, Any]) -> bytes:
    """Return the Avro binary form of an event's arguments.

    Nothing is coerced, save that an int will do for a float and a subclass for its base.

    Args:
        signal: the kind of event.
        data: exactly its arguments, by name.

    Raises:
        EventSerializationError: a value is not what its field declares (the text names the field, the expected and
            the actual type), or the event's classes have no encoding.
    """
    encoder = _codec(signal).encoder
    try:
        encoded: bytes = encoder.run(data)
    except Exception as exc:
        failure = _described(encoder, exc)
    else:
        return encoded
    raise EventSerializationError(signal.event_type, failure)


def decode(signal: EventDefinition, raw: bytes) -> dict[str, Any]:
    """Return the arguments of an event from their Avro binary form, written with the same schema.

    Bytes after the last argument are ignored. If the bytes end exactly before arguments that were added later, these
    take their declared defaults. Times come in UTC.

    Raises:
        EventDeserializationError: the bytes do not fit (the text names the field, and never quotes the payload), or
            the event's classes have no encoding.
    """
    decoder = _codec(signal, EventDeserializationError).decoder
    try:
        decoded: dict[str, Any] = decoder.run(bytes(raw))
    except Exception as exc:
        failure = _described(decoder, exc)
    else:
        return decoded
    raise EventDeserializationError(signal.event_type, failure)


def schema(signal: EventDefinition) -> dict[str, Any]:
    """Return the Avro schema of an event's payload, for the caller to keep.

    Raises:
        EventSerializationError: the event's classes have no encoding.
    """
    return copy.deepcopy(_codec(signal).schema)


def fingerprint(signal: EventDefinition) -> str:
    """Return 64 hex digits: the SHA-256 of the canonical form of the schema.

    Raises:
        EventSerializationError: the event's classes have no encoding.
    """
    return _codec(signal).fingerprint


def is_fit_for_bus(signal: EventDefinition) -> bool:
    """Say whether other services can read such events."""
    if signal.event_type in NOT_FOR_THE_BUS:
        return False
    try:
        _codec(signal)
    except EventSerializationError:
        return False
    return True


@attrs.frozen
class _Codec:
    """All that is known about the payload of one kind of event."""

    schema: dict[str, Any]
    fingerprint: str
    encoder: Compiled
    decoder: Compiled


_codecs: dict[EventDefinition, _Codec] = {}
_compiling = Lock()


def _codec(
    signal: EventDefinition,
    error: type[EventSerializationError | EventDeserializationError] = EventSerializationError,
) -> _Codec:
    known = _codecs.get(signal)
    if known is not None:
        return known
    try:
        with _compiling:  # a second thread would only do the same work again
            return _codecs.setdefault(signal, _codecs.get(signal) or _compile(signal))
    except Unfit as exc:
        raise error(signal.event_type, str(exc)) from exc


def _compile(signal: EventDefinition) -> _Codec:
    arguments = {name: shape_of(annotation, name) for name, annotation in signal.init_data.items()}
    schema = build_schema(signal.event_type, arguments)
    return _Codec(
        schema=schema,
        fingerprint=fingerprint_of(schema),
        encoder=compile_encoder(arguments),
        decoder=compile_decoder(arguments, signal.defaults),
    )


def _described(function: Compiled, error: Exception) -> str:
    """Say where and why a function failed. The text of other errors than ours may quote the payload."""
    place = function.place(error.__traceback__) or "payload"
    if isinstance(error, Wrong | Malformed):
        return f"{place}: {error}"
    if isinstance(error, IndexError):
        return f"{place}: the bytes end too early"
    return f"{place}: {type(error).__name__}"
