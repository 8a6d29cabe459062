"""A kind of job for tests: each row writes one note, and nothing would stop it from being written twice."""

import os
import signal
from collections import Counter
from io import BytesIO
from pathlib import Path

from enrollment import api, jobs
from enrollment.errors import InvalidJob
from enrollment.models import ManualEnrollmentAudit

KIND = "notes"


class Notes:
    """Writes a note per row; what a row says may also fail, go wrong, or kill the worker."""

    columns = ("text", "do")
    result_columns = ("written",)

    def check(self, parameters, columns):
        if unknown := set(parameters) - {"prefix", "graves"}:
            raise InvalidJob(f"Unknown parameters: {', '.join(sorted(unknown))}.")
        if columns is not None and "text" not in columns:
            raise InvalidJob("The column text is missing.")

    def process(self, rows, *, parameters, requested_by, dry_run):
        notes = []
        return [self._note(row, notes, parameters, requested_by) for row in rows] + self._write(notes)

    def _note(self, row, notes, parameters, requested_by):
        text, wanted = row.values["text"], row.values.get("do", "")
        if wanted == "refuse":
            return jobs.RowResult(ok=False, code="not_wanted", message=f"“{text}” is not wanted.")
        name = f"{parameters.get('prefix', '')}{text}"
        notes.append(ManualEnrollmentAudit(enrolled_email=name, state_transition="N/A", enrolled_by_id=requested_by))
        if wanted == "fail":
            self._write(notes)
            raise RuntimeError("a defect")
        if wanted == "die" or (wanted == "die once" and self._is_first(parameters["graves"], text)):
            self._write(notes)
            os.kill(os.getpid(), signal.SIGKILL)
        return jobs.RowResult(ok=True, code="written", details={"written": text})

    @staticmethod
    def _write(notes):
        ManualEnrollmentAudit.objects.bulk_create(notes)
        return []

    @staticmethod
    def _is_first(graves, text):
        grave = Path(graves) / text
        is_first = not grave.exists()
        grave.touch()
        return is_first


jobs.register(KIND, Notes())


def start(content, **options):
    """Start a job on a file with this content; return its id."""
    octets = content if isinstance(content, bytes) else content.encode()
    return api.start_job(KIND, BytesIO(octets), **{"input_format": "csv", **options})["id"]


def numbered(count, *, first=1):
    """Return a CSV file whose rows say their numbers."""
    return "text\n" + "".join(f"{number}\n" for number in range(first, first + count))


def written():
    """Return the notes, in the order in which they were written."""
    return list(ManualEnrollmentAudit.objects.order_by("pk").values_list("enrolled_email", flat=True))


def written_twice():
    return [text for text, times in Counter(written()).items() if times > 1]


def result_of(job_id):
    """Return the lines of a result file without its header."""
    with api.open_result(job_id) as file:
        return file.read().decode().splitlines()[1:]
