"""Metadata as the fields of a Redis Streams entry, and back (events contract 11, 12.1)."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from events.data import EventsMetadata
from events.exceptions import EventDeserializationError

PAYLOAD_FIELD = "event_data"
"""The field after the headers, which holds the Avro bytes."""

LONGEST = 255
"""Characters of a header; what database columns hold."""

LATEST = 253402300799999
"""Milliseconds from 1970 to the end of the last year that a datetime can hold."""

Value = TypeVar("Value")

DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)  # a bound, because converting longer ones takes ever longer


def to_fields(metadata: EventsMetadata) -> list[tuple[str, str]]:
    """Return the seven headers in the order in which they are written."""
    return [
        ("type", metadata.event_type),
        ("id", str(metadata.id)),
        ("source", metadata.source),
        ("time", metadata.time.isoformat()),
        ("minorversion", str(metadata.minorversion)),
        ("sourcehost", metadata.sourcehost),
        ("sourcelib", ".".join(str(number) for number in metadata.sourcelib)),
    ]


def entry_fields(
    metadata: EventsMetadata, payload: bytes, *, event_key: str | None = None
) -> list[tuple[str, str | bytes]]:
    """Return all fields of an entry, in order.

    Args:
        metadata: becomes the seven headers.
        payload: Avro bytes.
        event_key: if given, three more fields follow that other readers ignore: two that CloudEvents names, and the
            key, so that a reader can keep events of one key together.
    """
    fields: list[tuple[str, str | bytes]] = [*to_fields(metadata), (PAYLOAD_FIELD, payload)]
    if event_key is None:
        return fields
    return [*fields, *extra_fields(event_key)]


def extra_fields(event_key: str) -> list[tuple[str, str]]:
    """Return the fields that may follow the payload, and that other readers ignore."""
    return [("specversion", "1.0"), ("datacontenttype", "application/avro"), ("eventkey", event_key)]


def from_fields(fields: Mapping[bytes, bytes], *, stream: str, entry_id: str) -> EventsMetadata:
    """Return the metadata of an entry. Fields that are not headers are ignored.

    An empty header counts as absent. What is absent gets a value that is the same for every reader and every time,
    because `source` and `id` tell whether an event has been seen before: an id made from the place of the entry, an
    empty text for `source` and `sourcehost`, 0 for `minorversion`, no numbers for `sourcelib`, and for `time` when
    Redis took the entry.

    Args:
        fields: the entry's fields, as Redis returns them.
        stream: the full stream key.
        entry_id: the entry's id in the stream, such as `1704164645678-0`.

    Raises:
        EventDeserializationError: `type` is missing or a header is not what it should be; the text names it and does
            not quote it.
    """
    headers = _Headers(fields)
    no_numbers: tuple[int, ...] = ()
    event_type = headers.read("type", str, missing="")
    if not event_type:
        raise EventDeserializationError("", "type: is missing")
    return EventsMetadata(
        event_type=event_type,
        id=headers.read("id", UUID, missing=uuid5(NAMESPACE_URL, f"redis-stream:{stream}/{entry_id}")),
        source=headers.read("source", str, missing=""),
        time=headers.read("time", _moment, missing=_moment_of(entry_id)),
        minorversion=headers.read("minorversion", _number, missing=0),
        sourcehost=headers.read("sourcehost", str, missing=""),
        sourcelib=headers.read("sourcelib", _numbers, missing=no_numbers),
    )


class _Headers:
    """The fields of an entry, read by name."""

    def __init__(self, fields: Mapping[bytes, bytes]) -> None:
        self._fields = fields

    def read(self, name: str, convert: Callable[[str], Value], *, missing: Value) -> Value:
        """Return a header's value, or `missing` if it is absent or empty.

        Raises:
            EventDeserializationError: it is not text, longer than any database column for it, or not convertible.
        """
        raw = self._fields.get(name.encode(), b"")
        if not raw:
            return missing
        try:
            text = raw.decode()
            if len(text) <= LONGEST and "\0" not in text:
                return convert(text)
        except (ValueError, OverflowError):
            pass  # told below, without the text
        event_type = self._fields.get(b"type", b"").decode(errors="replace")[:LONGEST]
        raise EventDeserializationError(event_type, f"{name}: is not what this header holds")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError("naive")
    return moment.astimezone(UTC)


def _moment_of(entry_id: str) -> datetime:
    """Return when Redis took an entry: its id begins with milliseconds since 1970, unless its writer chose others."""
    milliseconds = min(int(entry_id.partition("-")[0]), LATEST)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _number(text: str) -> int:
    if not DIGITS.fullmatch(text):
        raise ValueError("not a decimal number")
    return int(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_number(part) for part in text.split("."))
