"""Nothing is lost and order is kept, whoever is killed, stopped, frozen or full (events contract 18.8 to 18.10).

Each test ends by counting: what was sent, what arrived, duplicates by id, order per row.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import attrs
import pytest
from django.db import connection, transaction

from events import relay
from events.bus import BusUnavailable
from events.bus.redis import producer as redis_producer
from events.models import OutboxEvent
from tests.events.outboxes import TOPIC, TYPE, config
from tests.events.parcels import Parcel
from tests.events.redis_server import RedisServer
from tests.events.transactions import rolled_back

ROOT = Path(__file__).parents[2]
SENT = 100
KEYS = 7
MARKER = "marker-in-the-payload"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault, pytest.mark.slow]


@pytest.fixture
def server(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    server.end()


@pytest.fixture
def site(settings, parcel_sent, server, monkeypatch):
    """Parcels leave by the outbox, to a Redis of this test's own; relays wait briefly."""
    settings.EVENT_BUS_PRODUCER = None
    settings.EVENT_BUS_PRODUCER = "events.bus.redis.create_producer"
    settings.EVENT_BUS_PRODUCER_CONFIG = config()
    settings.EVENT_BUS_REDIS_CONNECTION_URL = server.url
    settings.EVENT_BUS_REDIS_STREAM_MAX_LEN = None
    monkeypatch.setattr(redis_producer, "TIMEOUT", 0.5)
    return parcel_sent


@pytest.fixture
def send(site):
    """Send events of several keys; their labels count up."""

    def send(count=SENT, *, size=0):
        for number in range(count):
            with transaction.atomic():
                site.send_event(parcel=Parcel(f"{number:06}{MARKER}{'x' * size}"), attempt=number % KEYS)

    return send


@attrs.frozen
class Count:
    """What arrived, against what is in the outbox."""

    sent: int
    received: int
    duplicates: int
    lost: int
    is_ordered: bool
    duplicates_are_equal: bool


def count(server):
    rows = {str(row.event_id): row for row in OutboxEvent.objects.oldest_first()}
    entries = [fields for _, fields in server.client.xrange(TOPIC)]
    ids = [fields[b"id"].decode() for fields in entries]
    first_places = {id: place for place, id in reversed(list(enumerate(ids)))}
    by_key = {}
    for id, row in rows.items():
        by_key.setdefault(row.key, []).append(first_places.get(id, -1))
    return Count(
        sent=len(rows),
        received=len(first_places),
        duplicates=sum(times - 1 for times in Counter(ids).values()),
        lost=len(set(rows) - set(first_places)),
        is_ordered=all(places == sorted(places) for places in by_key.values()),
        duplicates_are_equal=len({tuple(sorted(fields.items())) for fields in entries}) == len(first_places),
    )


ALL_ARRIVED = Count(SENT, SENT, 0, 0, True, True)


def settled():
    return set(OutboxEvent.objects.values_list("state", flat=True)) == {"sent"}


@pytest.mark.rule("events.acceptance.8")
def test_rollback_is_never_seen_by_anybody(site, send, server):
    with rolled_back():
        send(3)
    with transaction.atomic():
        send(2)
        with rolled_back():
            send(5)
    relay.relay_due()
    assert count(server) == Count(2, 2, 0, 0, True, True)


@pytest.mark.rule("events.acceptance.9")
@pytest.mark.parametrize("way", ["stopped", "frozen"])
def test_broker_that_is_away_slows_no_sender_and_loses_nothing(send, server, way, monkeypatch):
    calls = []
    publish = redis_producer.RedisProducer._publish
    monkeypatch.setattr(
        redis_producer.RedisProducer, "_publish", lambda *args, **options: calls.append(1) or publish(*args, **options)
    )
    server.stop() if way == "stopped" else server.freeze()
    send()
    assert calls == [], "a sender asks the bus nothing, so it cannot be slower"
    for _ in range(2):
        with pytest.raises(BusUnavailable):
            relay.relay_due()
    assert set(OutboxEvent.objects.values_list("state", "attempts", "locked_by")) == {("pending", 0, "")}
    server.start() if way == "stopped" else server.thaw()
    relay.relay_due()
    result = count(server)
    # A frozen server finds, when it goes on, what it was asked meanwhile: those entries are there twice.
    assert attrs.evolve(result, duplicates=0) == ALL_ARRIVED, result
    assert result.duplicates == 0 or way == "frozen"
    assert settled()


@pytest.mark.rule("events.outbox.full")
def test_full_server_pauses_the_relay_and_counts_against_no_row(send, server):
    send(10, size=2000)
    relay.relay_due()
    server.client.config_set("maxmemory-policy", "noeviction")
    server.client.config_set("maxmemory", "1")
    send(SENT - 10, size=2000)
    with pytest.raises(BusUnavailable, match="OOM"):
        relay.relay_due()
    waiting = OutboxEvent.objects.pending()
    assert waiting.count() == SENT - 10
    assert set(waiting.values_list("attempts", "last_error", "locked_by")) == {(0, "", "")}
    server.client.config_set("maxmemory", "0")
    relay.relay_due()
    assert count(server) == ALL_ARRIVED
    assert settled()


def test_read_only_server_pauses_the_relay_too(send, server):
    send(5)
    server.client.replicaof("127.0.0.1", "1")
    with pytest.raises(BusUnavailable, match=r"READONLY|MASTERDOWN"):
        relay.relay_due()
    server.client.replicaof("NO", "ONE")
    relay.relay_due()
    assert count(server) == Count(5, 5, 0, 0, True, True)


RELAY = """
import os, signal, sys
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from events import leases
from events.relay import Relay
if sys.argv[2] == "die":
    leases.Lessee.settle = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
relay = Relay(batch=int(sys.argv[3]))
barren = 0
while barren < 20:
    step = relay.step()
    barren = 0 if step.sent else barren + 1
    if step.is_idle:
        import time; time.sleep(0.1)
print("done")
"""
SETTINGS = """
from settings.test import *
from settings.test import DATABASES
DATABASES["default"]["NAME"] = {database!r}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "events"]
EVENT_BUS_PRODUCER = "events.bus.redis.create_producer"
EVENT_BUS_REDIS_CONNECTION_URL = {url!r}
EVENT_BUS_REDIS_STREAM_MAX_LEN = None
EVENTS_OUTBOX_LEASE_SECONDS = {lease}
ROOT_URLCONF = "relay_settings"
urlpatterns = []
"""


@pytest.fixture
def start_relay(site, server, tmp_path):
    """Start a relay process: `start_relay("run")`, or `"die"` by SIGKILL between the bus and its mark."""
    database = connection.settings_dict["NAME"]
    processes = []

    def start(what, *, lease=60, batch=9):
        (tmp_path / "relay_settings.py").write_text(SETTINGS.format(database=database, url=server.url, lease=lease))
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "relay_settings",
            "PYTHONPATH": f"{tmp_path}:{ROOT}",
        }
        process = subprocess.Popen(
            [sys.executable, "-c", RELAY, str(database), what, str(batch)],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


@pytest.mark.rule("events.acceptance.10")
@pytest.mark.database("postgresql", "mysql")  # SQLite's test database is in this process's memory
def test_relay_killed_between_bus_and_mark_leaves_equal_duplicates_and_no_gap(send, server, start_relay):
    send()
    victim = start_relay("die", lease=1, batch=30)
    victim.communicate(timeout=60)
    assert victim.returncode == -signal.SIGKILL
    assert server.client.xlen(TOPIC) == 30
    time.sleep(1.5)  # the lease ends
    relay.relay_due()
    assert count(server) == attrs.evolve(ALL_ARRIVED, duplicates=30)
    assert settled()


@pytest.mark.rule("events.acceptance.10")
@pytest.mark.database("postgresql", "mysql")
@pytest.mark.parametrize("relays", [2, 4])
def test_relays_at_once_lose_nothing_and_keep_order(send, server, start_relay, relays):
    send(SENT // 2)
    processes = [start_relay("run") for _ in range(relays)]
    send(SENT // 2)
    for process in processes:
        output, _ = process.communicate(timeout=90)
        assert (process.returncode, output.strip()) == (0, "done")
    assert count(server) == ALL_ARRIVED
    assert settled()


COMMAND = [sys.executable, "manage.py", "relay_outbox", "--settings", "relay_settings"]


@pytest.mark.database("postgresql", "mysql")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_ends_cleanly_when_asked(send, server, start_relay, tmp_path, number):
    send(SENT)
    start_relay("run").communicate(timeout=90)  # it also writes the settings
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    process = subprocess.Popen(COMMAND, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    send(5)
    deadline = time.monotonic() + 60
    while OutboxEvent.objects.pending().exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert count(server) == Count(SENT + 5, SENT + 5, 0, 0, True, True)


def test_no_payload_in_any_line(send, server, caplog):
    caplog.set_level("DEBUG")
    server.stop()
    send(3)
    with pytest.raises(BusUnavailable):
        relay.relay_due()
    server.start()
    relay.relay_due()
    assert TYPE in caplog.text
    lines = [record.getMessage() for record in caplog.records if record.levelname != "DEBUG"]
    assert not any(MARKER in line for line in lines)
