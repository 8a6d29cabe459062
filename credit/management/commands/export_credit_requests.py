"""Write credit requests as CSV, for providers to compare their books with: `manage.py export_credit_requests`."""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import CommandError, CommandParser

from coursecredit.spreadsheets import harmless
from credit import api
from credit.api import operations
from credit.choices import RequestStatus
from credit.management.base import INTERRUPTED, ThoroughCommand, moment
from credit.management.progress import Progress
from credit.types import CreditRequestRecord

COLUMNS = ("uuid", "username", "course_key", "provider_id", "status", "created", "modified", "last_callback")


class Command(ThoroughCommand):
    help = (
        "Write credit requests as CSV in UTF-8, oldest first, times in UTC. What a spreadsheet program would take "
        "for a formula begin with an apostrophe. The rows name learners: keep the file accordingly. A file is written "
        "under another name first, so it is complete or not there. Exit status: 0, or 130 if it was interrupted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--provider", action="append", default=[], metavar="ID", help="only this provider; may be repeated"
        )
        parser.add_argument(
            "--status", action="append", default=[], choices=RequestStatus.values, help="only these; may be repeated"
        )
        parser.add_argument("--since", type=moment, metavar="DATE", help="only what has changed since then")
        parser.add_argument("--output", type=Path, metavar="FILE", help="where to write; without it, standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = {"provider_ids": options["provider"], "statuses": options["status"], "since": options["since"]}
        if unknown := set(options["provider"]) - {provider["id"] for provider in api.list_providers()}:
            raise CommandError(f"There is no provider {', '.join(sorted(unknown))}.")
        progress = Progress(self.stderr_as_it_is, operations.count_credit_requests(**wanted), what="requests")
        try:
            with self._opened(options["output"]) as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(COLUMNS)
                for record in operations.credit_requests(**wanted):
                    writer.writerow(_row(record))
                    progress.advance()
        except KeyboardInterrupt:
            progress.end()
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from None
        except OSError as exc:
            raise CommandError(f"The rows could not be written: {exc.strerror}.") from exc
        progress.end()

    @contextmanager
    def _opened(self, path: Path | None) -> Iterator[Any]:
        if path is None:
            yield self.stdout._out  # Django's wrapper ends every write with a line
            return
        with NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", newline="", delete=False
        ) as stream:
            try:
                yield stream
                stream.flush()
                os.replace(stream.name, path)
            except BaseException:
                os.unlink(stream.name)
                raise


def _row(record: CreditRequestRecord) -> list[str]:
    called = record.last_callback_timestamp
    return [
        record.uuid,
        harmless(record.username),
        harmless(str(record.course_key)),
        record.provider_id,
        record.status,
        _utc(record.created),
        _utc(record.modified),
        "" if called is None else _utc(datetime.fromtimestamp(called, UTC)),
    ]


def _utc(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
