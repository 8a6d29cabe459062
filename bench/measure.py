"""Timing of two ways of doing things, side by side in one run, and the rows that result."""

import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

QUICK = bool(os.environ.get("BENCH_QUICK"))
"""Whether the run only tries out the rows: few repetitions, few rows, and no page."""

ROUNDS = 2 if QUICK else 7

Work = Callable[[int], None]
"""Does the thing that many times."""


@dataclass(frozen=True)
class Row:
    """One line of the table: how fast ours is as a share of its baseline (1.0: as fast, 0.5: half as fast)."""

    name: str
    baseline: str
    ours_per_second: float
    baseline_per_second: float
    ratio: float
    target: float | None

    @property
    def is_met(self) -> bool:
        """Whether the ratio reaches its target; a row without one is there for the reader."""
        return self.target is None or self.ratio >= self.target


def compare(
    name: str,
    *,
    ours: Work,
    baseline: Work,
    baseline_name: str,
    target: float | None,
    repeat: int,
    before: Work | None = None,
) -> Row:
    """Time both `repeat` times in each of `ROUNDS` alternating rounds, after one round that does not count.

    `before` prepares what either of them then works on; that is not timed.

    The ratio is the median over the rounds of the ratio within the round, so that a slow moment of the machine,
    which hits both neighbours alike, cancels out.
    """
    ours_seconds, baseline_seconds = [], []
    for round_number in range(ROUNDS + 1):
        first, second = (ours, baseline) if round_number % 2 else (baseline, ours)
        times = {work: _seconds(work, repeat, before) for work in (first, second)}
        if round_number:
            ours_seconds.append(times[ours])
            baseline_seconds.append(times[baseline])
    ratios = [theirs / mine for mine, theirs in zip(ours_seconds, baseline_seconds, strict=True)]
    return Row(
        name=name,
        baseline=baseline_name,
        ours_per_second=repeat / statistics.median(ours_seconds),
        baseline_per_second=repeat / statistics.median(baseline_seconds),
        ratio=statistics.median(ratios),
        target=target,
    )


@dataclass(frozen=True)
class Moment:
    """How long something took at one moment, in seconds, and as a multiple of a yardstick that took turns with it."""

    seconds: float
    multiple: float


def moment(work: Work, repeat: int, *, yardstick: Work, before: Work | None = None) -> Moment:
    """Time something and a yardstick in alternating rounds, after one that does not count; take medians.

    `before` prepares what `work` then works on; that is not timed.
    """
    timed = [(_seconds(work, repeat, before), _seconds(yardstick, repeat)) for _ in range(ROUNDS + 1)][1:]
    return Moment(
        seconds=statistics.median(mine for mine, _ in timed),
        multiple=statistics.median(mine / its for mine, its in timed),
    )


def compare_moments(
    name: str, *, before: Moment, after: Moment, baseline_name: str, target: float | None, repeat: int
) -> Row:
    """Compare two moments that cannot take turns; the yardstick takes out what the machine has done in between."""
    return Row(
        name=name,
        baseline=baseline_name,
        ours_per_second=repeat / after.seconds,
        baseline_per_second=repeat / before.seconds,
        ratio=before.multiple / after.multiple,
        target=target,
    )


def repeated(call: Callable[[], Any]) -> Work:
    """Return the work that a single call is."""

    def work(times: int) -> None:
        for _ in range(times):
            call()

    return work


def at_most(full: int, quick: int) -> int:
    """Return a size: `quick` if the run only tries out the rows."""
    return quick if QUICK else full


def _seconds(work: Work, repeat: int, before: Work | None = None) -> float:
    if before is not None:
        before(repeat)
    gc.collect()
    start = time.perf_counter()
    work(repeat)
    return time.perf_counter() - start
