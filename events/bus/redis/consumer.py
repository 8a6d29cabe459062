"""Takes events from Redis Streams and gives them to the receivers: in order, and once (events contract 16).

The order of steps is what makes a kill at any point harmless: effects and the note in the table of processed events
commit together, then the entry is acknowledged. What is not acknowledged is delivered again, and found in the table.
"""

import logging
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import OperationalError, connections

from coursecredit.transactions import was_read_only
from events.bus.redis.connection import library
from events.bus.redis.dead_letters import letter, stream_of_dead_letters
from events.bus.redis.group import ConsumerGroup, Delivery
from events.bus.redis.handling import Handler, Outcome, ReceiversFailed, Unusable, database
from events.conf import conf
from events.exceptions import OpenEdxEventException
from events.models import ProcessedEvent
from events.ports import EventBusConsumer

READ_AT_ONCE = 50
ACKNOWLEDGE_AFTER = 1.0  # seconds; at the end of a batch in any case
REFRESH_AFTER = 1.0  # seconds; a site may close connections after each use, which is too often for batches in a row
LONGEST_HEADER = 255  # characters; of what the log shows of other services' types
GRACE = timedelta(seconds=10)  # that an answer may take beyond the time that Redis was asked to wait

log = logging.getLogger(__name__)
audit = logging.getLogger(f"{__name__}.audit")


class TooManyErrors(OpenEdxEventException):
    """The consumer has met as many errors in a row as the configuration allows."""


class _Interrupted(BaseException):
    """Ends a wait. Not an Exception, so that nobody on the way takes it for an error."""


class RedisEventConsumer(EventBusConsumer):
    """One consumer of a topic in a group. One per group keeps the order of the stream; several share the load.

    Attributes:
        counts: what has happened, by word: `processed`, `duplicate`, `unknown type`, `failure`, `dead letter`,
            `trimmed`,
            `claimed`, `error`.
    """

    def __init__(
        self,
        topic: str,
        group_id: str,
        consumer_name: str | None = None,
        last_read_msg_id: str | None = None,
        check_backlog: bool = True,
        claim_msgs_older_than: int | None = None,
    ) -> None:
        """Prepare; nothing is asked of the server yet.

        Args:
            topic: without the environment's prefix.
            group_id: name of the consumer group.
            consumer_name: `<group>.<hostname>` by default. Under the same name a consumer finds what it had in hand.
            last_read_msg_id: moves the group, once, to behind this entry.
            check_backlog: has no effect: what was sent while no consumer ran is always read.
            claim_msgs_older_than: milliseconds after which another consumer's entry counts as left behind; by default
                as the settings say.

        Raises:
            ImproperlyConfigured: the package `redis` or the server's address is missing.
        """
        self.topic = topic
        self.group_id = group_id
        self.consumer_name = consumer_name or f"{group_id}.{socket.gethostname()}"
        self.counts: Counter[str] = Counter()
        self._move_to = last_read_msg_id
        self._claim_after = None if claim_msgs_older_than is None else timedelta(milliseconds=claim_msgs_older_than)
        self._group = ConsumerGroup(
            topic=topic,
            group=group_id,
            consumer=self.consumer_name,
            timeout=conf.EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT + GRACE,
        )
        self._handler = Handler(group=group_id, stream=self._group.stream)
        self._errors_in_a_row = 0
        self._failed_connections = 0
        self._connection: Any = None  # the driver's, before the entry in hand
        self._is_database_lost = False
        self._acknowledged = time.monotonic()
        self._refreshed = time.monotonic()
        self._handled: list[str] = []  # committed, not acknowledged yet
        self._is_stopping = False
        self._is_waiting = False

    def consume_indefinitely(self) -> None:
        """Take events until stopped, connecting again for as long as it takes.

        Raises:
            TooManyErrors: `EVENT_BUS_REDIS_CONSUMER_CONSECUTIVE_ERRORS_LIMIT` was reached.
        """
        if not self._is_enabled():
            return
        log.info("%s consumes %s for the group %s.", self.consumer_name, self._group.stream, self.group_id)
        with suppress(_Interrupted):
            while not self._is_stopping:
                try:
                    self._consume()
                except (library().RedisError, OSError, DatabaseError) as exc:
                    self._start_over(exc)
        log.info("%s has stopped.", self.consumer_name)

    def consume_backlog(self) -> None:
        """Try each event that there is once, and return. Those that fail stay pending.

        Raises:
            redis.RedisError, OSError, django.db.Error: the server or the database failed.
            TooManyErrors: as `consume_indefinitely`.
        """
        if not self._is_enabled():
            return
        with suppress(_Interrupted):
            self._prepare()
            self._claim()
            self._work(self._pending(), retry=False)
            while not self._is_stopping and (batch := self._group.read_new(READ_AT_ONCE, block=None)):
                self._work(batch, retry=False)

    def stop(self) -> None:
        """Have the consumer end after the entry in hand."""
        self._is_stopping = True

    def interrupt(self) -> None:
        """Do the same out of a signal handler on the consumer's own thread, where a wait ends at once too."""
        self.stop()
        if self._is_waiting:
            raise _Interrupted

    def lag(self) -> tuple[int | None, int]:
        """Return how many entries the group has not read yet (None: Redis cannot tell), and how many it has in hand."""
        return self._group.lag()

    def _start_over(self, exc: Exception) -> None:
        """Let go of everything: what is not acknowledged is still pending, and what was handled is noted."""
        self._handled.clear()
        self._handler.forget()
        self._group.close()
        if isinstance(exc, DatabaseError):
            _close_connection()
        self._failed_connections += 1
        self._note_error(f"starting over, because of {_named(exc)}")
        self._wait(_backoff(self._failed_connections, conf.EVENT_BUS_REDIS_CONSUMER_POLL_FAILURE_SLEEP))

    def _is_enabled(self) -> bool:
        if not conf.EVENT_BUS_REDIS_CONSUMERS_ENABLED:
            log.error("EVENT_BUS_REDIS_CONSUMERS_ENABLED is off: %s consumes nothing.", self.consumer_name)
        return conf.EVENT_BUS_REDIS_CONSUMERS_ENABLED

    def _consume(self) -> None:
        """Work until stopped, or until Redis fails: then everything in hand is still pending there."""
        self._prepare()
        next_claim = time.monotonic()
        self._work(self._pending())
        while not self._is_stopping:
            if time.monotonic() >= next_claim:
                next_claim = time.monotonic() + conf.EVENTS_CONSUMER_CLAIM_SECONDS.total_seconds()
                if self._claim():
                    self._work(self._pending())
            with self._waiting():
                batch = self._group.read_new(READ_AT_ONCE, block=conf.EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT)
            self._failed_connections = 0
            self._work(batch)

    def _prepare(self) -> None:
        _refresh_connections()
        _require_writes()  # before anything is read, because that counts as a delivery
        self._group.ensure()
        if self._move_to is not None:
            self._group.move_to(self._move_to)
            self._move_to = None

    def _claim(self) -> int:
        idle = conf.EVENTS_CONSUMER_MIN_IDLE_SECONDS if self._claim_after is None else self._claim_after
        claimed = self._group.claim(idle=idle)
        self.counts["claimed"] += claimed
        return claimed

    def _pending(self) -> Iterator[Delivery]:
        """Yield what is in hand already, without what has killed the consumer each time."""
        for delivery in self._group.pending():
            if delivery.fields and self._group.deliveries(delivery.id) > conf.EVENTS_CONSUMER_MAX_DELIVERIES:
                self._give_up_killer(delivery)
            else:
                yield delivery

    def _work(self, deliveries: Iterable[Delivery], *, retry: bool = True) -> None:
        """Deal with deliveries in their order, and acknowledge them."""
        if time.monotonic() > self._refreshed + REFRESH_AFTER:
            _refresh_connections()
            self._refreshed = time.monotonic()
        if isinstance(deliveries, list):
            with suppress(DatabaseError):  # then each of them meets it again
                self._handler.expect(deliveries)
        for delivery in deliveries:
            if self._is_stopping:
                break
            self._deal_with(delivery, retry=retry)
            if time.monotonic() > self._acknowledged + ACKNOWLEDGE_AFTER:
                self._acknowledge()
        self._acknowledge()

    def _deal_with(self, delivery: Delivery | None, *, retry: bool) -> None:
        """Try until the entry needs no further delivery, or is not ours any more; later ones wait."""
        failures = 0
        while delivery is not None and not self._try(delivery):
            failures += 1
            if not retry and self._is_database_lost:
                raise OperationalError("The database has gone away.")
            if not retry or self._is_stopping:
                return
            self._acknowledge()
            self._wait(_backoff(failures, conf.EVENTS_CONSUMER_BACKOFF_SECONDS))
            _refresh_connections()
            if not self._is_database_lost:
                delivery = self._group.read_again(delivery.id)

    def _try(self, delivery: Delivery) -> bool:
        """Return whether the entry needs no further delivery."""
        self._is_database_lost = False
        if not delivery.fields:
            log.warning("%s: %s was trimmed before it was handled.", self._group.stream, delivery.id)
            self.counts["trimmed"] += 1
            self._handled.append(delivery.id)
            return True
        try:
            self._connection = None
            connections[database()].ensure_connection()
            self._connection = connections[database()].connection
            outcome = self._handler.handle(delivery)
        except Unusable as exc:
            self._write_dead_letter(delivery, str(exc), deliveries=1)
            self._note_error(f"{delivery.id} is unusable: {exc}")
            return True
        except Exception as exc:
            return self._is_given_up(delivery, exc)
        self._note_success(delivery, outcome)
        return True

    def _is_given_up(self, delivery: Delivery, exc: Exception) -> bool:
        """Return whether an entry has failed once too often.

        A database that has gone away, or takes no writes, is not its fault.
        """
        reason = _named(exc)
        is_read_only = isinstance(exc, DatabaseError) and was_read_only(exc)
        self._is_database_lost = is_read_only or not _has_survived(self._connection)
        if self._is_database_lost:
            what = "takes no writes" if is_read_only else "has gone away"
            self._note_error(f"{delivery.id}: the database {what} ({reason})")
            _close_connection()
            return False
        self.counts["failure"] += 1
        deliveries = self._group.deliveries(delivery.id)
        if deliveries >= conf.EVENTS_CONSUMER_MAX_DELIVERIES:
            self._write_dead_letter(delivery, reason, deliveries=deliveries)
        self._note_error(f"{delivery.id} has failed, delivery {deliveries}: {reason}")
        return deliveries >= conf.EVENTS_CONSUMER_MAX_DELIVERIES

    def _give_up_killer(self, delivery: Delivery) -> None:
        if self._handler.has_handled(delivery):
            self._note_success(delivery, Outcome.DUPLICATE)
            return
        deliveries = self._group.deliveries(delivery.id) - 1  # but for the one just now
        reason = "it was delivered again and again, and the consumer ended before it was dealt with"
        self._write_dead_letter(delivery, reason, deliveries=deliveries)
        self._note_error(f"{delivery.id}: {reason}")

    def _write_dead_letter(self, delivery: Delivery, reason: str, *, deliveries: int) -> None:
        """Keep an entry where it can be replayed from; only then is it acknowledged."""
        stream = self._group.stream
        fields = letter(delivery, stream=stream, group=self.group_id, error=reason, deliveries=deliveries)
        self._group.write(stream_of_dead_letters(stream, self.group_id), fields)
        self._group.acknowledge([delivery.id])
        self.counts["dead letter"] += 1
        log.error("%s: %s is a dead letter of %s now: %s", stream, delivery.id, self.group_id, reason)

    def _note_success(self, delivery: Delivery, outcome: Outcome) -> None:
        self._handled.append(delivery.id)
        self._errors_in_a_row = 0
        self.counts[outcome.value] += 1
        if conf.EVENT_BUS_REDIS_AUDIT_LOGGING_ENABLED and audit.isEnabledFor(logging.INFO):
            event_type, event_id = (_printable(delivery.fields.get(name, b"")) for name in (b"type", b"id"))
            audit.info(
                "%s %s, entry %s of %s: %s.", event_type, event_id, delivery.id, self._group.stream, outcome.value
            )

    def _note_error(self, text: str) -> None:
        """Log an error, and give up after too many in a row.

        Raises:
            TooManyErrors: these are too many.
        """
        self.counts["error"] += 1
        self._errors_in_a_row += 1
        log.error("%s: %s", self._group.stream, text)
        limit = conf.EVENT_BUS_REDIS_CONSUMER_CONSECUTIVE_ERRORS_LIMIT
        if limit is not None and self._errors_in_a_row >= limit:
            with suppress(DatabaseError, library().RedisError, OSError):
                self._acknowledge()
            raise TooManyErrors(f"{self._errors_in_a_row} errors in a row, which is the limit.")

    def _acknowledge(self) -> None:
        self._handler.flush()
        self._group.acknowledge(self._handled)
        self._handled.clear()
        self._acknowledged = time.monotonic()

    def _wait(self, duration: timedelta) -> None:
        with self._waiting():
            time.sleep(duration.total_seconds())

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Let a signal end what is done inside: nothing there is lost by it."""
        self._is_waiting = True
        try:
            if self._is_stopping:
                raise _Interrupted
            yield
        finally:
            self._is_waiting = False


def _backoff(failures: int, first: timedelta) -> timedelta:
    """Return how long to wait after that many failures in a row: doubled each time, up to the configured limit."""
    return min(first * 2.0 ** min(failures - 1, 30), conf.EVENTS_CONSUMER_BACKOFF_MAX_SECONDS)


def _refresh_connections() -> None:
    """Close the connections that have failed or grown old, but for those with a transaction: a test's."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _close_connection() -> None:
    """Have the next statement connect again, perhaps to another server; a test's transaction is left alone."""
    connection = connections[database()]
    if not connection.in_atomic_block:
        connection.close()


def _require_writes() -> None:
    """Write nothing.

    Raises:
        django.db.Error: the database is away, or takes no writes.
    """
    ProcessedEvent.objects.using(database()).filter(pk=0).update(group="")


def _printable(header: bytes) -> str:
    """Return a header as one bounded line: of types that are not known here, nobody has looked at any."""
    text = header[: 4 * LONGEST_HEADER].decode(errors="replace")[:LONGEST_HEADER]
    return text if text.isprintable() else ascii(text)[1:-1]


def _has_survived(driver_connection: Any) -> bool:
    """Say whether the connection to the database is still the one it was before a failure, and works.

    Django may have opened a new one already, while it rolled back.
    """
    connection = connections[database()]
    try:
        is_same = driver_connection is not None and connection.connection is driver_connection
        return is_same and bool(connection.is_usable())
    except Exception:
        return False


def _named(exc: BaseException) -> str:
    """Return what may be told of an exception: texts of ours, and for others the class, because they may quote rows."""
    if isinstance(exc, ReceiversFailed):
        return str(exc)
    return f"{type(exc).__module__}.{type(exc).__qualname__}"
