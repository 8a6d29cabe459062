"""What the commands of this app share: how they take arguments, work through much, and end."""

import argparse
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from django.utils.dateparse import parse_date, parse_datetime
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from credit.api import operations
from credit.management.progress import Progress

MOST_HOURS = 100 * 365 * 24
INTERRUPTED = 130  # as a shell reports a process that Ctrl-C has ended
EXIT_STATUS = "Exit status: 0 if nothing failed, 1 if something did, 130 if it was interrupted."

Item = TypeVar("Item")


class ThoroughCommand(BaseCommand):
    """A command that does one thing many times. Each is done or not, so it may be interrupted and run again."""

    def work_through(
        self,
        items: Iterable[Item],
        do: Callable[[Item], bool],
        *,
        total: int,
        what: str,
        name: Callable[[Item], str],
        done: str = "changed",
    ) -> None:
        """Do it to each, going on after a failure, and say how many there were.

        Args:
            items: what to work through.
            do: returns whether it changed something, or what `done` says.
            total: how many items there are.
            what: what they are, for people.
            name: what identifies one, without naming a person.
            done: what became of those for which `do` returned true, for people.

        Raises:
            CommandError: something failed, or somebody pressed Ctrl-C.
        """
        progress = Progress(self.stderr_as_it_is, total, what=what)
        changed = failed = 0
        interrupted = False
        try:
            for item in items:
                try:
                    changed += do(item)
                except Exception as exc:  # the next one may do
                    failed += 1
                    self.stderr.write(f"{name(item)}: {type(exc).__name__}")
                progress.advance()
        except KeyboardInterrupt:
            interrupted = True
        progress.end()
        self.stdout.write(f"{progress.done} {what}: {changed} {done}, {failed} failed.")
        if interrupted:
            raise CommandError("Interrupted. What is done stays; the same command goes on.", returncode=INTERRUPTED)
        if failed:
            raise CommandError(f"{failed} failed.", returncode=1)

    @property
    def stderr_as_it_is(self) -> Any:
        """The error stream without Django's additions: it neither ends lines nor colours them."""
        return self.stderr._out if isinstance(self.stderr, OutputWrapper) else self.stderr

    def add_course_arguments(self, parser: CommandParser) -> None:
        """Take courses by key, or all of them."""
        courses = parser.add_mutually_exclusive_group(required=True)
        courses.add_argument(
            "--course", type=course_key, action="append", metavar="KEY", default=[], help="a course; may be repeated"
        )
        courses.add_argument("--all", action="store_true", help="all courses in which credit can be earned")

    def courses(self, options: dict[str, Any]) -> list[CourseKey]:
        """Return the courses that were asked for."""
        enabled = operations.list_enabled_courses()
        if options["all"]:
            return enabled
        unknown = [str(key) for key in options["course"] if key not in enabled]
        if unknown:
            raise CommandError(f"No credit can be earned in {', '.join(unknown)}.")
        return list(dict.fromkeys(options["course"]))


def course_key(text: str) -> CourseKey:
    """Return the course key of a command line."""
    try:
        return CourseKey.from_string(text)
    except InvalidKeyError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a course key such as course-v1:Org+Number+Run") from None


def hours(text: str) -> float:
    """Return a number of hours of a command line: from none to a hundred years."""
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= MOST_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours from 0 to {MOST_HOURS}")
    return number


def moment(text: str) -> datetime:
    """Return the moment, or the beginning of the day, of a command line; without an offset it is in UTC."""
    try:
        parsed = parse_datetime(text)
        day = parse_date(text)
    except ValueError:  # the form of one, and no such day
        parsed = day = None
    if day is not None and parsed is None:
        parsed = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if parsed is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-07-01 or 2026-07-01T12:00:00Z")
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
