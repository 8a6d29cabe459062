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


def compare(name: str, *, ours: Work, baseline: Work, baseline_name: str, target: float | None, repeat: int) -> Row:
    """Time both `repeat` times in each of `ROUNDS` alternating rounds, after one round that does not count.

    The ratio is the median over the rounds of the ratio within the round, so that a slow moment of the machine,
    which hits both neighbours alike, cancels out.
    """
    ours_seconds, baseline_seconds = [], []
    for round_number in range(ROUNDS + 1):
        first, second = (ours, baseline) if round_number % 2 else (baseline, ours)
        times = {first: _seconds(first, repeat), second: _seconds(second, repeat)}
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


def compare_moments(
    name: str, *, before: list[float], after: list[float], baseline_name: str, target: float | None, repeat: int
) -> Row:
    """Compare the seconds of rounds at two moments that cannot take turns; the ratio is that of the medians."""
    first, second = statistics.median(before), statistics.median(after)
    return Row(
        name=name,
        baseline=baseline_name,
        ours_per_second=repeat / second,
        baseline_per_second=repeat / first,
        ratio=first / second,
        target=target,
    )


def rounds(work: Work, repeat: int) -> list[float]:
    """Return how many seconds each of `ROUNDS` rounds takes, after one that does not count."""
    return [_seconds(work, repeat) for _ in range(ROUNDS + 1)][1:]


def repeated(call: Callable[[], Any]) -> Work:
    """Return the work that a single call is."""

    def work(times: int) -> None:
        for _ in range(times):
            call()

    return work


def at_most(full: int, quick: int) -> int:
    """Return a size: `quick` if the run only tries out the rows."""
    return quick if QUICK else full


def _seconds(work: Work, repeat: int) -> float:
    gc.collect()
    start = time.perf_counter()
    work(repeat)
    return time.perf_counter() - start
