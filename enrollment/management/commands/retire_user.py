"""Remove a person from the site: `manage.py retire_user`."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from enrollment import api
from enrollment.errors import RetiredNameInUse, UserNotFoundError


class Command(BaseCommand):
    help = (
        "Remove a person from every table of every app, all or nothing; see docs/retirement.md. "
        "The person is named by the account's id, so that no name ends in a shell's history."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user_id", type=int, help="primary key of the account")
        parser.add_argument(
            "retired_username", help="the name that takes the person's place: one that no account has, or will have"
        )
        parser.add_argument("--dry-run", action="store_true", help="count what would be forgotten, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model()._default_manager.filter(pk=options["user_id"]).first()
        try:
            if user is None:
                raise UserNotFoundError
            with transaction.atomic():
                counts = api.retire_user(user, retired_username=options["retired_username"])
                if options["dry_run"]:
                    transaction.set_rollback(True)
        except (RetiredNameInUse, UserNotFoundError) as exc:
            raise CommandError(str(exc)) from exc
        for kind, count in counts.items():
            self.stdout.write(f"{kind}: {count}")
        self.stdout.write("Nothing was changed." if options["dry_run"] else f"User {options['user_id']} is retired.")
