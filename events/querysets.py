"""Questions to the tables of this app."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

from events.choices import OutboxState

if TYPE_CHECKING:
    from events.models import OutboxEvent, ProcessedEvent  # noqa: F401  # types the querysets


class OutboxQuerySet(models.QuerySet["OutboxEvent"]):
    """Events on their way to the bus."""

    def pending(self) -> Self:
        """Those that the bus has not confirmed yet."""
        return self.filter(lane__isnull=False)

    def not_pending(self) -> Self:
        """Those that are over: sent or given up."""
        return self.filter(lane__isnull=True)

    def sent(self) -> Self:
        """Those that the bus has."""
        return self.filter(sent_at__isnull=False)

    def dead(self) -> Self:
        """Those that were given up: the bus refused them, or they could not be encoded."""
        return self.filter(sent_at__isnull=True, state=OutboxState.DEAD)

    def retryable(self) -> Self:
        """Those given up that have a payload; what could not be encoded has none."""
        return self.dead().filter(payload__isnull=False)

    def published_before(self, moment: datetime) -> Self:
        """Those that the bus confirmed before a moment."""
        return self.filter(sent_at__lt=moment)

    def published_since(self, moment: datetime) -> Self:
        """Those that the bus confirmed at a moment or later."""
        return self.filter(sent_at__gte=moment)

    def about(self, user_id: int) -> Self:
        """Those whose payload is about one user."""
        return self.filter(subject_user_id=user_id)

    def oldest_first(self) -> Self:
        """In the order in which they were written."""
        return self.order_by("id")

    def longest_waiting_first(self) -> Self:
        """Those that are pending, by the time at which they were written; as the index has them."""
        waiting = self.filter(sent_at__isnull=True, state=OutboxState.PENDING)
        return waiting.order_by("sent_at", "state", "created")


class ProcessedQuerySet(models.QuerySet["ProcessedEvent"]):
    """Events from the bus that consumer groups have dealt with."""

    def purge(self, moment: datetime, *, batch: int = 1000) -> int:
        """Delete those noted before a moment, some at a time, so that no statement takes long; return how many."""
        deleted = 0
        while ids := list(self.filter(processed__lt=moment).values_list("id", flat=True)[:batch]):
            deleted += self.filter(id__in=ids).delete()[0]
        return deleted
