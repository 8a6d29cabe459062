"""What this app needs of an event bus: protocols with their accessors. `events.bus` is where users find them."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeGuard, runtime_checkable

import attrs
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from coursecredit.backends import load_dotted
from events.conf import conf
from events.data import EventsMetadata
from events.types import EventDefinition

log = logging.getLogger(__name__)


class EventBusProducer(ABC):
    """Puts events on a bus, one by one."""

    @abstractmethod
    def send(
        self,
        *,
        signal: EventDefinition,
        topic: str,
        event_key_field: str,
        event_data: Mapping[str, Any],
        event_metadata: EventsMetadata,
    ) -> None:
        """Send one event at once.

        Args:
            signal: the kind of event.
            topic: without the environment's prefix.
            event_key_field: dotted path of the key in the payload.
            event_data: the payload: the signal's arguments by name.
            event_metadata: identity, source and time of the event.
        """


class EventBusConsumer(ABC):
    """Takes events from a bus."""

    @abstractmethod
    def consume_indefinitely(self) -> None:
        """Take events until stopped."""


class PublishError(Exception):
    """An entry did not reach the bus. The text names no payload."""


class EntryRefused(PublishError):
    """The bus refused this entry, and would refuse it again."""


class EntryHeld(PublishError):
    """An earlier entry of the same key did not reach the bus, so this one was not tried."""


class BusUnavailable(PublishError):
    """The bus takes nothing now: it is down, starting, full or read-only. That says nothing about the entry."""


@attrs.frozen
class Entry:
    """One event in the form in which it goes over the bus.

    Attributes:
        topic: without the environment's prefix.
        key: entries of equal topic and key must not overtake each other.
        fields: names and values, in the order of the contract. Kept out of `repr`, because they may be personal.
    """

    topic: str
    key: str
    fields: Sequence[tuple[str, str | bytes]] = attrs.field(repr=False)


Result: TypeAlias = str | PublishError
"""The entry's id on the bus, or why it is not there."""


@runtime_checkable
class Transport(Protocol):
    """A producer that also takes what the outbox has kept: bytes and headers that are final."""

    def publish(self, entries: Sequence[Entry]) -> list[Result]:
        """Put entries on the bus in their order; after a failure no later entry of the same topic and key.

        Returns:
            One result per entry.

        Raises:
            BusUnavailable: it is not known which entries reached the bus, if any.
        """


def get_producer() -> EventBusProducer:
    """Return this process's producer: what `EVENT_BUS_PRODUCER` makes, else one that does nothing.

    Raises:
        ImproperlyConfigured: the setting names nothing that can be imported, or what it makes is no producer.
    """
    path = conf.EVENT_BUS_PRODUCER
    if path not in _producers:
        _producers.clear()
        _producers[path] = _Idle() if path is None else _made(path)
    return _producers[path]


def is_transport(producer: EventBusProducer) -> TypeGuard[Transport]:
    """Say whether a producer takes what the outbox has kept. One from elsewhere is called with objects instead."""
    return isinstance(producer, Transport)


def make_single_consumer(*, topic: str, group_id: str, **extra: Any) -> EventBusConsumer:
    """Return a new consumer: what `EVENT_BUS_CONSUMER` makes.

    Args:
        topic: without the environment's prefix.
        group_id: consumers of one group share the events of a topic.
        extra: further arguments of that consumer.

    Raises:
        ImproperlyConfigured: the setting is missing, names nothing that can be imported, or makes no consumer.
    """
    path = conf.EVENT_BUS_CONSUMER
    if path is None:
        raise ImproperlyConfigured("EVENT_BUS_CONSUMER is not set: without it nothing can be consumed.")
    consumer = load_dotted(path, setting="EVENT_BUS_CONSUMER")(topic=topic, group_id=group_id, **extra)
    if not isinstance(consumer, EventBusConsumer):
        raise ImproperlyConfigured(f"EVENT_BUS_CONSUMER: {path!r} makes no EventBusConsumer.")
    return consumer


class _Idle(EventBusProducer):
    """Stands where no producer is configured."""

    def __init__(self) -> None:
        log.warning("EVENT_BUS_PRODUCER is not set: events stay within this process.")

    def send(self, **named: Any) -> None:
        pass


def _made(path: str) -> EventBusProducer:
    factory = load_dotted(path, setting="EVENT_BUS_PRODUCER")
    try:
        producer = factory()
    except Exception as exc:
        raise ImproperlyConfigured(f"EVENT_BUS_PRODUCER: {path!r} failed: {exc}") from exc
    if not isinstance(producer, EventBusProducer):
        raise ImproperlyConfigured(f"EVENT_BUS_PRODUCER: {path!r} makes no EventBusProducer.")
    return producer


_producers: dict[str | None, EventBusProducer] = {}


def _forget_producer(*, setting: str, **kwargs: Any) -> None:
    if setting == "EVENT_BUS_PRODUCER":
        _producers.clear()


setting_changed.connect(_forget_producer, dispatch_uid="events.ports.forget_producer")
