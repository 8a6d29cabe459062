"""The two processes of these tests: the service, and the clients in an environment of their own."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from settings.environment import example
from tests.clients.rows import SECRETS

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "127.0.0.1:1"
START_WITHIN = ANSWER_WITHIN = 60  # seconds


@attrs.frozen
class Service:
    """The running service: its address, the certificate by which clients know it, and its data."""

    url: str
    certificate: Path
    database: Path

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what the database answers, for what no address tells."""
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(statement, values).fetchall()


@contextmanager
def start_service(folder: Path) -> Iterator[Service]:
    """Run the web process of production, with its own database and cache, until the block ends."""
    port = free_port()
    certificate, key = new_certificate(folder)
    environment = {
        **example(),
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DJANGO_SETTINGS_MODULE": "settings.production",
        "SITE_NAME": f"127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "CACHE_URL": f"filecache://{folder / 'cache'}",
        "CELERY_BROKER_URL": f"amqp://{NOWHERE}/",
        "BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": "2",
    }
    for arguments in (
        ["migrate", "--verbosity", "0"],
        ["shell", "--verbosity", "0", "--command", "from tests.clients.rows import load; load()"],
    ):
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "-m", "gunicorn", "--config", "python:settings.gunicorn", "settings.wsgi"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--certfile", certificate, "--keyfile", key],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for_port(port, process)
            yield Service(f"https://127.0.0.1:{port}", certificate, folder / "db.sqlite3")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def new_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of this machine's own name; return its file and that of its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *name, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("The web process did not start.")


class Clients:
    """Passes calls to the process in which the clients are installed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def call(self, client: str, account: str, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of a client that logs in as a program of `rows`; return what it returned.

        Raises:
            Refused: the client raised for the status of an answer.
        """
        told = self._ask(
            {
                "client": client,
                "credentials": [account, SECRETS.get(account, "guessed")],
                "method": method,
                "arguments": arguments,
                "options": options,
            }
        )
        if "refused" in told:
            raise Refused(**told["refused"])
        return told["returned"]

    def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(question)}\n")
        self._process.stdin.flush()
        overdue = threading.Timer(ANSWER_WITHIN, self._process.kill)
        overdue.start()
        answer = self._process.stdout.readline()
        overdue.cancel()
        assert answer, "The clients' process has ended."
        return json.loads(answer)


@attrs.frozen
class Refused(Exception):
    """A client raised for the status of an answer."""

    status: int
    body: Any


@contextmanager
def start_clients(python: str, service: Service) -> Iterator[Clients]:
    """Run the process of the clients until the block ends."""
    process = subprocess.Popen(
        [python, ROOT / "tests" / "clients" / "stock.py", service.url],
        env={"PATH": os.environ["PATH"], "REQUESTS_CA_BUNDLE": str(service.certificate), "NO_PROXY": "127.0.0.1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Clients(process)
    finally:
        process.kill()
        process.communicate(timeout=30)
