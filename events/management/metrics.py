"""Figures for Prometheus, served by the processes that have no web server of their own."""

from collections.abc import Iterator
from typing import Any

import attrs
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections, connections

from events.figures import figures, greatest_group_lag

DESCRIPTIONS = {
    "pending": "Events that the bus has not confirmed yet.",
    "oldest_pending_seconds": "For how long the oldest pending event has been waiting.",
    "sent_per_minute": "Events that the bus has confirmed in the last minute.",
    "retries": "How often pending events have been refused.",
    "dead": "Events that were given up.",
    "largest_key_backlog": "Pending events of the key that has most.",
}


def serve_metrics(port: int, address: str, collector: Any) -> None:
    """Serve one collector's figures over HTTP from a thread of its own.

    Raises:
        ImproperlyConfigured: the package prometheus-client is not installed, or the port is taken.
    """
    client = _library()
    registry = client.CollectorRegistry()
    registry.register(collector)
    try:
        client.start_http_server(port, addr=address, registry=registry)
    except OSError as exc:
        raise ImproperlyConfigured(f"Figures cannot be served on port {port}: {exc.strerror}.") from exc


def serve_outbox_metrics(port: int, address: str, *, using: str) -> None:
    """Serve the outbox's figures, read from the database whenever they are asked for."""
    serve_metrics(port, address, OutboxCollector(using))


def serve_consumer_metrics(port: int, address: str, consumer: Any) -> None:
    """Serve what a consumer has counted, and what its group has still to read, asked of Redis at that moment."""
    serve_metrics(port, address, _ConsumerCollector(consumer))


@attrs.frozen
class _ConsumerCollector:
    consumer: Any

    def describe(self) -> list[Any]:
        """Nothing is read before somebody asks."""
        return []

    def collect(self) -> Iterator[Any]:
        families = _library().core
        labels = {"topic": self.consumer.topic, "group": self.consumer.group_id}
        counts = families.CounterMetricFamily(
            "events_consumer_entries", "Entries by what happened to them.", labels=[*labels, "outcome"]
        )
        for word, count in sorted(self.consumer.counts.items()):
            counts.add_metric([*labels.values(), word.replace(" ", "_")], count)
        yield counts
        try:
            lag, in_hand = self.consumer.lag()
        except Exception:  # without Redis there are still counts
            return
        for name, description, value in (
            ("events_consumer_lag", "Entries that the group has still to read.", lag),
            ("events_consumer_in_hand", "Entries that the group has read and not acknowledged.", in_hand),
        ):
            if value is not None:
                gauge = families.GaugeMetricFamily(name, description, labels=list(labels))
                gauge.add_metric(list(labels.values()), value)
                yield gauge


@attrs.frozen
class OutboxCollector:
    """The outbox of one database, as it is when asked."""

    using: str

    def describe(self) -> list[Any]:
        """Nothing is read before somebody asks."""
        return []

    def collect(self) -> Iterator[Any]:
        gauge = _library().core.GaugeMetricFamily
        close_old_connections()
        try:
            values = attrs.asdict(figures(self.using))
        finally:
            connections[self.using].close()
        for name, value in values.items():
            yield gauge(f"events_outbox_{name}", DESCRIPTIONS[name], value=value)
        lag = greatest_group_lag()
        if lag is not None:
            yield gauge("events_bus_greatest_group_lag", "Entries that the slowest group has still to read.", value=lag)


def _library() -> Any:
    try:
        import prometheus_client.core  # only whoever serves figures needs it
    except ImportError as exc:
        raise ImproperlyConfigured(
            "Figures need the package prometheus-client: install course-credit[service]."
        ) from exc
    return prometheus_client
