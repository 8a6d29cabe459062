"""The consumer with kills, stops and restarts, on a Redis of its own (events contract 18.11); each test counts."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from events.bus.redis.consumer import TooManyErrors
from events.models import ProcessedEvent
from tests.events.redis_bus import Topic
from tests.events.redis_server import RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.fault, pytest.mark.rule("events.consumer.faults")]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds, on a busy machine


@pytest.fixture
def server(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    server.end()


@pytest.fixture
def topic(server):
    topic = Topic(server.url)
    yield topic
    topic.redis.close()


class Site:
    """A database in a file, and consumers that work on it in processes of their own."""

    def __init__(self, folder: Path, topic: Topic) -> None:
        self.held = folder / "held"
        self.log = folder / "consumer.log"
        self._file = folder / "site.sqlite3"
        self._topic = topic
        self._process: subprocess.Popen | None = None
        settings = {**topic.settings, "EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT": 600}
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.events.consumer_settings",
            "DATABASE_URL": f"sqlite:///{self._file}",
            "CONSUMER_SETTINGS": json.dumps(settings),
        }

    def migrate(self) -> None:
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=self._environment, check=True, timeout=PATIENCE)

    def start(self, *how: str) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.events.consuming_process", str(self.held), *how],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def end(self, number: int) -> int:
        """Send the consumer a signal; return its exit status."""
        process, self._process = self._process, None
        process.send_signal(number)
        return process.wait(PATIENCE)

    def wait_for_death(self) -> int:
        process, self._process = self._process, None
        return process.wait(PATIENCE)

    def close(self) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)

    @property
    def rows(self) -> tuple[list[int], int]:
        """The parcels that had their effect, and how many events are noted as processed."""
        with sqlite3.connect(self._file, timeout=PATIENCE) as database:
            effects = [int(name) for (name,) in database.execute("SELECT name FROM auth_group ORDER BY id")]
            [(notes,)] = database.execute("SELECT COUNT(*) FROM events_processedevent")
        return effects, notes


@pytest.fixture
def site(tmp_path, topic):
    site = Site(tmp_path, topic)
    site.migrate()
    yield site
    site.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until, "This never happened."
        time.sleep(0.1)


def test_kills_stops_downtime_and_a_restarted_redis_lose_nothing_and_repeat_nothing(site, topic, server, parcel_sent):
    def send(*numbers):
        for number in numbers:
            topic.send(parcel_sent, attempt=number)

    def is_done(count):
        return site.rows == (list(range(count)), count) and topic.pending == []

    site.held.write_text("7")
    send(*range(20))
    site.start()
    wait_until(lambda: site.log.exists() and b"holds 7" in site.log.read_bytes())
    assert site.end(signal.SIGKILL) == -signal.SIGKILL  # in the middle of the seventh, whose effect is not committed
    assert site.rows == (list(range(7)), 7)

    site.held.unlink()
    send(*range(20, 30))  # while nobody reads
    site.start()
    wait_until(lambda: is_done(30))

    server.stop()  # while the consumer waits for entries
    server.start()
    send(*range(30, 40))
    wait_until(lambda: is_done(40))

    site.held.write_text("41")
    send(40, 41, 42)
    wait_until(lambda: b"holds 41" in site.log.read_bytes())
    site._process.send_signal(signal.SIGTERM)  # in the middle of an entry: that one is finished
    site.held.unlink()
    assert site.end(signal.SIGTERM) == 0
    assert site.rows == (list(range(42)), 42)

    site.start()
    wait_until(lambda: is_done(43))
    assert site.end(signal.SIGINT) == 0  # while it waits: at once, though the wait is ten minutes
    assert topic.dead_letters == []
    assert b"marker" not in site.log.read_bytes()


def test_a_kill_between_commit_and_acknowledgement_leads_to_a_duplicate_without_effect(site, topic, parcel_sent):
    for number in range(5):
        topic.send(parcel_sent, attempt=number)
    site.start("die")
    assert site.wait_for_death() == -signal.SIGKILL
    assert site.rows == (list(range(5)), 5)
    assert [deliveries for _, deliveries in topic.pending] == [1] * 5

    topic.send(parcel_sent, attempt=5)
    site.start()
    wait_until(lambda: site.rows == (list(range(6)), 6) and topic.pending == [])
    assert site.end(signal.SIGTERM) == 0
    assert topic.dead_letters == []


@pytest.fixture
def configured(topic, settings):
    for name, value in topic.settings.items():
        setattr(settings, name, value)
    settings.EVENT_BUS_REDIS_CONSUMER_CONSECUTIVE_ERRORS_LIMIT = 3
    return topic


@pytest.mark.django_db
def test_a_full_redis_keeps_the_entry_that_could_not_become_a_dead_letter(configured, parcel_sent):
    configured.consumer(consumer_name="one").consume_backlog()
    configured.send(parcel_sent, time="marker")
    configured.redis.config_set("maxmemory-policy", "noeviction")
    configured.redis.config_set("maxmemory", 1)
    with pytest.raises(TooManyErrors):
        configured.consumer(consumer_name="one").consume_indefinitely()
    assert (len(configured.pending), configured.dead_letters) == (1, [])

    configured.redis.config_set("maxmemory", 0)
    configured.consumer(consumer_name="one").consume_backlog()
    assert (configured.pending, len(configured.dead_letters)) == ([], 1)


@pytest.mark.database("postgresql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before the effect", "after the effect"])
def test_a_lost_connection_to_the_database_counts_against_no_entry(configured, settings, parcel_sent, moment):
    settings.EVENTS_CONSUMER_MAX_DELIVERIES = 1
    calls = []

    def lose_connection():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    def receiver(attempt, **kwargs):
        calls.append(attempt)
        if moment == "before the effect" and len(calls) == 1:
            lose_connection()
        Group.objects.create(name=str(attempt))
        if moment == "after the effect" and len(calls) == 1:
            lose_connection()
        if len(calls) == 3:
            consumer.stop()

    parcel_sent.connect(receiver)
    configured.send(parcel_sent, attempt=1)
    configured.send(parcel_sent, attempt=2)
    consumer = configured.consumer()
    consumer.consume_indefinitely()
    assert calls == [1, 1, 2]
    assert sorted(Group.objects.values_list("name", flat=True)) == ["1", "2"]
    assert ProcessedEvent.objects.count() == 2
    assert (configured.pending, configured.dead_letters) == ([], [])
