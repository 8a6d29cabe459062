"""Runs the suite once per database, with every server that the environment names: `python -m tests.run [pytest args]`.

SQLite is always there. `TEST_POSTGRES_URL` and `TEST_MARIADB_URL` add a database each, `TEST_REDIS_URL` and
`TEST_RABBITMQ_URL` a cache and a broker for the tests that need one. A server that is not named, or does not answer,
is left out; with `CI=true` that is an error. Some run once, on PostgreSQL if it is there: the fuzz, fault and scale
groups, and the tests that use no database. Without arguments, which choose tests, that run's coverage is reported.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from urllib.parse import urlsplit

DATABASES = {"TEST_POSTGRES_URL": "postgresql", "TEST_MARIADB_URL": "mariadb"}
SERVERS = {**DATABASES, "TEST_REDIS_URL": "redis", "TEST_RABBITMQ_URL": "rabbitmq"}
PORTS = {"postgresql": 5432, "mariadb": 3306, "redis": 6379, "rabbitmq": 5672}
WITH_COVERAGE = ("--cov", "--cov-report=")
ONCE_IS_ENOUGH = ("-m", "not fuzz and not fault and not scale", "--only-with-database")
NO_TESTS_COLLECTED = 5  # pytest's exit status


def main(arguments: list[str]) -> int:
    """Run everything and return an exit status."""
    complaints = {variable: complaint(variable, os.environ) for variable in SERVERS}
    left_out = {variable: text for variable, text in complaints.items() if text}
    for text in left_out.values():
        print(text, flush=True)
    if left_out and os.environ.get("CI") == "true":
        return 1

    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    urls = {"sqlite": "sqlite://:memory:"}
    urls |= {name: environment[variable] for variable, name in DATABASES.items() if variable in environment}
    heavy = "postgresql" if "postgresql" in urls else "sqlite"
    statuses = set()
    for name, url in urls.items():
        # Tracing nearly doubles what a run costs, and few lines are for one database alone.
        options = (() if arguments else WITH_COVERAGE) if name == heavy else ONCE_IS_ENOUGH
        statuses.add(run(name, url, environment, [*options, *arguments]))
    if arguments:
        return 0 if statuses <= {0, NO_TESTS_COLLECTED} else 1
    report_coverage(heavy)
    return 0 if statuses == {0} else 1


def complaint(variable: str, environment: Mapping[str, str]) -> str | None:
    """Return why a server cannot take part, or None."""
    url = environment.get(variable)
    if not url:
        return f"{variable} is not set: tests that need it are left out."
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or PORTS[SERVERS[variable]])
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError as exc:
        return f"{variable}: nothing answers at {address[0]}:{address[1]} ({exc})."
    if SERVERS[variable] == "mariadb" and find_spec("MySQLdb") is None:
        return f"{variable}: the client is missing; run make setup EXTRAS=mariadb."
    return None


def run(name: str, url: str, environment: Mapping[str, str], arguments: list[str]) -> int:
    """Run pytest on one database, on all cores, and say how long it took."""
    print(f"\n=== {name}", flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadgroup", *arguments]
    environment = {**environment, "DATABASE_URL": url, "COVERAGE_FILE": f".coverage.{name}"}
    status = subprocess.run(command, env=environment, check=False).returncode
    print(f"=== {name}: exit status {status} after {time.monotonic() - started:.0f} s", flush=True)
    return status


def report_coverage(name: str) -> None:
    """Print which lines and branches a database's run has not reached."""
    print(f"\n=== coverage on {name}", flush=True)
    subprocess.run([sys.executable, "-m", "coverage", "report", f"--data-file=.coverage.{name}"], check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
