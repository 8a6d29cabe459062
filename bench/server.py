"""One gunicorn worker on a free loopback port, and a client for it."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.conf.global_settings import SESSION_COOKIE_NAME

START_WITHIN = 30  # seconds


@contextmanager
def serve() -> Iterator["Client"]:
    """Run the service with the current environment until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "settings.wsgi", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "--workers", "1", "--log-level", "warning"], env=os.environ)
    try:
        _wait_for(port, process)
        yield Client(port)
    finally:
        process.terminate()
        process.wait(timeout=10)


class Client:
    """Sends one request at a time; anything but the expected status ends the run."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.headers: dict[str, str] = {}

    def authenticate(self, client_id: str, client_secret: str) -> None:
        """Fetch a JWT at the token endpoint and use it from now on."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        body = urlencode({**form, "token_type": "jwt"})
        answer = self._send("POST", "/oauth2/access_token", body, {"Content-Type": "application/x-www-form-urlencoded"})
        self.headers = {"Authorization": f"JWT {answer['access_token']}"}

    def get(self, path: str, *, authenticated: bool = True) -> Any:
        return self._send("GET", path, None, self.headers if authenticated else {})

    def page(self, path: str, session: str) -> Any:
        """Fetch a page as the user of a session."""
        return self._send("GET", path, None, {"Cookie": f"{SESSION_COOKIE_NAME}={session}"})

    def post(self, path: str, body: str, *, authenticated: bool = True) -> Any:
        headers = self.headers if authenticated else {}
        return self._send("POST", path, body, {**headers, "Content-Type": "application/json"})

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise SystemExit(f"{method} {path} answered {response.status}: {content[:300]!r}")
        return json.loads(content) if response.getheader("Content-Type") == "application/json" and content else content


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"gunicorn ended with status {process.returncode}.")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"gunicorn did not answer within {START_WITHIN} seconds.")
