"""What applies the rows of one kind of job, and which there are."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from attrs import Factory, frozen

from enrollment.errors import UnknownJobKind

LONGEST_KIND = 64
"""Letters of the longest name of a kind."""


@frozen
class Row:
    """One row of a file, well formed: its columns are known, and its texts can be stored.

    Attributes:
        number: counts the rows from 1; the header and blank lines are none.
        line: the line of the file in which it begins, from 1.
        values: CSV gives the text of each cell by column, "" for an empty one; JSON lines the members of the object,
            of any JSON type, of which each may be missing.
    """

    number: int
    line: int
    values: Mapping[str, Any]


@frozen
class RowResult:
    """What became of a row, for the result file.

    Attributes:
        ok: whether it has been applied, or was so already.
        code: a stable word for programs: an error's code, or what was done.
        message: for people; of an error, what to change.
        details: values of the processor's `result_columns`; those left out are empty.
    """

    ok: bool
    code: str = ""
    message: str = ""
    details: Mapping[str, str] = Factory(dict)


class RowProcessor(Protocol):
    """Applies the rows of one kind of job. One instance serves all jobs, so it keeps nothing between calls."""

    @property
    def columns(self) -> Collection[str]:
        """The columns that a file may have, in lower case; a file with another is refused."""

    @property
    def result_columns(self) -> Sequence[str]:
        """The columns that the result file has beside `row`, `line`, `status`, `code` and `message`."""

    def check(self, parameters: Mapping[str, Any], columns: Collection[str] | None) -> None:
        """Refuse a job before it is accepted: nothing has been stored, and whoever sends the file is told.

        Args:
            parameters: what came with the file; any JSON object.
            columns: those of a CSV file; None for JSON lines, whose rows may all be different.

        Raises:
            InvalidJob: a parameter is unknown or wrong, or a column is missing.
        """

    def process(
        self, rows: Sequence[Row], *, parameters: Mapping[str, Any], requested_by: int | None, dry_run: bool
    ) -> list[RowResult]:
        """Apply some rows, and return one result for each, in their order.

        Called inside the transaction in which results and position are committed, with at most 1,000 rows of which none
        has been applied. What it does has to be in that transaction: rows, outbox, `transaction.on_commit`. A row that
        cannot be applied is a result that is not `ok`. An exception undoes all rows of the call; they are then given
        one by one, and one that raises again gets the code `internal_error`. Deadlocks and a lost database are let
        out: the call is repeated.

        Args:
            rows: at least one.
            parameters: what came with the file, as `check` has accepted it.
            requested_by: primary key of the account that started the job; None if it is gone, or there was none.
            dry_run: say what would happen. Whatever is written to the database is undone by the caller; spare
                everything else.
        """


_processors: dict[str, RowProcessor] = {}


def register(kind: str, processor: RowProcessor) -> None:
    """Have a processor apply the rows of all jobs of a kind; the last one registered counts."""
    if not 0 < len(kind) <= LONGEST_KIND:
        raise ValueError(f"A kind of job has 1 to {LONGEST_KIND} characters, not {kind!r}.")
    _processors[kind] = processor


def kinds() -> list[str]:
    """Return the kinds of job that can be started, by name."""
    return sorted(_processors)


def processor_of(kind: str) -> RowProcessor:
    """Return what applies the rows of a kind.

    Raises:
        UnknownJobKind
    """
    try:
        return _processors[kind]
    except KeyError as exc:
        raise UnknownJobKind(f"There are no jobs of this kind. There are: {', '.join(kinds()) or 'none'}.") from exc
