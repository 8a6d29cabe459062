"""A consumer group of a Redis stream, in the commands of Redis 6.2 (events contract 16)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import attrs

from events.bus.redis.connection import connect, library, stream_of

START = "0-0"
CLAIMED_AT_ONCE = 1000
GREATEST_SEQUENCE = 2**64 - 1


@attrs.frozen
class Delivery:
    """An entry that Redis has handed to this consumer, and expects to be acknowledged.

    Attributes:
        id: the entry's id in the stream.
        fields: its fields; none if the entry has been trimmed away meanwhile. Kept out of `repr`: they are personal.
    """

    id: str
    fields: Mapping[bytes, bytes] = attrs.field(repr=False)


class ConsumerGroup:
    """One consumer's view of its group. Every method may raise `redis.RedisError`."""

    def __init__(self, *, topic: str, group: str, consumer: str, timeout: timedelta) -> None:
        """Connect when first used.

        Args:
            topic: without the environment's prefix.
            group: name of the group.
            consumer: this consumer's name in it.
            timeout: how long an answer may take; longer than the longest blocking read.
        """
        self.stream = stream_of(topic)
        self.name = group
        self.consumer = consumer
        self._redis: Any = connect(timeout=timeout.total_seconds())

    def ensure(self) -> None:
        """Make the group, before the first entry of its stream, unless it exists: its position is never moved.

        It is looked for first, because a server without free memory refuses to make what is there already.
        """
        if self._exists():
            return
        try:
            self._redis.xgroup_create(self.stream, self.name, id=START, mkstream=True)
        except library().ResponseError as exc:
            if not str(exc).startswith("BUSYGROUP"):  # another consumer was faster
                raise

    def move_to(self, entry_id: str) -> None:
        """Go on behind an entry, for the whole group."""
        self._redis.xgroup_setid(self.stream, self.name, entry_id)

    def read_new(self, count: int, *, block: timedelta | None) -> list[Delivery]:
        """Return entries that nobody in the group has had, waiting for the first one if asked to."""
        milliseconds = None if block is None else max(1, int(block / timedelta(milliseconds=1)))
        return self._read(">", count, milliseconds)

    def pending(self) -> Iterator[Delivery]:
        """Yield what this consumer was handed and has not acknowledged, oldest first.

        One at a time, because reading an entry counts as its delivery.
        """
        last = START
        while found := self._read(last, 1):
            yield found[0]
            last = found[0].id

    def read_again(self, entry_id: str) -> Delivery | None:
        """Return an entry once more, or None if it is not this consumer's any more."""
        found = self._read(_before(entry_id), 1)
        return found[0] if found and found[0].id == entry_id else None

    def deliveries(self, entry_id: str) -> int:
        """Return how often an entry has been delivered, 0 if it is acknowledged."""
        found = self._redis.xpending_range(self.stream, self.name, min=entry_id, max=entry_id, count=1)
        return int(found[0]["times_delivered"]) if found else 0

    def claim(self, *, idle: timedelta) -> int:
        """Take over what other consumers were handed that long ago; return how many entries that are.

        Nothing is read, so this does not count as a delivery.
        """
        milliseconds = int(idle / timedelta(milliseconds=1))
        claimed = self._redis.xautoclaim(
            self.stream, self.name, self.consumer, milliseconds, START, count=CLAIMED_AT_ONCE, justid=True
        )
        return len(claimed)

    def acknowledge(self, entry_ids: Sequence[str]) -> None:
        """Tell Redis that entries need no further delivery."""
        if entry_ids:
            self._redis.xack(self.stream, self.name, *entry_ids)

    def lag(self) -> tuple[int | None, int]:
        """Return how many entries the group has not read yet (None: Redis cannot tell), and how many it has in hand."""
        for group in self._redis.xinfo_groups(self.stream):
            if group["name"] == self.name.encode():
                return group.get("lag"), int(group["pending"])
        return None, 0

    def write(self, stream: str, fields: Mapping[bytes | str, bytes | str]) -> None:
        """Append an entry to a stream that is never trimmed."""
        self._redis.xadd(stream, dict(fields))

    def close(self) -> None:
        """Give the connection back; the next command makes a new one."""
        self._redis.close()

    def _exists(self) -> bool:
        try:
            groups = self._redis.xinfo_groups(self.stream)
        except library().ResponseError as exc:
            if "no such key" in str(exc):
                return False
            raise
        return any(group["name"] == self.name.encode() for group in groups)

    def _read(self, after: str, count: int, block: int | None = None) -> list[Delivery]:
        reply = self._redis.xreadgroup(self.name, self.consumer, {self.stream: after}, count=count, block=block)
        return [Delivery(entry_id.decode(), fields or {}) for entry_id, fields in _entries(reply)]


def _entries(reply: Any) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
    """Return the entries of one stream: RESP2 answers with a list of pairs, RESP3 with a dict of lists."""
    if not reply:
        return []
    if isinstance(reply, dict):
        [batches] = reply.values()
        return [entry for batch in batches for entry in batch]
    [(_, entries)] = reply
    return list(entries)


def _before(entry_id: str) -> str:
    """Return the greatest id below another."""
    milliseconds, sequence = (int(part) for part in entry_id.split("-"))
    if sequence:
        return f"{milliseconds}-{sequence - 1}"
    return f"{milliseconds - 1}-{GREATEST_SEQUENCE}"
