"""Measure on a PostgreSQL database of its own: `python -m bench [group …]`.

`BENCH_DATABASE_URL`, or else `TEST_POSTGRES_URL`, names a PostgreSQL server; the run makes a database `test_…` there
and drops it. `BENCH_REDIS_URL`, or else `TEST_REDIS_URL`, names a Redis server, on which streams of its own are made
and deleted. Without arguments every group of rows is measured and `docs/benchmarks.md` is written; with names of groups
only these are, and shown. `BENCH_QUICK=1` tries all of it out in a minute and says nothing about speed. Exit status 1
if a row falls short of its target.
"""

import os
import secrets
import sys
from pathlib import Path

import django


def main(arguments: list[str]) -> int:
    url = os.environ.get("BENCH_DATABASE_URL") or os.environ.get("TEST_POSTGRES_URL")
    if not url or not url.startswith("postgres"):
        sys.exit("Set BENCH_DATABASE_URL to a PostgreSQL URL, such as postgres://postgres@127.0.0.1/course_credit.")
    if not (os.environ.get("BENCH_REDIS_URL") or os.environ.get("TEST_REDIS_URL")):
        sys.exit("Set BENCH_REDIS_URL to a Redis URL, such as redis://127.0.0.1:6379/0.")
    secret = secrets.token_hex(16)
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "bench.settings", "BENCH_SECRET": secret}
    django.setup()

    from django.db import connection

    from bench import baselines, groups, measure, report, rest_rows, seed  # after setup: they need the models
    from bench.site import Site

    if unknown := set(arguments) - {*groups.names()}:
        sys.exit(f"There is no group {', '.join(sorted(unknown))}. There are: {', '.join(groups.names())}.")
    name = connection.settings_dict["NAME"]
    owned = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        os.environ["DATABASE_URL"] = f"{url.rpartition('/')[0]}/{owned}"
        baselines.create_table()
        site = Site(secret, seed.load(learners=rest_rows.NEEDED_WRITES, requests=rest_rows.NEEDED_WRITES))
        measured = [*groups.rows_of(arguments or groups.names(), site)]
        text = report.as_markdown(measured)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    if not arguments and not measure.QUICK:
        Path("docs/benchmarks.md").write_text(text, encoding="utf-8")
    print(text)  # noqa: T201  # the result of the command
    return 0 if measure.QUICK or all(row.is_met for row in measured) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
