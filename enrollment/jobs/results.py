"""The result file: which row became what, as CSV that a spreadsheet program may open."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from coursecredit.spreadsheets import harmless
from enrollment.jobs.processors import Row, RowResult

COLUMNS = ("row", "line", "status", "code", "message")
OK, FAILED = "ok", "failed"


def header(result_columns: Sequence[str]) -> str:
    """Return the first line."""
    return _text([[*COLUMNS, *result_columns]])


def lines(rows: Sequence[Row], results: Sequence[RowResult], result_columns: Sequence[str]) -> str:
    """Return the lines of some rows."""
    return _text(
        [
            row.number,
            row.line,
            OK if result.ok else FAILED,
            result.code,
            result.message,
            *(result.details.get(column, "") for column in result_columns),
        ]
        for row, result in zip(rows, results, strict=True)
    )


def _text(records: Iterable[Iterable[Any]]) -> str:
    out = StringIO(newline="")
    csv.writer(out).writerows([harmless(str(cell)) for cell in record] for record in records)
    return out.getvalue()
