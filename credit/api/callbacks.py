"""Providers' callbacks, and the log that says what became of each."""

import logging
from datetime import datetime

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from coursecredit.transactions import retried_atomic
from credit.api import provider
from credit.choices import CallbackOutcome
from credit.models import CallbackLog
from credit.types import SigningKey

BATCH = 1000

log = logging.getLogger(__name__)


class _NotNoted(Exception):
    """The log did not take the entry, and the transaction is lost."""


def accept_callback(request_uuid: str, provider_id: str, status: str, *, timestamp: int, key: SigningKey) -> None:
    """Record a provider's decision as `record_provider_decision` does, and note in the same transaction that it came.

    A log that fails is left out: the decision is recorded all the same.

    Raises:
        InvalidCreditStatus, CreditRequestNotFound, StaleCreditDecision: as there; nothing is noted.
    """
    try:
        _decide_and_note(request_uuid, provider_id, status, timestamp=timestamp, key=key)
    except _NotNoted as exc:
        log.error("The callback log did not take an accepted callback (%s).", type(exc.__cause__).__name__)
        provider.record_provider_decision(request_uuid, provider_id, status, timestamp=timestamp)


@retried_atomic
def _decide_and_note(request_uuid: str, provider_id: str, status: str, *, timestamp: int, key: SigningKey) -> None:
    provider.decide_by_callback(request_uuid, provider_id, status, timestamp=timestamp)
    try:
        CallbackLog.objects.create(
            provider_id=provider_id,
            outcome=CallbackOutcome.ACCEPTED,
            key_position=key.position,
            key_count=key.count,
        )
    except DatabaseError as exc:
        raise _NotNoted from exc


def note_refused_callback(provider_id: str, reason: str, *, times: int = 1) -> None:
    """Count refused callbacks in the log; outside of the transaction that was rolled back for them. Never raises.

    Args:
        provider_id: a provider that exists, or "": callers do not fill the table with names of their own.
        reason: the error's code word, from a small, fixed set.
        times: how many callbacks.
    """
    try:
        _count_refused(provider_id, reason, times, timezone.now())
    except Exception as exc:
        log.error("The callback log did not take a refused callback (%s).", type(exc).__name__)


@retried_atomic
def _count_refused(provider_id: str, reason: str, times: int, now: datetime) -> None:
    same = {"minute": now.replace(second=0, microsecond=0), "provider_id": provider_id, "reason": reason}
    rows = CallbackLog.objects.filter(**same)
    if rows.update(times=F("times") + times):
        return
    try:
        with transaction.atomic():
            CallbackLog.objects.create(**same, outcome=CallbackOutcome.REFUSED, received=now, times=times)
    except IntegrityError:  # somebody else was first
        rows.update(times=F("times") + times)


def purge_callback_log(*, before: datetime) -> int:
    """Delete what was noted before a moment, in batches that commit one by one; return how many rows were deleted."""
    deleted = 0
    old = CallbackLog.objects.received_before(before).order_by("received").values_list("pk", flat=True)
    while batch := list(old[:BATCH]):
        deleted += CallbackLog.objects.filter(pk__in=batch).delete()[0]
    return deleted
