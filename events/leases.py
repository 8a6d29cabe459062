"""What a relay does in the database: takes the rows of some keys for itself, and writes down what became of them.

A relay takes the oldest pending rows of a key, without a gap, and only if nobody has a lease on any of them. Its own
lease stands on the first of them alone: whoever comes later meets it before anything behind it. A row that commits late
may have a lower id than the leased one; it and the leased ones are then of different entities, because an entity's rows
are written under its lock, and only among these is there an order to keep.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

import attrs
from django.db import OperationalError, connections, transaction
from django.db.models import F, Q
from django.utils import timezone

from coursecredit.transactions import was_sacrificed
from events.choices import OutboxState
from events.conf import conf
from events.models import LONGEST_ERROR, OutboxEvent
from events.querysets import OutboxQuerySet

LANES = 2**63
ATTEMPTS = 5
LONGEST_BACKOFF = 300.0  # seconds

MARK = """
UPDATE events_outboxevent
SET state = 'sent', lane = NULL, sent_at = %s, locked_until = NULL, locked_by = '', last_error = '',
    broker_id = CASE id {cases} END
WHERE id IN ({ids}) AND state = 'pending' AND NOT delete_once_sent
"""

# PostgreSQL need not wait for its disk here: if it crashes, a lease ends early and what was sent is sent again. Arrays
# of ids, rather than joins, have it look rows up by their primary key. So has `state`: with `lane`, which says the
# same, it would read all that is waiting.
POSTGRES_MARK = """
UPDATE events_outboxevent
SET state = 'sent', lane = NULL, sent_at = %s, locked_until = NULL, locked_by = '', last_error = '',
    broker_id = (%s::text[])[array_position(%s::bigint[], id)]
WHERE id = ANY(%s) AND state = 'pending' AND NOT delete_once_sent
    AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
"""
POSTGRES_LEASE = """
UPDATE events_outboxevent SET locked_until = %s, locked_by = %s
WHERE id = ANY(ARRAY(
    SELECT id FROM events_outboxevent
    WHERE id = ANY(%s) AND state = 'pending' AND (next_attempt_at IS NULL OR next_attempt_at <= %s)
        AND (locked_until IS NULL OR locked_until <= %s)
    FOR UPDATE SKIP LOCKED
)) AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
RETURNING id
"""

Result = TypeVar("Result")


class Row(NamedTuple):
    """What a relay needs to know of a pending event."""

    id: int
    lane: int
    topic: str
    key: str
    event_id: UUID
    event_type: str
    minorversion: int
    source: str
    sourcehost: str
    sourcelib: str
    time: datetime
    payload: bytes
    attempts: int
    next_attempt_at: datetime | None
    locked_until: datetime | None


@attrs.define
class Claim:
    """Rows that a relay has for itself until its lease ends, the rows of a key together and in order.

    Attributes:
        rows: the rows.
        heads: ids of those that carry a lease.
        is_all: whether nothing else was waiting anywhere.
        is_round: whether the last of all keys has been passed on the way.
    """

    rows: list[Row]
    heads: list[int]
    is_all: bool
    is_round: bool


@attrs.frozen
class Refusal:
    """A row that the bus refused, and why."""

    row: Row
    reason: str


class Lessee:
    """One relay as the database knows it. It goes round all keys, so that none starves."""

    def __init__(self, using: str) -> None:
        self.name = uuid4().hex
        self._using = using
        # Several relays begin at different places.
        self._after = random.randrange(-LANES, LANES)  # noqa: S311  # spreads rivals, guards nothing

    def claim(self, limit: int) -> Claim:
        """Take up to `limit` due rows, of one key or of many. Where relays meet, nobody waits."""
        now = timezone.now()
        page, is_round = self._page(limit)
        is_all = len(page) < limit
        lanes = [list(rows) for _, rows in groupby(page, key=lambda row: row.lane)]
        free = [rows for rows in (_free(rows, now) for rows in lanes) if rows]
        if not free:
            return Claim([], [], is_all, is_round)
        heads = self._lease([rows[0].id for rows in free], now)
        rows = [row for rows in free if rows[0].id in heads for row in rows]
        return Claim(rows, list(heads), is_all, is_round)

    def settle(self, claim: Claim, sent: Sequence[tuple[int, str]], refused: Sequence[Refusal]) -> Sequence[Refusal]:
        """Write down what became of the rows, in one transaction, and give all leases back.

        Args:
            claim: what `claim` returned.
            sent: id of each row that the bus has, and of its entry there.
            refused: rows that the bus refused; those behind them, and all others, stay as they are.

        Returns:
            The refused rows that are given up.
        """
        dead = [refusal for refusal in refused if refusal.row.attempts + 1 >= conf.EVENTS_OUTBOX_MAX_ATTEMPTS]
        sent_ids = {id for id, _ in sent}

        kept = [head for head in claim.heads if head not in sent_ids]

        def write() -> None:
            if sent and self._mark(sent) < len(sent):
                # Somebody is to be forgotten, or another relay was faster after our lease had ended.
                self._rows(id__in=sent_ids, delete_once_sent=True).delete()
            for refusal in refused:
                self._refuse(refusal, is_dead=refusal in dead)
            if kept:
                self._rows(id__in=kept, locked_by=self.name).update(locked_until=None, locked_by="")

        self._retried(write, is_one_statement=not refused and not kept)
        return dead

    def release(self, claim: Claim) -> None:
        """Give all leases back without any result."""
        self.settle(claim, [], [])

    def _page(self, limit: int) -> tuple[list[Row], bool]:
        """Return the next waiting rows, key by key, and whether the last key was passed."""
        waiting = OutboxEvent.objects.using(self._using).order_by("lane", "id").values_list(*Row._fields)
        rows = list(waiting.filter(lane__gt=self._after)[:limit])
        is_round = len(rows) < limit
        if is_round:
            rows += waiting.filter(lane__lte=self._after)[: limit - len(rows)]
        if rows:
            self._after = rows[-1][1]
        return [Row._make(row) for row in rows], is_round

    def _lease(self, heads: list[int], now: datetime) -> set[int]:
        """Put a lease on rows, and return those for which that worked."""
        lease = {"locked_until": now + conf.EVENTS_OUTBOX_LEASE_SECONDS, "locked_by": self.name}
        due = self._rows(_at(now, "next_attempt_at"), _at(now, "locked_until"), id__in=heads, state=OutboxState.PENDING)

        def take() -> set[int]:
            if connections[self._using].features.has_select_for_update_skip_locked:
                ids = list(due.select_for_update(skip_locked=True).values_list("id", flat=True))
                self._rows(id__in=ids).update(**lease)
                return set(ids)
            if due.update(**lease) == len(heads):
                return set(heads)
            return set(self._rows(id__in=heads, locked_by=self.name).values_list("id", flat=True))

        return self._retried(take)

    def _mark(self, sent: Sequence[tuple[int, str]]) -> int:
        sql = MARK.format(cases="WHEN %s THEN %s " * len(sent), ids=", ".join(["%s"] * len(sent)))
        now = connections[self._using].ops.adapt_datetimefield_value(timezone.now())
        pairs = [value for pair in sent for value in pair]
        with self._execute(sql, [now, *pairs, *(id for id, _ in sent)]) as cursor:
            return int(cursor.rowcount)

    def _refuse(self, refusal: Refusal, *, is_dead: bool) -> None:
        row = self._rows(id=refusal.row.id, state=OutboxState.PENDING)
        if is_dead:
            row.filter(delete_once_sent=True).delete()
        row.update(
            attempts=F("attempts") + 1,
            last_error=refusal.reason[:LONGEST_ERROR],
            next_attempt_at=timezone.now() + backoff(refusal.row.attempts),
            locked_until=None,
            locked_by="",
            **({"state": OutboxState.DEAD, "lane": None} if is_dead else {}),
        )

    def _execute(self, sql: str, parameters: Sequence[Any]) -> Any:
        cursor = connections[self._using].cursor()
        cursor.execute(sql, parameters)
        return cursor

    def _rows(self, *conditions: Q, **filters: Any) -> OutboxQuerySet:
        return OutboxEvent.objects.using(self._using).filter(*conditions, **filters)

    def _retried(self, work: Callable[[], Result], *, is_one_statement: bool = False) -> Result:
        """Do something in a transaction, again if the database had to sacrifice it."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with nullcontext() if is_one_statement else transaction.atomic(using=self._using):
                    return work()
            except OperationalError as exc:
                if attempt == ATTEMPTS or not was_sacrificed(exc):
                    raise
            time.sleep(random.uniform(0, 0.05 * attempt))  # noqa: S311  # spreads rivals, guards nothing
        raise AssertionError("The last attempt returns or raises.")


class PostgresLessee(Lessee):
    """The same in one statement each."""

    def _lease(self, heads: list[int], now: datetime) -> set[int]:
        until = now + conf.EVENTS_OUTBOX_LEASE_SECONDS
        with self._execute(POSTGRES_LEASE, [until, self.name, heads, now, now]) as cursor:
            return {id for (id,) in cursor.fetchall()}

    def _mark(self, sent: Sequence[tuple[int, str]]) -> int:
        ids, entries = zip(*sent, strict=True)
        with self._execute(POSTGRES_MARK, [timezone.now(), list(entries), list(ids), list(ids)]) as cursor:
            return int(cursor.rowcount)


def lessee(using: str) -> Lessee:
    """Return what suits the database."""
    return (PostgresLessee if connections[using].vendor == "postgresql" else Lessee)(using)


def backoff(failures: int, *, longest: float = LONGEST_BACKOFF) -> timedelta:
    """Return how long to wait after some failures before: at most 1 s, doubled with each, and any part of that."""
    limit = min(longest, 2.0 ** min(failures, 30))
    return timedelta(seconds=random.uniform(0, limit))  # noqa: S311  # spreads rivals, guards nothing


def _free(rows: list[Row], now: datetime) -> list[Row]:
    """Return the first rows of a lane up to one that has a lease or waits for its next attempt."""
    for position, row in enumerate(rows):
        if _is_later(row.next_attempt_at, now) or _is_later(row.locked_until, now):
            return rows[:position]
    return rows


def _is_later(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment.astimezone(UTC) > now


def _at(now: datetime, field: str) -> Q:
    return Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__lte": now})
