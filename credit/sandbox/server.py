"""A small threading web server, enough for one integrator and their browser."""

import logging
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

log = logging.getLogger(__name__)


class SandboxServer(ThreadingMixIn, WSGIServer):
    """Serves each request in a thread of its own, which never keeps the process from ending."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, host: str, port: int, application: WSGIApplication) -> None:
        """Listen at once; port 0 takes a free one, which `server_port` tells.

        Raises:
            OSError: the address cannot be taken.
        """
        super().__init__((host, port), _Handler)
        self.set_app(application)


class _Handler(WSGIRequestHandler):
    timeout = 30  # seconds that a silent client may hold a thread

    def get_environ(self) -> dict[str, Any]:
        """Add the address that the client has connected to, which is one of ours whatever the request says."""
        return {**super().get_environ(), "SERVER_ADDR": self.connection.getsockname()[0]}

    def log_message(self, format: str, *args: object) -> None:
        log.info(format, *args)
