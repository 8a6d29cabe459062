"""Figures for Prometheus of the web process and the worker: what they have done, and what waits in the database.

Both have processes that count into files of a folder which they share, so that any of them can answer for all. What
waits is counted when somebody asks. No label tells of a person: requests go by the pattern of their address.
"""

import socket
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import attrs
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections
from prometheus_client import CollectorRegistry, Counter, Histogram, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from credit.api import count_owed_mails
from enrollment.api import get_job_figures
from events.management.metrics import OutboxCollector

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

requests = Counter("http_requests", "Requests answered.", ["method", "route", "status"])
request_seconds = Histogram("http_request_seconds", "Time until the answer was there.", ["route"])
tasks = Counter("celery_tasks", "Tasks run.", ["task", "state"])
task_seconds = Histogram("celery_task_seconds", "Time that tasks took.", ["task"])


def count_request(method: str | None, route: str, status: int, seconds: float) -> None:
    """Count one request that was answered."""
    requests.labels(method if method in METHODS else "other", route, status).inc()
    request_seconds.labels(route).observe(seconds)


@attrs.frozen
class RowCollector:
    """What waits in the database, besides events: mails and jobs."""

    def describe(self) -> list[Any]:
        """Nothing is read before somebody asks."""
        return []

    def collect(self) -> Iterator[Any]:
        try:
            owed, jobs = count_owed_mails(), get_job_figures()
        finally:
            connections[DEFAULT_DB_ALIAS].close()
        yield GaugeMetricFamily("credit_mails_owed", "Mails that are due and not sent yet.", value=owed)
        waiting = GaugeMetricFamily("enrollment_jobs", "Jobs that are not over.", labels=["state"])
        waiting.add_metric(["queued"], jobs.queued)
        waiting.add_metric(["running"], jobs.running)
        yield waiting
        yield GaugeMetricFamily(
            "enrollment_jobs_oldest_seconds",
            "Since when the oldest of them has been there.",
            value=jobs.oldest_unfinished_seconds,
        )


class _Server(ThreadingMixIn, WSGIServer):
    """Shares its port with the other processes of its kind: whichever is asked answers for all."""

    daemon_threads = True

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are nothing to write about."""


def serve(address: str) -> None:
    """Serve the figures over HTTP, in a thread of its own.

    Args:
        address: host and port, such as `127.0.0.1:9100`. Figures are for nobody but Prometheus.

    Raises:
        ImproperlyConfigured: it is no address of this machine, or the port is taken.
    """
    host, _, port = address.rpartition(":")
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # its constructor alone is untyped
    registry.register(OutboxCollector(DEFAULT_DB_ALIAS))
    registry.register(RowCollector())
    try:
        server = make_server(host.strip("[]"), int(port), make_wsgi_app(registry), _Server, handler_class=_Quiet)
    except (OSError, ValueError, OverflowError) as exc:
        raise ImproperlyConfigured(f"Figures cannot be served at {address} ({type(exc).__name__}).") from exc
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
