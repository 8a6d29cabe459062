"""Tools that tests of several apps share."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

SAVEPOINTS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT", "BEGIN", "COMMIT")


class Statements:
    """The SQL statements that a block of code ran, without savepoints and without the tables left out."""

    def __init__(self, captured: CaptureQueriesContext, without: tuple[str, ...]) -> None:
        self._captured = captured
        self._without = without

    @property
    def texts(self) -> list[str]:
        return [
            query["sql"]
            for query in self._captured.captured_queries
            if not query["sql"].startswith(SAVEPOINTS) and not any(table in query["sql"] for table in self._without)
        ]

    def __len__(self) -> int:
        return len(self.texts)

    def __str__(self) -> str:
        return "\n".join(self.texts)


@contextmanager
def statements(*, without: tuple[str, ...] = ()) -> Iterator[Statements]:
    """Count statements as the contracts do: savepoints never, and no statement that names a table in `without`.

    Pin it so: `with statements(without=("credit_creditaudit",)) as run: …` then `assert len(run) == 10, run`.
    """
    with CaptureQueriesContext(connection) as captured:
        yield Statements(captured, without)


def in_parallel(*calls: Callable[[], Any]) -> list[Any]:
    """Start all calls at the same moment, each in a thread with a connection of its own.

    Returns:
        Each call's result, or the exception that it raised, in the order given.
    """
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait(timeout=30)
        try:
            return call()
        except Exception as exc:
            return exc
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, call) for call in calls]]


def service_url(name: str) -> str:
    """Return the address of the server that a test needs, from `TEST_<NAME>_URL`.

    Where none is named the test is skipped, on CI it fails.
    """
    variable = f"TEST_{name.upper()}_URL"
    if url := os.environ.get(variable):
        return url
    if os.environ.get("CI") == "true":
        pytest.fail(f"{variable} names no server.")
    pytest.skip(f"{variable} names no server.")
