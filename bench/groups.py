"""The groups of rows. A module `<name>_rows` beside this one is a group; its `rows(site)` yields the rows."""

import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from bench.measure import Row
from bench.site import Site

SUFFIX = "_rows"
FIRST = ("signature", "mail", "rest", "grade")
LAST = ("scale", "enrollment_scale")  # what they load would be in the others' way

Rows: TypeAlias = Callable[[Site], Iterable[Row]]


def names() -> list[str]:
    """Return every group in the order of a run."""
    found = {path.stem.removesuffix(SUFFIX) for path in Path(__file__).parent.glob(f"*{SUFFIX}.py")}
    return [*FIRST, *sorted(found - {*FIRST, *LAST}), *LAST]


def rows_of(chosen: Iterable[str], site: Site) -> Iterator[Row]:
    """Measure group after group, and say how each row came out: a run may be ended before its last."""
    for name in chosen:
        rows: Rows = import_module(f"bench.{name}{SUFFIX}").rows
        for row in rows(site):
            print(f"{name}: {row.name}: {row.ratio:.2f} of {row.baseline}", file=sys.stderr, flush=True)  # noqa: T201  # progress
            yield row
