"""Make learners eligible who have become so without an event: `manage.py recompute_credit_eligibility`."""

from typing import Any

from django.core.management.base import CommandParser
from opaque_keys.edx.keys import CourseKey

from credit import api, ports
from credit.api import operations
from credit.choices import AuditSource
from credit.management.base import EXIT_STATUS, ThoroughCommand


class Command(ThoroughCommand):
    help = (
        "Make eligible who satisfies all requirements of a course as they are now, as after a publication that dropped "
        "one. Each is announced and owed a mail like any other; nobody loses anything, and a second run finds nobody. "
        + EXIT_STATUS
    )

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_course_arguments(parser)
        parser.add_argument(
            "--username", action="append", default=[], help="only this learner; may be repeated; without it, all"
        )
        parser.add_argument("--dry-run", action="store_true", help="count who would be looked at, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        courses, usernames = self.courses(options), options["username"]
        due = {key: operations.count_learners_due(key, usernames) for key in courses}
        if options["dry_run"]:
            for key, count in due.items():
                self.stdout.write(f"{key}: {count} learners satisfy everything and are not eligible.")
            return
        self.work_through(
            ((key, username) for key in courses if due[key] for username in operations.learners_due(key, usernames)),
            self._re_evaluate,
            total=sum(due.values()),
            what="learners",
            name=_name,
        )

    def _re_evaluate(self, item: tuple[CourseKey, str]) -> bool:
        key, username = item
        return api.re_evaluate_eligibility(
            username, key, source=AuditSource.STAFF, actor="recompute_credit_eligibility"
        )


def _name(item: tuple[CourseKey, str]) -> str:
    key, username = item
    learner = ports.learners().by_username(username)
    return f"{key}, user {learner.id if learner else 'without an account'}"
