"""Celery's entry points: one call each."""

from celery import shared_task
from django.db import DEFAULT_DB_ALIAS

from events import relay


@shared_task(ignore_result=True)
def relay_outbox(using: str = DEFAULT_DB_ALIAS) -> None:
    """Send what is due; a second run finds nothing."""
    relay.relay_due(using=using)


@shared_task(ignore_result=True)
def purge_outbox(using: str = DEFAULT_DB_ALIAS) -> None:
    """Delete what was sent long enough ago."""
    relay.purge(using=using)
