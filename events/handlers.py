"""What this app does about events that have been sent: it asks for a relay, or passes them on itself."""

import logging
import time
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from coursecredit import broker
from events import outbox
from events.conf import conf
from events.ports import BusUnavailable, EventBusProducer, get_producer, is_transport
from events.privacy import redacted
from events.producer_config import Topic, find_errors, is_needed, topics_of
from events.tasks import relay_outbox
from events.tooling import OpenEdxPublicSignal
from events.types import Emission

PAUSE = 5.0  # seconds without any attempt after a bus that was away

log = logging.getLogger(__name__)
_rest_until = 0.0


def connect() -> None:
    """Listen to the outbox, and say which guarantees do not hold; a second call changes nothing."""
    if pass_on not in outbox.observers:
        outbox.observers.append(pass_on)
        announce()


def announce() -> None:
    """Name, in the log, what leaves without the outbox. What is wrong with the configuration, the checks say."""
    signals = {signal.event_type: signal for signal in OpenEdxPublicSignal.all_events()}
    if not is_needed() or any(find_errors(conf.EVENT_BUS_PRODUCER_CONFIG, signals)):
        return
    try:
        is_ours = is_transport(get_producer())
        topics = {topic for event_type in conf.EVENT_BUS_PRODUCER_CONFIG for topic in topics_of(event_type)}
    except ImproperlyConfigured:
        return
    direct = sorted({topic.name for topic in topics if topic.is_direct or not is_ours})
    if direct:
        log.warning(
            "Events leave at most once, right after the commit and in no promised order: %s.", ", ".join(direct)
        )


def pass_on(emissions: Sequence[Emission], using: str) -> None:
    """After the commit, ask a worker to relay what has a row, and send what has none."""
    topics = {event_type: topics_of(event_type) for event_type in {emission.event_type for emission in emissions}}
    wanted = [(emission, topic) for emission in emissions for topic in topics[emission.event_type]]
    if not wanted:
        return
    producer = get_producer()
    is_ours = is_transport(producer)
    direct = [(emission, topic) for emission, topic in wanted if topic.is_direct or not is_ours]
    if len(direct) < len(wanted):
        _ask_for_relay(using)
    if direct:
        outbox.after_commit(lambda: _send(producer, direct), using=using, robust=True)


def _ask_for_relay(using: str) -> None:
    if transaction.get_connection(using).in_atomic_block:
        broker.enqueue_on_commit(relay_outbox, using, using=using)
    else:
        broker.enqueue(relay_outbox, using)


def _send(producer: EventBusProducer, pairs: Sequence[tuple[Emission, Topic]]) -> None:
    """Send at once, while a request may be waiting: what fails is lost, and after that the bus is left in peace."""
    global _rest_until
    for emission, topic in pairs:
        if time.monotonic() < _rest_until:
            log.error("%s %s is lost: the bus was away just now.", emission.event_type, emission.metadata.id)
            continue
        try:
            producer.send(
                signal=emission.signal,
                topic=topic.name,
                event_key_field=topic.key_field,
                event_data=redacted(emission.data) if topic.redact_pii else emission.data,
                event_metadata=emission.metadata,
            )
        except Exception as exc:
            # The exception's text may quote the payload.
            log.error("%s %s is lost (%s).", emission.event_type, emission.metadata.id, type(exc).__name__)
            if isinstance(exc, BusUnavailable):
                _rest_until = time.monotonic() + PAUSE
