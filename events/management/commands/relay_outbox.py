"""`manage.py relay_outbox`: takes events from the outbox to the bus."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from events import relay
from events.conf import GREATEST_BATCH
from events.management.metrics import serve_outbox_metrics
from events.management.stopping import until_asked_to_stop
from events.ports import BusUnavailable


class Command(BaseCommand):
    """Runs until stopped; SIGTERM and SIGINT have it finish the batch in hand. Any number of these may run."""

    help = "Send the events of the outbox to the bus."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop when nothing is due; 1 if the bus takes nothing")
        parser.add_argument("--batch", type=int, help="events at a time; by default EVENTS_OUTBOX_BATCH")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="alias of the database with the outbox")
        parser.add_argument("--metrics-port", type=int, help="serve figures for Prometheus on this port of 127.0.0.1")
        parser.add_argument("--metrics-address", default="127.0.0.1", help="serve them on another address")

    def handle(self, **options: Any) -> None:
        if options["batch"] is not None and not 1 <= options["batch"] <= GREATEST_BATCH:
            raise CommandError(f"--batch must be a number from 1 to {GREATEST_BATCH}.")
        work = {"using": options["database"], "batch": options["batch"]}
        try:
            if options["metrics_port"] is not None:
                serve_outbox_metrics(options["metrics_port"], options["metrics_address"], using=options["database"])
            if options["once"]:
                self.stdout.write(f"{relay.relay_due(**work)} sent.")
            else:
                with until_asked_to_stop() as stop:
                    relay.relay_until(stop, **work)
        except BusUnavailable as exc:
            raise CommandError(f"The event bus takes nothing ({exc}); what is pending stays.") from exc
        except ImproperlyConfigured as exc:
            raise CommandError(str(exc)) from exc
