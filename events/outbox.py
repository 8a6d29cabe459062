"""The one door through which every event leaves this service."""

import logging
from collections.abc import Callable, Sequence

from django.db import transaction

from events.types import Emission

log = logging.getLogger("events.emitted")

observers: list[Callable[[Sequence[Emission], str], None]] = []
"""Called with what is appended and the database alias; `events.testing.captured_events` listens here."""


def append(emissions: Sequence[Emission], *, using: str) -> None:
    """Take validated events into the caller's transaction, before any receiver hears of them.

    Args:
        emissions: all events of one write, in the order in which they are told.
        using: alias of the database whose transaction makes them true.
    """
    for observe in observers:
        observe(emissions, using)

    def report() -> None:
        for emission in emissions:
            log.info("%s %s", emission.event_type, emission.metadata.id)

    after_commit(report, using=using, robust=True)


def after_commit(call: Callable[[], object], *, using: str, robust: bool) -> None:
    """Call when the open transaction commits, never if it rolls back; at once outside of an atomic block.

    Django's own function would ask the database even then, and refuses manual transaction management.
    """
    if transaction.get_connection(using).in_atomic_block:
        transaction.on_commit(call, using=using, robust=robust)
    else:
        call()
