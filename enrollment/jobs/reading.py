"""Reading large files row by row: little memory, one answer to everything that is wrong, and places to go on from.

A file that cannot be read as a whole is refused before any of its rows is applied, with the line that is at fault.
"""

import csv
import json
import math
from collections.abc import Collection, Iterator
from typing import IO, Any

from attrs import evolve, frozen

from coursecredit.spreadsheets import as_written
from enrollment.choices import JobFormat
from enrollment.errors import UnreadableJobFile
from enrollment.jobs.processors import Row

LONGEST_RECORD = 128 * 1024
"""Bytes of one row with all its lines. The CSV module takes no longer cells than this by default."""
MAX_DEPTH = 20
QUOTED = 5
LONGEST_QUOTE = 40

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")
BINARY_BEGINNINGS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"%PDF")

Place = tuple[int, int, int]
"""Where to go on in a file: bytes, lines and rows before it."""
START: Place = (0, 0, 0)


@frozen
class RowFile:
    """An open file of rows.

    Attributes:
        columns: those of a CSV file, in its order; None for JSON lines.
    """

    stream: IO[bytes]
    known: frozenset[str]
    columns: list[str] | None = None
    delimiter: str = ","
    first: Place = START

    def rows(self, after: Place = START) -> Iterator[tuple[Row, Place]]:
        """Yield every row behind a place, with the place behind the row.

        Args:
            after: `START`, or what came with a row before.

        Raises:
            UnreadableJobFile
        """
        lines = _Lines(self.stream, max(after, self.first))
        read = _json_records(lines) if self.columns is None else _csv_records(lines, self.columns, self.delimiter)
        _, _, number = after
        for line, values in read:
            if self.columns is None and (unknown := [name for name in values if name not in self.known]):
                raise _unknown("members", unknown, self.known, line=line)
            number += 1
            yield Row(number, line, values), (lines.byte, lines.line, number)


def open_rows(stream: IO[bytes], input_format: str, known: Collection[str]) -> RowFile:
    """Return the rows of a file, whose first line has been read if it has to name the columns.

    Args:
        stream: from its beginning, and able to seek.
        input_format: a `JobFormat`.
        known: the columns there may be.

    Raises:
        UnreadableJobFile
    """
    file = RowFile(stream, frozenset(known))
    if input_format == JobFormat.JSON_LINES:
        return file
    lines = _Lines(stream, START)
    for line in lines:
        if line.strip():
            delimiter = next((mark for mark in (",", ";", "\t") if mark in line), ",")
            columns = _columns(line, lines.line, delimiter, file.known)
            first = (lines.byte, lines.line, 0)
            return evolve(file, columns=columns, delimiter=delimiter, first=first)
        lines.begin_record()
    raise UnreadableJobFile("The file is empty.")


class _Lines(Iterator[str]):
    """The lines of a stream as text, and how far they have been read."""

    def __init__(self, stream: IO[bytes], place: Place) -> None:
        self.byte, self.line, _ = place
        self._stream = stream
        self._left = LONGEST_RECORD
        stream.seek(self.byte)

    def begin_record(self) -> None:
        """Start to count what one record takes."""
        self._left = LONGEST_RECORD

    def __next__(self) -> str:
        raw = self._stream.readline(self._left + 1)
        if not raw:
            raise StopIteration
        is_first = self.byte == 0
        self.byte += len(raw)
        self.line += 1
        self._left -= len(raw)
        if is_first:
            raw = _without_mark(raw)
        if b"\0" in raw:
            raise UnreadableJobFile(f"Line {self.line} has NUL characters: this is no text file.")
        if self._left < 0:
            raise UnreadableJobFile(
                f"Line {self.line}: a row is longer than {LONGEST_RECORD // 1024} KB. Is a quote never closed?"
            )
        try:
            return raw.decode()
        except UnicodeDecodeError as exc:
            raise UnreadableJobFile(f"Line {self.line} is not in UTF-8; save the file in UTF-8.") from exc


def _without_mark(raw: bytes) -> bytes:
    if raw.startswith(OTHER_ENCODINGS):
        raise UnreadableJobFile("The file is in UTF-16; save it in UTF-8.")
    if raw.startswith(BINARY_BEGINNINGS):
        raise UnreadableJobFile("This is no text file; export the table as CSV in UTF-8.")
    return raw.removeprefix(BYTE_ORDER_MARK)


def _columns(header: str, line: int, delimiter: str, known: Collection[str]) -> list[str]:
    try:
        [cells] = csv.reader([header], delimiter=delimiter, strict=True)
    except csv.Error as exc:
        raise UnreadableJobFile(f"Line {line} has to name the columns, but is no CSV: {exc}.") from exc
    columns = [cell.strip().lower() for cell in cells]
    if unknown := [name for name in columns if name not in known]:
        raise _unknown("columns", unknown, known, line=line)
    if twice := {name for name in columns if columns.count(name) > 1}:
        raise UnreadableJobFile(f"Line {line} names columns twice: {', '.join(sorted(twice))}.")
    return columns


def _unknown(what: str, unknown: list[str], known: Collection[str], *, line: int) -> UnreadableJobFile:
    quoted = ", ".join(f"“{name[:LONGEST_QUOTE]}”" for name in unknown[:QUOTED])
    return UnreadableJobFile(f"Line {line} names unknown {what}: {quoted}. There are: {', '.join(sorted(known))}.")


def _csv_records(lines: _Lines, columns: list[str], delimiter: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin_record()
        begin = lines.line + 1
        try:
            cells = next(reader, None)
        except csv.Error as exc:
            raise UnreadableJobFile(f"Line {begin} is no CSV: {exc}.") from exc
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise UnreadableJobFile(f"Line {begin} has {len(cells)} cells instead of {len(columns)}.")
        yield begin, dict(zip(columns, map(as_written, cells), strict=True))


def _json_records(lines: _Lines) -> Iterator[tuple[int, dict[str, Any]]]:
    for text in lines:
        lines.begin_record()
        if text.strip():
            yield lines.line, _object(text, lines.line)


def _object(text: str, line: int) -> dict[str, Any]:
    try:
        values = json.loads(text, object_pairs_hook=_members, parse_constant=_refused)
        _check(values)
    except _Twice as exc:
        raise UnreadableJobFile(f"Line {line} has a member twice.") from exc
    except json.JSONDecodeError as exc:
        raise UnreadableJobFile(f"Line {line} is no JSON: {exc.msg}.") from exc
    except (ValueError, RecursionError) as exc:
        raise UnreadableJobFile(
            f"Line {line} has what cannot be stored: NUL, half a character, a number without end, or deep nesting."
        ) from exc
    if not isinstance(values, dict):
        raise UnreadableJobFile(f"Line {line} is no JSON object.")
    return values


class _Twice(ValueError):
    """An object has two members of one name."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Twice
    return members


def _refused(constant: str) -> float:
    raise ValueError(constant)


def _check(value: Any, depth: int = 1) -> None:
    """Raise `ValueError` for what no column takes: NUL, lone surrogates, endless numbers, deep nesting."""
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    if isinstance(value, str):
        value.encode()
        if "\0" in value:
            raise ValueError("NUL")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not finite")
    elif isinstance(value, dict):
        for name, part in value.items():
            _check(name)
            _check(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            _check(part, depth + 1)
