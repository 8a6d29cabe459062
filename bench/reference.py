"""The reference's own packages as the baseline of a row: they run in an environment of their own."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Work
from events.conf import conf

WORKER = Path(__file__).with_name("reference_worker.py")


class Reference:
    """A process that does what it is told, as often as it is told."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def work(self, order: str) -> Work:
        """Return the work of one of the methods of `reference_worker.Worker`."""

        def ask(times: int) -> None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps([order, times]) + "\n")
            self._process.stdin.flush()
            if self._process.stdout.readline() != "done\n":
                raise SystemExit(f"The reference has ended while it was to {order}.")

        return ask


@contextmanager
def running(*, topic: str) -> Iterator[Reference]:
    """Start the process; it ends with the block.

    `INTEROP_PYTHON` names the Python that has the packages; `make bench` sets it.
    """
    python = os.environ.get("INTEROP_PYTHON")
    if not python:
        raise SystemExit("INTEROP_PYTHON names no Python with the reference's packages: use make bench.")
    options = {
        "redis_url": conf.EVENT_BUS_REDIS_CONNECTION_URL,
        "prefix": conf.EVENT_BUS_TOPIC_PREFIX,
        "topic": topic,
        "database": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},  # it keeps nothing there
    }
    process = subprocess.Popen(
        [python, str(WORKER), json.dumps(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Reference(process)
    finally:
        process.terminate()
        process.wait(timeout=10)
