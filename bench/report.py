"""The page that a bench run writes."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from django.db import connection
from django.utils import timezone

from bench.measure import ROUNDS, Row

WHERE_TIME_GOES = """\
## Where the time goes

Profiled inside the process on 2026-11-22: a callback that decides is five statements and a commit (provider, locked
request, update, audit, account), where the bare view has an INSERT and a commit. A third of its time is waiting for the
database, a fifth is Django building SQL, the rest is spread over the ORM's rows, the signature and the view; no single
part stands out. A first request is ten statements, most of them look-ups that the contract's checks need. What would
help is reading fewer columns of the joined rows and asking for the account and its profile at once.

A first enrollment over REST is nine statements and a commit: the caller's account, the learner's, the learner's with
profile and enrollment, the course with its modes, an invitation to look for, the row and its history inside a
savepoint, and the invitation's link. About half of its time passes in the database and its driver; the rest is Django
building SQL, the token, the checks of the contract, and the answer, which is the enrollment with the whole course.

Cached course details swing around their target: 0.77 to 0.80 in five runs of one day on a quiet machine. In the process
they take 0.23 ms, about an eighth of it for the two reads of the cache (the value, and whether it still counts) and a
tenth for the answer's JSON, which is much larger than the bare view's; most of the rest is what REST framework does
for every view. Not looking for a key where none was sent gained no more than the runs differ.
"""

PACKAGES = ("Django", "djangorestframework", "psycopg", "redis", "gunicorn")


def as_markdown(rows: list[Row]) -> str:
    """Return the page: what was measured, on what, and the table."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; do not edit. Each row compares ours with a baseline in the same run: both take turns",
        f"in {ROUNDS} rounds, and the ratio is the median of the rounds' ratios (1.0: as fast as the baseline). HTTP",
        "rows go over loopback to one gunicorn worker, a JWT in every request but the callback's.",
        "",
        f"{timezone.now():%Y-%m-%d}, {_machine()}, Python {platform.python_version()}, {_database()},",
        f"{', '.join(f'{name} {version(name)}' for name in PACKAGES)}.",
        "",
        "| what | ours/s | baseline | baseline/s | ratio | target | |",
        "|---|--:|---|--:|--:|--:|---|",
    ]
    return "\n".join([*lines, *(_line(row) for row in rows), "", WHERE_TIME_GOES])


def _line(row: Row) -> str:
    target, verdict = ("none", "") if row.target is None else (row.target, "met" if row.is_met else "**short**")
    return (
        f"| {row.name} | {row.ours_per_second:,.0f} | {row.baseline} | {row.baseline_per_second:,.0f} "
        f"| {row.ratio:.2f} | {target} | {verdict} |"
    )


def _machine() -> str:
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else platform.machine()
    return f"{os.cpu_count()} cores of {model}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"
