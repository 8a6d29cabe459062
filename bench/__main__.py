"""Run all rows on a PostgreSQL database of its own and write `docs/benchmarks.md`.

`BENCH_DATABASE_URL`, or else `TEST_POSTGRES_URL`, names a PostgreSQL server; the run makes a database `test_…` there
and drops it. Exit status 1 if a row falls short of its target.
"""

import os
import secrets
import sys
from pathlib import Path

import django


def main() -> int:
    url = os.environ.get("BENCH_DATABASE_URL") or os.environ.get("TEST_POSTGRES_URL")
    if not url or not url.startswith("postgres"):
        sys.exit("Set BENCH_DATABASE_URL to a PostgreSQL URL, such as postgres://postgres@127.0.0.1/course_credit.")
    secret = secrets.token_hex(16)
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "bench.settings", "BENCH_SECRET": secret}
    django.setup()

    from django.db import connection

    from bench import baselines, mails, report, rows, seed, server  # after setup: they need the models

    name = connection.settings_dict["NAME"]
    owned = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        baselines.create_table()
        pending = seed.load(learners=rows.NEEDED_WRITES, requests=rows.NEEDED_WRITES)
        os.environ["DATABASE_URL"] = f"{url.rpartition('/')[0]}/{owned}"
        measured = [rows.signature_row(), *mails.mail_rows()]
        connection.close()
        with server.serve() as client:
            client.authenticate(seed.CLIENT_ID, seed.CLIENT_SECRET)
            measured += rows.http_rows(client, pending=pending, secret=secret)
        text = report.as_markdown(measured)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    Path("docs/benchmarks.md").write_text(text, encoding="utf-8")
    print(text)  # noqa: T201  # the result of the command
    return 0 if all(row.is_met for row in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
