"""The way from the outbox to other services, and back: what may be put at either end, and how it is found."""

from events.ports import (
    BusUnavailable,
    Entry,
    EntryHeld,
    EntryRefused,
    EventBusConsumer,
    EventBusProducer,
    PublishError,
    Result,
    Transport,
    get_producer,
    is_transport,
    make_single_consumer,
)
from events.producer_config import merge_producer_configs

__all__ = [
    "BusUnavailable",
    "Entry",
    "EntryHeld",
    "EntryRefused",
    "EventBusConsumer",
    "EventBusProducer",
    "PublishError",
    "Result",
    "Transport",
    "get_producer",
    "is_transport",
    "make_single_consumer",
    "merge_producer_configs",
]
