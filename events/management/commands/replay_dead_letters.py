"""`manage.py replay_dead_letters`: tries again what a consumer group had given up."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.bus.redis import dead_letters


class Command(BaseCommand):
    """Handles each letter in this process, for the group that gave it up. Ends with 1 if letters remain."""

    help = "Handle a group's dead letters again, oldest first, and delete those that succeed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--topic", required=True, help="topic, without the environment's prefix")
        parser.add_argument("--group", required=True, help="consumer group")

    def handle(self, *, topic: str, group: str, **options: Any) -> None:
        try:
            replayed, remaining = dead_letters.replay(topic=topic, group=group, report=self.stderr.write)
        except ImproperlyConfigured as exc:
            raise CommandError(str(exc)) from exc
        except dead_letters.unavailable() as exc:
            raise CommandError(f"Redis or the database failed: {type(exc).__name__}.") from exc
        self.stdout.write(f"{replayed} replayed, {remaining} remain.")
        if remaining:
            raise CommandError("Letters that failed again are kept.")
