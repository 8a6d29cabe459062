"""The relay: takes what is due from the outbox to the bus, at least once and in order per key (events contract 15)."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, timedelta
from threading import Event

import attrs
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.utils import timezone

from events.choices import OutboxState
from events.conf import conf
from events.headers import PAYLOAD_FIELD, extra_fields
from events.leases import Claim, Refusal, Row, backoff, lessee
from events.models import OutboxEvent, lane_of
from events.ports import (
    BusUnavailable,
    Entry,
    EntryRefused,
    Result,
    Transport,
    get_producer,
    is_transport,
)

LONGEST_PAUSE = 30.0  # seconds; so that events flow soon after a bus has come back
PURGE_BATCH = 1000
LONGEST_RETENTION = 36500  # days

log = logging.getLogger(__name__)


@attrs.frozen
class Step:
    """What one step of a relay came to.

    Attributes:
        sent: how many events the bus has taken.
        is_idle: whether nothing was due, or all that is due is in the hands of others.
        unavailable: why the bus takes nothing; None if it does.
    """

    sent: int
    is_idle: bool = False
    unavailable: str | None = None


class Relay:
    """Takes events from one database to the bus. Any number of relays may run."""

    def __init__(self, *, using: str = DEFAULT_DB_ALIAS, batch: int | None = None) -> None:
        """Look for the bus.

        Args:
            using: alias of the database.
            batch: how many events are sent at a time, by default `EVENTS_OUTBOX_BATCH`.

        Raises:
            ImproperlyConfigured: `EVENT_BUS_PRODUCER` names none, or one that does not take bytes.
        """
        self._transport = _transport()
        self._lessee = lessee(using)
        self._batch = batch
        self._barren_rounds = 0

    def step(self) -> Step:
        """Send one batch, and write down what became of it. No transaction is open while the bus is asked."""
        claim = self._lessee.claim(self._batch or conf.EVENTS_OUTBOX_BATCH)
        if not claim.rows:
            return self._rest(claim)
        self._barren_rounds = 0
        try:
            results = self._transport.publish([_entry(row) for row in claim.rows])
        except BusUnavailable as exc:
            self._lessee.release(claim)
            return Step(sent=0, unavailable=str(exc))
        except Exception:
            self._lessee.release(claim)
            raise
        return self._settle(claim, results)

    def _rest(self, claim: Claim) -> Step:
        """Find out, where all rows seen were in other hands, whether there are more elsewhere."""
        self._barren_rounds += claim.is_round
        is_idle = claim.is_all or self._barren_rounds > 1
        if is_idle:
            self._barren_rounds = 0
        return Step(sent=0, is_idle=is_idle)

    def _settle(self, claim: Claim, results: Sequence[Result]) -> Step:
        sent: list[tuple[int, str]] = []
        refused: list[Refusal] = []
        unavailable: str | None = None
        for row, result in zip(claim.rows, results, strict=True):
            if isinstance(result, str):
                sent.append((row.id, result))
            elif isinstance(result, EntryRefused):
                refused.append(Refusal(row, str(result)))
            elif isinstance(result, BusUnavailable):
                unavailable = str(result)
        dead = self._lessee.settle(claim, sent, refused)
        for refusal in refused:
            _report(refusal, is_dead=refusal in dead)
        return Step(sent=len(sent), unavailable=unavailable)


def relay_due(*, using: str = DEFAULT_DB_ALIAS, batch: int | None = None, limit: float | None = None) -> int:
    """Send until nothing is due, and return how much was sent.

    Args:
        using: alias of the database.
        batch: how many events are sent at a time, by default `EVENTS_OUTBOX_BATCH`.
        limit: seconds after which to stop all the same.

    Raises:
        BusUnavailable: the bus takes nothing.
        ImproperlyConfigured: there is no bus.
    """
    relay = Relay(using=using, batch=batch)
    started = time.monotonic()
    sent = 0
    while limit is None or time.monotonic() < started + limit:
        step = relay.step()
        sent += step.sent
        if step.unavailable is not None:
            raise BusUnavailable(step.unavailable)
        if step.is_idle:
            break
    return sent


def relay_until(stop: Event, *, using: str = DEFAULT_DB_ALIAS, batch: int | None = None) -> None:
    """Send whatever becomes due until told to stop; without bus or database, wait for them.

    Raises:
        ImproperlyConfigured: there is no bus.
    """
    relay = Relay(using=using, batch=batch)
    failures = 0
    while not stop.is_set():
        try:
            step = relay.step()
        except Error as exc:
            # The exception's text may quote a row.
            step = Step(sent=0, unavailable=type(exc).__name__)
            connections[using].close()
        if step.unavailable is not None:
            pause = backoff(failures, longest=LONGEST_PAUSE).total_seconds()
            failures += 1
            log.warning("The relay pauses for %.1f s (%s).", pause, step.unavailable)
            stop.wait(pause)
            continue
        failures = 0
        if step.is_idle:
            stop.wait(conf.EVENTS_OUTBOX_POLL_SECONDS.total_seconds())


def retry(*, ids: Sequence[int] | None = None, using: str = DEFAULT_DB_ALIAS) -> int:
    """Have events sent again that were given up: those with the given ids, or all. What has no payload stays.

    Returns:
        How many will be tried again.
    """
    rows = OutboxEvent.objects.using(using).retryable()
    wanted = rows if ids is None else rows.filter(id__in=ids)
    again = {"state": OutboxState.PENDING, "attempts": 0, "next_attempt_at": None, "last_error": ""}
    return sum(
        rows.filter(id=id).update(lane=lane_of(topic, key), **again)
        for id, topic, key in wanted.values_list("id", "topic", "key")
    )


def purge(*, using: str = DEFAULT_DB_ALIAS, days: int | None = None) -> int:
    """Delete what was sent longer ago than `days`, by default `EVENTS_OUTBOX_RETENTION_DAYS`; return how much."""
    kept = conf.EVENTS_OUTBOX_RETENTION_DAYS if days is None else timedelta(days=days)
    old = OutboxEvent.objects.using(using).published_before(timezone.now() - kept).order_by("sent_at")
    deleted = 0
    while ids := list(old.values_list("id", flat=True)[:PURGE_BATCH]):
        deleted += OutboxEvent.objects.using(using).filter(id__in=ids).delete()[0]
    return deleted


def _transport() -> Transport:
    if conf.EVENT_BUS_PRODUCER is None:
        raise ImproperlyConfigured("EVENT_BUS_PRODUCER is not set: there is no bus to relay to.")
    producer = get_producer()
    if not is_transport(producer):
        raise ImproperlyConfigured(
            "EVENT_BUS_PRODUCER makes a producer that takes no bytes: it leaves no outbox to relay."
        )
    return producer


def _entry(row: Row) -> Entry:
    # As `events.headers.entry_fields` of the metadata, which takes longer to make than all the rest of an entry.
    fields: list[tuple[str, str | bytes]] = [
        ("type", row.event_type),
        ("id", str(row.event_id)),
        ("source", row.source),
        ("time", row.time.astimezone(UTC).isoformat()),
        ("minorversion", str(row.minorversion)),
        ("sourcehost", row.sourcehost),
        ("sourcelib", row.sourcelib),
        (PAYLOAD_FIELD, bytes(row.payload)),
    ]
    if conf.EVENT_BUS_REDIS_EXTRA_FIELDS:
        fields += extra_fields(row.key)
    return Entry(row.topic, row.key, fields)


def _report(refusal: Refusal, *, is_dead: bool) -> None:
    row = refusal.row
    if is_dead:
        log.error(
            "%s %s is given up for %s (%s); later events of its key go on, which leaves a gap.",
            *(row.event_type, row.event_id, row.topic, refusal.reason),
        )
    else:
        log.warning("%s %s was refused by %s (%s).", row.event_type, row.event_id, row.topic, refusal.reason)
