"""The one door through which every event leaves this service."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django.db import transaction

from events.avro import encode, fingerprint
from events.choices import OutboxState
from events.conf import conf
from events.exceptions import EventSerializationError, ProducerConfigurationError
from events.models import LONGEST_ERROR, OutboxEvent, lane_of
from events.ports import get_producer, is_transport
from events.privacy import redacted, subject_of
from events.producer_config import Topic, key_of, topics_of
from events.types import Emission, EventDefinition

log = logging.getLogger("events.emitted")
failures = logging.getLogger(__name__)

observers: list[Callable[[Sequence[Emission], str], None]] = []
"""Called with what is appended and the database alias: here `events.handlers` and `events.testing` listen."""


def append(emissions: Sequence[Emission], *, using: str) -> None:
    """Take validated events into the caller's transaction, before any receiver hears of them.

    An event has a row for each topic that is enabled for its type, all rows together cost one INSERT.

    Args:
        emissions: all events of one write, in the order in which they are told.
        using: alias of the database whose transaction makes them true.

    Raises:
        EventSerializationError: a payload cannot be encoded or is too long, unless such events are to be logged.
    """
    topics = _topics_by_type({emission.event_type for emission in emissions})
    rows = [_row(emission, topic) for emission in emissions for topic in topics[emission.event_type]]
    if rows:
        OutboxEvent.objects.using(using).bulk_create(rows)
    for observe in observers:
        observe(emissions, using)

    def report() -> None:
        for emission in emissions:
            log.info("%s %s", emission.event_type, emission.metadata.id)

    after_commit(report, using=using, robust=True)


def encoded(signal: EventDefinition, data: Mapping[str, Any]) -> bytes:
    """Return the payload of an event.

    Raises:
        EventSerializationError: it cannot be encoded, or is longer than `EVENTS_MAX_PAYLOAD_BYTES`.
    """
    payload = encode(signal, data)
    longest = conf.EVENTS_MAX_PAYLOAD_BYTES
    if len(payload) > longest:
        raise EventSerializationError(signal.event_type, f"the payload has {len(payload)} bytes, more than {longest}.")
    return payload


def after_commit(call: Callable[[], object], *, using: str, robust: bool) -> None:
    """Call when the open transaction commits, never if it rolls back; at once outside of an atomic block.

    Django's own function would ask the database even then, and refuses manual transaction management.
    """
    if transaction.get_connection(using).in_atomic_block:
        transaction.on_commit(call, using=using, robust=robust)
    else:
        call()


def _topics_by_type(event_types: Collection[str]) -> dict[str, list[Topic]]:
    """Return the topics for which events have rows: none where they leave another way, or not at all."""
    topics = {
        event_type: [topic for topic in topics_of(event_type) if not topic.is_direct] for event_type in event_types
    }
    if not any(topics.values()) or is_transport(get_producer()):
        return topics
    return {event_type: [] for event_type in event_types}


def _row(emission: Emission, topic: Topic) -> OutboxEvent:
    metadata = emission.metadata
    row = OutboxEvent(
        event_id=metadata.id,
        event_type=metadata.event_type,
        topic=topic.name,
        minorversion=metadata.minorversion,
        source=metadata.source,
        sourcehost=metadata.sourcehost,
        sourcelib=".".join(map(str, metadata.sourcelib)),
        time=metadata.time,
    )
    try:
        _fill(row, emission, topic)
    except (EventSerializationError, ProducerConfigurationError) as exc:
        if conf.EVENTS_OUTBOX_ON_ENCODING_ERROR == "raise":
            raise
        failures.error("%s %s is not sent to %s: %s", metadata.event_type, metadata.id, topic.name, exc)
        row.state, row.last_error = OutboxState.DEAD, str(exc)[:LONGEST_ERROR]
    return row


def _fill(row: OutboxEvent, emission: Emission, topic: Topic) -> None:
    """Add what depends on the payload, or nothing if any of it fails."""
    data = redacted(emission.data) if topic.redact_pii else emission.data
    payload = encoded(emission.signal, data)
    row.key = key_of(emission.data, topic.key_field)
    row.payload = payload
    row.schema_fingerprint = fingerprint(emission.signal)
    row.subject_user_id = subject_of(emission.signal, data)
    row.lane = lane_of(row.topic, row.key)
