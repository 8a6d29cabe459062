"""What the demo tells: one line per step, who and what and how it ended, and the step at which it went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WIDTH_OF_WHO = 11
WIDTH_OF_WHAT = 78


class Surprise(Exception):
    """Something did not go as it should; the text says what was found instead."""


class StepFailed(Exception):
    """A step went wrong; the text names the step and says why."""


class Step:
    """One thing that somebody does. What is found on the way becomes a part of its line."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.outcome = ""

    def found(self, finding: str) -> None:
        """Add a finding to the line."""
        self.what += f": {finding}"

    def expect(self, value: object, expected: object, *, finding: str) -> None:
        """Add a finding to the line if a value is as expected.

        Raises:
            Surprise: it is not.
        """
        if value != expected:
            raise Surprise(f"expected {expected!r}, found {value!r}")
        self.found(finding)


class Report:
    """The demo's output."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._number = 0

    def write(self, text: str = "") -> None:
        """Write a line of its own, at once."""
        self._out.write(f"{text}\n")
        self._out.flush()

    def heading(self, text: str) -> None:
        self.write(f"\n{text}")

    def remark(self, text: str) -> None:
        """Write a line that belongs to the step before."""
        self.write(f"{'':>4}  {'':<{WIDTH_OF_WHO}} {text}")

    def table(self, *rows: tuple[str, ...]) -> None:
        """Write rows of equally many cells in columns."""
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            self.write(f"      {cells.rstrip()}")

    @contextmanager
    def step(self, who: str, what: str) -> Iterator[Step]:
        """Count a step and write its line when it is done.

        Raises:
            StepFailed: for whatever the step raises.
        """
        self._number += 1
        step = Step(what)
        try:
            yield step
        except Exception as exc:
            self._line(who, step.what, "FAILED")
            raise StepFailed(f"Step {self._number} failed: {who} {what}.\n{exc or type(exc).__name__}") from exc
        self._line(who, step.what, step.outcome or "done")

    def _line(self, who: str, what: str, outcome: str) -> None:
        self.write(f"{self._number:>4}  {who:<{WIDTH_OF_WHO}} {what:<{WIDTH_OF_WHAT}} {outcome}")
