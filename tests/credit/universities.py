"""A practice university and a service that records its decisions, each on a free port."""

import json
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer

import attrs

from credit.sandbox.pages import LOCAL_HOSTS, PracticeUniversity
from credit.sandbox.server import SandboxServer


@contextmanager
def serving(server: BaseServer) -> Iterator[str]:
    """Serve in a thread; give the root of the server's addresses."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield "http://{}:{}".format(*server.server_address[:2])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def open_university(callback_url: Callable[[str], str], *, hosts: Collection[str] = LOCAL_HOSTS) -> Iterator[str]:
    """Open a practice university; give the root of its addresses."""
    with serving(SandboxServer("127.0.0.1", 0, PracticeUniversity(callback_url, hosts=hosts))) as root:
        yield root


@attrs.define
class RecordingService:
    """A service that answers as it is told and remembers what it was sent."""

    root: str = ""
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = attrs.Factory(dict)
    received: list[tuple[str, dict[str, object]]] = attrs.Factory(list)

    def callback_url(self, provider_id: str) -> str:
        return f"{self.root}/{provider_id}/callback"


@contextmanager
def recording_service() -> Iterator[RecordingService]:
    service = RecordingService()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.received.append((self.path, json.loads(body)))
            self.send_response(service.status)
            for name, value in service.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(service.body)))
            self.end_headers()
            self.wfile.write(service.body)

        def log_message(self, *args: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as service.root:
        yield service
