"""Streams of what could not be handled, one per stream and group, never trimmed (events contract 0.12, 16)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
from django.db import InterfaceError, OperationalError

from events.bus.redis.connection import connect, library, stream_of
from events.bus.redis.group import Delivery
from events.bus.redis.handling import Handler, Outcome, ReceiversFailed, Unusable

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


def replay(*, topic: str, group: str, report: Callable[[str], object]) -> tuple[int, int]:
    """Handle each letter once more, in this process, for the group that gave it up; delete what succeeds.

    An event that the group has dealt with meanwhile is deleted without calling anybody.

    Args:
        topic: without the environment's prefix.
        group: name of the consumer group.
        report: is called with a line for each letter that fails again.

    Returns:
        How many were replayed, and how many remain.

    Raises:
        redis.RedisError, OSError, django.db.Error: the server or the database failed; see `unavailable`.
    """
    letters = DeadLetters(topic=topic, group=group)
    replayed = 0
    for found in letters.oldest_first():
        reason = _replay_one(found, group)
        if reason is None:
            letters.delete(found.id)
            replayed += 1
        else:
            report(f"{found.entry_id}: {reason}")
    return replayed, len(letters)


def unavailable() -> tuple[type[Exception], ...]:
    """Return the errors that say nothing about a letter."""
    return (library().RedisError, OSError, OperationalError, InterfaceError)


def _replay_one(found: Letter, group: str) -> str | None:
    """Return why a letter stays, or None."""
    handler = Handler(group=group, stream=found.stream)
    try:
        outcome = handler.handle(Delivery(found.entry_id, found.fields))
        handler.flush()
    except (Unusable, ReceiversFailed) as exc:
        return str(exc)
    except unavailable():
        raise
    except Exception as exc:
        return type(exc).__qualname__
    return "nobody here knows its type" if outcome is Outcome.UNKNOWN_TYPE else None
