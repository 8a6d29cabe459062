"""A site whose parcels leave by the outbox, to a bus in memory."""

from typing import Any

from events.bus.memory import MemoryProducer
from events.ports import get_producer
from tests.events.parcels import PARCEL

TYPE = "org.example.parcel.sent.v1"
TOPIC = "parcels"
MEMORY = "events.bus.memory.create_producer"


def config(**entry: Any) -> dict[str, Any]:
    """Return a producer configuration for parcels; a parcel's key is its attempt's number unless told otherwise."""
    return {TYPE: {TOPIC: {"event_key_field": "attempt", "enabled": True, **entry}}}


def bus() -> MemoryProducer:
    producer = get_producer()
    assert isinstance(producer, MemoryProducer)
    return producer


def send(signal: Any, attempt: int = 1, **options: Any) -> None:
    signal.send_event(parcel=PARCEL, attempt=attempt, **options)
