"""`manage.py outbox_status`: how the outbox is doing."""

import json
from typing import Any

import attrs
from django.core.management.base import BaseCommand, CommandParser
from django.db import DEFAULT_DB_ALIAS

from events.figures import figures


class Command(BaseCommand):
    """Reads the database only."""

    help = "Show how many events are waiting, for how long, and how many were given up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="alias of the database with the outbox")

    def handle(self, **options: Any) -> None:
        values = attrs.asdict(figures(options["database"]))
        if options["json"]:
            self.stdout.write(json.dumps(values))
            return
        for name, value in values.items():
            self.stdout.write(f"{name.replace('_', ' '):<24}{value:>12g}")
