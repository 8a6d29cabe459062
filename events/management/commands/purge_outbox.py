"""`manage.py purge_outbox`: deletes what was sent long ago."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from events import relay


class Command(BaseCommand):
    """Payloads hold personal data, so they are not kept longer than needed. Pending and dead rows stay."""

    help = "Delete events that were sent long ago from the outbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, help="kept since they were sent; by default EVENTS_OUTBOX_RETENTION_DAYS"
        )
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="alias of the database with the outbox")

    def handle(self, **options: Any) -> None:
        if options["days"] is not None and not 0 <= options["days"] <= relay.LONGEST_RETENTION:
            raise CommandError(f"--days must be a number from 0 to {relay.LONGEST_RETENTION}.")
        self.stdout.write(f"{relay.purge(using=options['database'], days=options['days'])} deleted.")
