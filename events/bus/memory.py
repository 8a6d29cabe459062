"""A bus in this process's memory, for tests: it keeps what it is given, and refuses what it is told to."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from events.avro import encode
from events.data import EventsMetadata
from events.headers import entry_fields
from events.ports import BusUnavailable, Entry, EntryHeld, EntryRefused, EventBusProducer, PublishError, Result
from events.producer_config import key_of
from events.types import EventDefinition


@attrs.define
class MemoryProducer(EventBusProducer):
    """Keeps entries in lists.

    Attributes:
        entries: what has been taken, in order.
        is_down: whether the bus cannot be reached.
        refuses: says of an entry whether the bus refuses it.
    """

    entries: list[Entry] = attrs.field(factory=list)
    is_down: bool = False
    refuses: Callable[[Entry], bool] = attrs.field(default=lambda entry: False)

    def send(
        self,
        *,
        signal: EventDefinition,
        topic: str,
        event_key_field: str,
        event_data: Mapping[str, Any],
        event_metadata: EventsMetadata,
    ) -> None:
        """Keep one event."""
        fields = entry_fields(event_metadata, encode(signal, event_data))
        [result] = self.publish([Entry(topic, key_of(event_data, event_key_field), fields)])
        if isinstance(result, PublishError):
            raise result

    def publish(self, entries: Sequence[Entry]) -> list[Result]:
        """Keep entries; after one that is refused, none of its topic and key."""
        if self.is_down:
            raise BusUnavailable("down")
        held: set[tuple[str, str]] = set()
        return [self._take(entry, held) for entry in entries]

    def of(self, topic: str) -> list[dict[str, str | bytes]]:
        """Return the fields of what a topic holds, in order."""
        return [dict(entry.fields) for entry in self.entries if entry.topic == topic]

    def _take(self, entry: Entry, held: set[tuple[str, str]]) -> Result:
        if (entry.topic, entry.key) in held:
            return EntryHeld()
        if self.refuses(entry):
            held.add((entry.topic, entry.key))
            return EntryRefused("refused")
        self.entries.append(entry)
        return f"{len(self.entries)}-0"


def create_producer() -> MemoryProducer:
    """Return what the setting `EVENT_BUS_PRODUCER` asks for as `events.bus.memory.create_producer`."""
    return MemoryProducer()
