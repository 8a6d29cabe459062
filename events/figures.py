"""How the outbox is doing, in numbers: from the database, when asked."""

from datetime import timedelta

import attrs
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, Sum
from django.utils import timezone

from events.models import OutboxEvent
from events.ports import get_producer
from events.producer_config import enabled_topics

MINUTE = timedelta(minutes=1)


@attrs.frozen
class Figures:
    """What one database's outbox holds.

    Attributes:
        pending: how many events the bus has not confirmed yet.
        oldest_pending_seconds: for how long the oldest of them has been waiting; 0 if there is none.
        sent_per_minute: how many the bus has confirmed in the last minute.
        retries: how often pending events have been refused, all together.
        dead: how many were given up.
        largest_key_backlog: how many events of one key are waiting, at most.
    """

    pending: int
    oldest_pending_seconds: float
    sent_per_minute: int
    retries: int
    dead: int
    largest_key_backlog: int


def figures(using: str = DEFAULT_DB_ALIAS) -> Figures:
    """Return the figures of this moment, in a few statements that do not read what has been sent."""
    now = timezone.now()
    rows = OutboxEvent.objects.using(using)
    waiting = rows.pending().aggregate(pending=Count("id"), retries=Sum("attempts"))
    oldest = rows.longest_waiting_first().values_list("created", flat=True).first()
    backlogs = rows.pending().values("lane").annotate(length=Count("id")).order_by("-length")
    return Figures(
        pending=waiting["pending"],
        oldest_pending_seconds=0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()),
        sent_per_minute=rows.published_since(now - MINUTE).count(),
        retries=waiting["retries"] or 0,
        dead=rows.dead().count(),
        largest_key_backlog=backlogs.values_list("length", flat=True).first() or 0,
    )


def greatest_group_lag() -> int | None:
    """Return how many entries the slowest group has still to read; None if the bus does not tell."""
    tell = getattr(get_producer(), "greatest_group_lag", None)
    if tell is None:
        return None
    lag: int | None = tell(sorted(enabled_topics()))
    return lag
