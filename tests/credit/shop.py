"""A commerce service on a free port, which speaks the format of the Open edX commerce API."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

SECRET = "secret-of-the-client"
SHELF = "/api/v2"


def course(*values, name="credit_provider", products=1):
    """Return what the API says of a course with these attribute values in each of its products."""
    attributes = [
        {"name": "certificate_type", "value": "credit"},
        *({"name": name, "value": value} for value in values),
    ]
    return {
        "id": "course-v1:HogwartsX+Potions101+1T2026",
        "name": "Potions",
        "products": [
            {"id": number, "structure": "child", "price": "100.00", "attribute_values": attributes}
            for number in range(products)
        ],
    }


class Shop(ThreadingHTTPServer):
    """Answers what its attributes say, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.courses: dict[str, Any] = {}
        self.answers: list[tuple[int, bytes]] = []
        self.drip = 0.0
        self.silence = 0.0
        self.asked: list[tuple[str, dict, str]] = []
        self.tokens_asked: list[dict] = []
        self.good_token = "token-1"
        self.token_answer: Any = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """Say nothing when a client has gone, as it does after a time-out."""


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.tokens_asked.append({key: value[0] for key, value in form.items()})
        answer = self.server.token_answer
        if answer is None:
            right = form.get("client_secret") == [SECRET] and self.headers["Authorization"] is None
            token = {"access_token": self.server.good_token, "token_type": "JWT", "expires_in": 3600}
            answer = (200, json.dumps(token).encode()) if right else (401, b"{}")
        self.answer(*answer)

    def do_GET(self):
        parts = urlsplit(self.path)
        self.server.asked.append((unquote(parts.path), parse_qs(parts.query), self.headers["Authorization"]))
        time.sleep(self.server.silence)
        if self.server.answers:
            self.answer(*self.server.answers.pop(0))
        elif self.headers["Authorization"] not in (f"JWT {self.server.good_token}", "JWT of ecommerce_worker"):
            self.answer(401, b"{}")
        else:
            known = self.server.courses.get(unquote(parts.path).removeprefix(f"{SHELF}/courses/").rstrip("/"))
            self.answer(*((200, json.dumps(known).encode()) if known is not None else (404, b"{}")))

    def answer(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", f"{self.server.url}{SHELF}/courses/elsewhere/")
        self.end_headers()
        if not self.server.drip:
            self.wfile.write(body)
            return
        for number in range(len(body)):
            self.wfile.write(body[number : number + 1])
            self.wfile.flush()
            time.sleep(self.server.drip)

    def log_message(self, *args):
        """Be quiet."""


@contextmanager
def open_shop():
    """Serve until the block ends."""
    with Shop() as shop:
        thread = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield shop
        finally:
            shop.shutdown()
            thread.join()
