"""Celery's entry points: one call each."""

import logging

from celery import shared_task
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from events import relay
from events.conf import conf
from events.models import ProcessedEvent
from events.ports import BusUnavailable, get_producer, is_transport

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def relay_outbox(using: str = DEFAULT_DB_ALIAS) -> None:
    """Send what is due, for no longer than a lease; a second run finds the rest, or nothing."""
    if conf.EVENT_BUS_PRODUCER is None or not is_transport(get_producer()):
        return
    try:
        relay.relay_due(using=using, limit=conf.EVENTS_OUTBOX_LEASE_SECONDS.total_seconds())
    except BusUnavailable as exc:
        log.warning("The event bus takes nothing (%s); what is pending stays.", exc)


@shared_task(ignore_result=True)
def purge_outbox(using: str = DEFAULT_DB_ALIAS) -> None:
    """Delete what was sent long enough ago."""
    relay.purge(using=using)


@shared_task(ignore_result=True)
def purge_processed_events() -> None:
    """Forget consumed events that cannot be delivered again any more."""
    ProcessedEvent.objects.purge(timezone.now() - conf.EVENTS_CONSUMER_RETENTION_DAYS)
