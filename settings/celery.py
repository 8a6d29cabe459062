"""The service's Celery application, and the site's own periodic work."""

from typing import Any

import django
from celery import Celery, signals
from django.core.management import BaseCommand, call_command
from django.core.management.base import SystemCheckError

app = Celery("course_credit")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.task(name="settings.celery.delete_expired")
def delete_expired() -> None:
    """Delete bearer tokens and sessions that are of no use to anybody any more."""
    call_command("cleartokens")
    call_command("clearsessions")


@signals.worker_init.connect(dispatch_uid="settings.celery")
@signals.beat_init.connect(dispatch_uid="settings.celery")
def stop_at_failed_checks(**kwargs: Any) -> None:
    """Run the system checks as every command does. Celery runs them too, but does not look at what they find."""
    django.setup()
    try:
        BaseCommand().check()
    except SystemCheckError as exc:
        # Celery logs what a receiver raises, and goes on.
        raise SystemExit(str(exc)) from exc
