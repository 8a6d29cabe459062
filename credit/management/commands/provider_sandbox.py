"""Play a university: `manage.py provider_sandbox`."""

import argparse
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import NoReverseMatch, reverse

from credit.conf import conf
from credit.sandbox.pages import LOCAL_HOSTS, PracticeUniversity
from credit.sandbox.server import SandboxServer


class Command(BaseCommand):
    help = (
        "Serve a practice university: it receives learners' forms, verifies their signature, shows what was signed, "
        "and sends signed decisions back. For development only; it needs no database and forgets everything."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
        parser.add_argument(
            "--port", type=int, default=8090, help="port to listen on; 0 takes a free one (%(default)s)"
        )
        parser.add_argument(
            "--allowed-host",
            action="append",
            default=[],
            metavar="NAME",
            help="one more name under which it answers; again for each. Others than its own addresses are refused",
        )
        parser.add_argument(
            "--service-url",
            type=_root_of_service,
            default="http://127.0.0.1:8000",
            help="where the service that receives decisions is running (%(default)s)",
        )

    def handle(
        self, *args: Any, host: str, port: int, allowed_host: list[str], service_url: str, **options: Any
    ) -> None:
        if not conf.CREDIT_PROVIDER_SANDBOX:
            raise CommandError(
                "The practice university signs decisions for whoever opens it, so it does not run with these settings. "
                "Set CREDIT_PROVIDER_SANDBOX = True where that is safe; its default is DEBUG."
            )
        target = _callback_url(service_url, "PROVIDER-ID")
        university = PracticeUniversity(
            lambda provider_id: _callback_url(service_url, provider_id), hosts={*LOCAL_HOSTS, host, *allowed_host}
        )
        with _listen(host, port, university) as server:
            self.stdout.write(f"The practice university is open at http://{host}:{server.server_port}/")
            self.stdout.write(f"It sends decisions to {target}")
            self.stdout.write("Stop it with Ctrl-C.")
            self.stdout.flush()
            with suppress(KeyboardInterrupt):
                server.serve_forever()


def _listen(host: str, port: int, application: PracticeUniversity) -> SandboxServer:
    try:
        return SandboxServer(host, port, application)
    except (OSError, OverflowError) as exc:
        raise CommandError(f"Cannot listen on {host}:{port}: {exc}") from exc


def _callback_url(service_url: str, provider_id: str) -> str:
    try:
        return service_url + reverse("credit:provider_callback", kwargs={"provider_id": provider_id})
    except NoReverseMatch as exc:
        raise CommandError("Include credit.urls in ROOT_URLCONF: decisions are sent to its callback address.") from exc


def _root_of_service(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(f"{text!r} is not the address of a service such as http://127.0.0.1:8000")
    return text.rstrip("/")
