"""Streams of what could not be handled, one per stream and group, never trimmed (events contract 0.12, 16)."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from events.bus.redis.connection import connect, stream_of
from events.bus.redis.group import Delivery

PREFIX = b"dlq_"
LONGEST_ERROR = 500  # characters
READ_AT_ONCE = 100


def stream_of_dead_letters(stream: str, group: str) -> str:
    """Return the key of the stream that keeps what a group could not handle."""
    return f"{stream}.dlq.{group}"


def letter(
    delivery: Delivery, *, stream: str, group: str, error: str, deliveries: int
) -> dict[bytes | str, bytes | str]:
    """Return the fields of a dead letter: those of the entry, and why it is one."""
    fields: dict[bytes | str, bytes | str] = dict(delivery.fields.items())
    return {
        **fields,
        "dlq_error": error[:LONGEST_ERROR],
        "dlq_group": group,
        "dlq_stream": stream,
        "dlq_id": delivery.id,
        "dlq_deliveries": str(deliveries),
    }


@attrs.frozen
class Letter:
    """A dead letter as it is found.

    Attributes:
        id: its id in the stream of dead letters.
        stream: full key of the stream in which the event was written.
        entry_id: its id there.
        fields: the fields that it had there. Kept out of `repr`: they are personal.
    """

    id: str
    stream: str
    entry_id: str
    fields: Mapping[bytes, bytes] = attrs.field(repr=False)


class DeadLetters:
    """The dead letters of one group. Every method may raise `redis.RedisError`."""

    def __init__(self, *, topic: str, group: str) -> None:
        self._stream = stream_of(topic)
        self.key = stream_of_dead_letters(self._stream, group)
        self._redis: Any = connect()

    def __len__(self) -> int:
        return int(self._redis.xlen(self.key))

    def oldest_first(self) -> Iterator[Letter]:
        """Yield the letters that there are now."""
        newest = self._redis.xrevrange(self.key, count=1)
        if not newest:
            return
        last, after = newest[0][0].decode(), "-"
        while batch := self._redis.xrange(self.key, min=after, max=last, count=READ_AT_ONCE):
            for letter_id, fields in batch:
                yield self._letter(letter_id.decode(), fields)
            after = f"({batch[-1][0].decode()}"

    def delete(self, letter_id: str) -> None:
        """Take a letter out of the stream."""
        self._redis.xdel(self.key, letter_id)

    def _letter(self, letter_id: str, fields: Mapping[bytes, bytes]) -> Letter:
        return Letter(
            id=letter_id,
            stream=fields.get(b"dlq_stream", self._stream.encode()).decode(errors="replace"),
            entry_id=fields.get(b"dlq_id", letter_id.encode()).decode(errors="replace"),
            fields={name: value for name, value in fields.items() if not name.startswith(PREFIX)},
        )
