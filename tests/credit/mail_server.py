"""A mail server that can refuse, hang up, stall and disappear."""

import socket
import threading
from collections.abc import Callable

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.credit.mail import WireMail

Answer = Callable[[Envelope], str | None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class MailServer:
    """Accepts mail on a port of its own; `answer` may say something else than 250 to an envelope."""

    def __init__(self) -> None:
        self.port = free_port()
        self.accepted: list[Envelope] = []
        self.answer: Answer = lambda envelope: None
        self._controller: Controller | None = None

    @property
    def mails(self) -> list[WireMail]:
        return [WireMail.parse(envelope.content) for envelope in self.accepted]

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if said := self.answer(envelope):
            return said
        self.accepted.append(envelope)
        return "250 OK"


class StallingServer:
    """Accepts connections and never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connected = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        kept = []
        while True:
            try:
                kept.append(self._listener.accept()[0])
            except OSError:
                return
            self.connected.set()

    def stop(self) -> None:
        self._listener.close()
