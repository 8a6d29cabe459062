"""`manage.py retry_outbox`: sends again what was given up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from events import relay


class Command(BaseCommand):
    """Events that could not be encoded have no payload and stay as they are."""

    help = "Have dead events of the outbox sent again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, help="ids of rows, as the staff pages show them")
        parser.add_argument("--all-dead", action="store_true", help="all of them")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="alias of the database with the outbox")

    def handle(self, **options: Any) -> None:
        ids = options["ids"]
        if bool(ids) == options["all_dead"]:
            raise CommandError("Name the ids of rows, or say --all-dead.")
        count = relay.retry(ids=None if options["all_dead"] else ids, using=options["database"])
        self.stdout.write(f"{count} will be sent again.")
        if count < len(ids):
            raise CommandError(f"{len(ids) - count} of these rows are not dead, or have no payload.")
