"""What other apps may ask of this one, beside its signals."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils import timezone

from events import outbox
from events.models import OutboxEvent
from events.tooling import OpenEdxPublicSignal
from events.types import Emission

__all__ = ["forget_subject", "send_events"]


def send_events(
    items: Iterable[tuple[OpenEdxPublicSignal, Mapping[str, Any]]],
    *,
    time: datetime | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> None:
    """Tell all facts of one bulk write, or none of them: nothing is sent if one is not valid.

    Receivers run as after `send_event`, in the order of the items. Events of disabled signals are left out.

    Args:
        items: signals with their arguments.
        time: when the facts became true, aware; by default now, the same moment for all.
        using: alias of the database whose transaction makes the facts true.

    Raises:
        SenderValidationError, TypeError, ValueError: as `send_event`.
    """
    moment = timezone.now() if time is None else time
    emissions: list[tuple[OpenEdxPublicSignal, Emission]] = []
    for signal, data in items:
        first = emissions[0][1].metadata if emissions else None
        emission = signal.prepare(data, time=moment, beside=first)
        if emission is not None:
            emissions.append((signal, emission))
    if not emissions:
        return
    outbox.append([emission for _, emission in emissions], using=using)
    for signal, emission in emissions:
        signal.deliver(emission, using=using)


def forget_subject(user_id: int, *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Delete the outbox rows about a user, for retirement: those sent or given up at once, the others once sent.

    What has reached the bus is no longer ours to delete: streams are trimmed by length.

    Args:
        user_id: the account's id.
        using: alias of the database that holds the rows.

    Returns:
        How many rows are deleted, now or later.
    """
    rows = OutboxEvent.objects.using(using).about(user_id)
    with transaction.atomic(using=using):
        # First the mark, on all: a relay may send a row meanwhile, or somebody have a dead one sent again. Whoever
        # sends a marked row deletes it.
        count = rows.update(delete_once_sent=True)
        rows.not_pending().delete()
    return count
