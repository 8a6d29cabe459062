"""Send the mail about an eligibility once more: `manage.py resend_credit_email`."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from credit import api
from credit.api import operations
from credit.choices import AuditSource
from credit.management.base import EXIT_STATUS, ThoroughCommand, hours, moment
from credit.types import ToldEligibility


class Command(ThoroughCommand):
    help = (
        "Owe learners the mail about their eligibility once more, as after mail was lost; the periodic task sends it. "
        "Expired eligibilities, and those that staff added, are left out, and who was sent one of late, so that a "
        "second run sends nothing twice. " + EXIT_STATUS
    )

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_course_arguments(parser)
        parser.add_argument("--username", action="append", default=[], help="only this learner; may be repeated")
        parser.add_argument(
            "--since", type=moment, metavar="DATE", help="only eligibilities earned since then, such as 2026-07-01"
        )
        parser.add_argument("--everybody", action="store_true", help="all learners, if neither of these is given")
        parser.add_argument(
            "--not-within",
            type=hours,
            default=24,
            metavar="HOURS",
            help="leave out whose mail was sent in the last so many hours; 0: nobody (%(default)s)",
        )
        parser.add_argument("--dry-run", action="store_true", help="count the mails, and owe none")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (options["username"] or options["since"] or options["everybody"]):
            raise CommandError("Say whom to write to: --username, --since or --everybody.")
        spared = timedelta(hours=options["not_within"])
        wanted: dict[str, Any] = {
            "course_keys": self.courses(options),
            "usernames": options["username"],
            "earned_since": options["since"],
            "told_before": timezone.now() - spared if spared else None,
        }
        count = operations.count_eligibilities_to_tell(**wanted)
        if options["dry_run"]:
            self.stdout.write(f"{count} mails would be owed.")
            return
        self.work_through(
            operations.eligibilities_to_tell(**wanted),
            _owe,
            total=count,
            what="mails",
            name=lambda row: f"eligibility {row.id}",
        )


def _owe(row: ToldEligibility) -> bool:
    api.resend_eligibility_mail(row.username, row.course_key, source=AuditSource.STAFF, actor="resend_credit_email")
    return True
