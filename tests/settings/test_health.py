"""Probes: what they answer when neighbours are gone."""

import logging
import time
from threading import current_thread, main_thread

import pytest
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from settings import health
from settings.celery import app
from tests.support import service_url

ALL_WELL = {"database": "ok", "migrations": "ok", "cache": "ok", "broker": "ok", "bus": "ok"}
NOWHERE = 1  # a port on which nobody listens


@pytest.fixture(autouse=True)
def _forgetful_process():
    health._migrated.clear()
    yield
    health._migrated.clear()


@pytest.fixture(autouse=True)
def _probes_close_what_they_open(monkeypatch):
    """Django keeps databases in memory open; a probe's thread has a connection of its own to the tests' one."""
    is_in_memory = DatabaseWrapper.is_in_memory_db
    monkeypatch.setattr(
        DatabaseWrapper, "is_in_memory_db", lambda self: is_in_memory(self) and current_thread() is main_thread()
    )


@pytest.fixture
def ready(client):
    """Ask, and return the status and the checks that are not ok."""

    def ready():
        response = client.get("/readyz")
        body = response.json()
        assert set(body["checks"]) == set(ALL_WELL)
        return response.status_code, body["status"], {k: v for k, v in body["checks"].items() if v != "ok"}

    return ready


@pytest.fixture
def broker_at(monkeypatch):
    def broker_at(url):
        monkeypatch.setattr(app.conf, "broker_write_url", url)

    return broker_at


@pytest.mark.parametrize("method", ["get", "head"])
def test_process_lives_without_asking_anybody(client, method):
    response = getattr(client, method)("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"} if method == "get" else not response.content
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_only_look(client, path):
    assert client.post(path).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_ready_if_all_is_well(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": ALL_WELL}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_database(ready, monkeypatch, caplog):
    def refuse(self):
        raise OSError("the password is hunter2")

    monkeypatch.setattr(type(connections["default"]), "connect", refuse)
    with caplog.at_level(logging.WARNING):
        assert ready() == (503, "unavailable", {"database": "unavailable", "migrations": "unavailable"})
    assert "The readiness probe of the database failed (OSError)." in caplog.messages
    assert "hunter2" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_not_ready_with_unapplied_migrations(ready):
    recorder = MigrationRecorder(connections["default"])
    [last] = MigrationLoader(connections["default"]).graph.leaf_nodes("credit")
    recorder.record_unapplied(*last)
    try:
        assert ready() == (503, "unavailable", {"migrations": "unavailable"})
    finally:
        recorder.record_applied(*last)
    assert ready() == (200, "ok", {})


@pytest.mark.django_db(transaction=True)
def test_ready_but_degraded_without_cache(ready, settings):
    url = f"redis://127.0.0.1:{NOWHERE}/0"
    settings.CACHES = {
        "default": {"BACKEND": "settings.cache.ForgivingRedisCache", "LOCATION": url, "KEY_PREFIX": "test"}
    }
    assert ready() == (200, "degraded", {"cache": "degraded"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_ready_but_degraded_without_broker(ready, broker_at, scheme):
    broker_at(f"{scheme}://127.0.0.1:{NOWHERE}/")
    assert ready() == (200, "degraded", {"broker": "degraded"})


@pytest.mark.django_db(transaction=True)
def test_ready_but_degraded_without_bus(ready, settings):
    settings.EVENT_BUS_REDIS_CONNECTION_URL = f"redis://:hunter2@127.0.0.1:{NOWHERE}/0"
    assert ready() == (200, "degraded", {"bus": "degraded"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_neighbours_that_accept_and_block_are_not_waited_for(ready, broker_at, blocked_port, settings, scheme):
    broker_at(f"{scheme}://127.0.0.1:{blocked_port}/")
    settings.EVENT_BUS_REDIS_CONNECTION_URL = f"redis://127.0.0.1:{blocked_port}/0"
    started = time.monotonic()
    assert ready() == (200, "degraded", {"broker": "degraded", "bus": "degraded"})
    assert time.monotonic() - started < health.TIME_LIMIT + 1


def test_probe_that_hangs_is_left_behind():
    started = time.monotonic()
    passed = health.run_together({"slow": lambda: time.sleep(1), "quick": lambda: None}, limit=0.1)
    assert passed == {"slow": False, "quick": True}
    assert time.monotonic() - started < 0.9


@pytest.mark.service("redis")
@pytest.mark.service("rabbitmq")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broker", ["redis", "rabbitmq"])
def test_real_neighbours_are_well(ready, broker_at, settings, broker):
    broker_at(service_url(broker))
    settings.EVENT_BUS_REDIS_CONNECTION_URL = service_url("redis")
    assert ready() == (200, "ok", {})
