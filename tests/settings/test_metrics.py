"""Figures for Prometheus: each process is started as operators start it, and asked."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from settings.environment import example
from tests.events.redis_bus import GROUP, Topic
from tests.support import service_url

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds, on a busy machine
ROWS = """
from django.utils import timezone
from events.learning.data import UserData, UserPersonalData
from events.learning.signals import STUDENT_REGISTRATION_COMPLETED
from credit.models import CreditCourse, CreditEligibility

PERSON = UserPersonalData("marker", "marker@example.org")
course = CreditCourse.objects.create(course_key="course-v1:Org+C101+2024", enabled=True)
CreditEligibility.objects.create(username="marker", course=course, email_due_at=timezone.now())
for number in range(3):
    STUDENT_REGISTRATION_COMPLETED.send_event(user=UserData(number, True, PERSON))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),  # that of the processes, so once is enough
    pytest.mark.xdist_group("metrics"),
]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def topic():
    topic = Topic(service_url("redis"))
    yield topic
    topic.delete()


@pytest.fixture(scope="module")
def environment(tmp_path_factory, topic):
    """A site with three events and a mail that wait."""
    folder = tmp_path_factory.mktemp("site")
    key = {"event_key_field": "user.pii.username", "enabled": True}
    for name in ("in", "out", "tmp"):
        (folder / name).mkdir()
    environment = {
        **example(),
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": str(folder),
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "SITE_NAME": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "CACHE_URL": topic.url,
        "CELERY_BROKER_URL": "filesystem://",
        "STATIC_ROOT": str(folder / "static"),
        "EVENT_BUS_REDIS_CONNECTION_URL": topic.url,
        "EVENT_BUS_TOPIC_PREFIX": topic.prefix,
        "EVENT_BUS_PRODUCER_CONFIG": json.dumps(
            {"org.openedx.learning.student.registration.completed.v1": {topic.name: key}}
        ),
    }
    (folder / "site_settings.py").write_text(
        "from settings.production import *\n"
        f"CELERY_BROKER_TRANSPORT_OPTIONS = {{'data_folder_in': {str(folder / 'in')!r},"
        f" 'data_folder_out': {str(folder / 'in')!r}, 'control_folder': {str(folder / 'out')!r}}}\n"
        "EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT = 1\n"
    )
    for arguments in (
        ["migrate", "--verbosity", "0"],
        ["collectstatic", "--no-input", "--verbosity", "0"],
        ["shell", "--verbosity", "0", "--command", ROWS],
    ):
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)
    return environment


@pytest.fixture
def start(environment, tmp_path):
    """Start a process of the service: `start("manage.py", …)`. It ends, cleanly, with the test."""
    processes = []

    def start(*command, **variables):
        log = (tmp_path / f"{len(processes)}.log").open("w+")
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env={**environment, **variables}, stdout=log, stderr=log
        )
        processes.append((process, log))

    yield start
    for process, log in processes:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=PATIENCE)
        finally:
            process.kill()
            log.close()
    assert not any("marker" in path.read_text() for path in tmp_path.glob("*.log"))


def figures(port):
    """Return the value of each sample, by its name and the values of its labels in their alphabetical order."""
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    assert "marker" not in text
    return {
        (sample.name, *(text for _, text in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def wait_for(port, **expected):
    """Ask until the samples are as expected; `expected` by name."""
    return wait_until(port, lambda found: all(found.get((name,)) == value for name, value in expected.items()))


def wait_until(port, is_so):
    deadline = time.monotonic() + PATIENCE
    found = {}
    while time.monotonic() < deadline:
        try:
            found = figures(port)
        except requests.ConnectionError:
            pass
        else:
            if is_so(found):
                return found
        time.sleep(0.2)
    pytest.fail(f"This never came: {found}")


def test_web_workers_answer_for_each_other(start, environment):
    port, metrics = free_port(), free_port()
    start(
        *("-m", "gunicorn", "--config", "python:settings.gunicorn", "settings.wsgi"),
        BIND=f"127.0.0.1:{port}",
        METRICS_BIND=f"127.0.0.1:{metrics}",
        WEB_CONCURRENCY="2",
    )
    wait_for(metrics, events_outbox_pending=3, credit_mails_owed=1, enrollment_jobs_oldest_seconds=0)
    headers = {"X-Forwarded-Proto": "https"}
    for _ in range(10):
        assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=30).status_code == 200
        requests.get(f"http://127.0.0.1:{port}/api/credit/v1/providers/marker/", headers=headers, timeout=30)
    assert requests.get(f"http://127.0.0.1:{port}/metrics", headers=headers, timeout=30).status_code == 404
    for _ in range(4):  # whichever worker answers
        found = figures(metrics)
        assert found["http_requests_total", "GET", "/healthz", "200"] == 10
        assert found["http_request_seconds_count", "/healthz"] == 10
        assert found["enrollment_jobs", "queued"] == 0
        [of_providers] = [
            value for name, value in found.items() if name[0] == "http_requests_total" and "provider" in name[2]
        ]
        assert of_providers == 10
    assert [*Path(environment["TMPDIR"]).glob("course-credit-metrics-*")]


def test_relay_and_consumer_tell_how_far_they_are(start, topic):
    relay, consumer = free_port(), free_port()
    options = ["-t", topic.name, "-g", GROUP]
    start("manage.py", "consume_events", *options, "--metrics-port", str(consumer))
    wait_until(consumer, lambda found: ("events_consumer_in_hand", GROUP, topic.name) in found)
    start("manage.py", "relay_outbox", "--metrics-port", str(relay))
    wait_for(relay, events_outbox_pending=0, events_outbox_sent_per_minute=3, events_outbox_dead=0)
    entries = ("events_consumer_entries_total", GROUP, "processed", topic.name)
    found = wait_until(consumer, lambda found: found.get(entries) == 3)
    assert found["events_consumer_lag", GROUP, topic.name] == 0
    wait_for(relay, events_bus_greatest_group_lag=0)


def test_worker_tells_what_its_processes_have_run(start):
    metrics = free_port()
    start("-m", "celery", "--app", "settings", "worker", "--concurrency", "2", "--metrics-port", str(metrics))
    wait_for(metrics, credit_mails_owed=1)
    start("-m", "celery", "--app", "settings", "call", "events.tasks.purge_outbox")
    task = "events.tasks.purge_outbox"
    found = wait_until(metrics, lambda found: found.get(("celery_tasks_total", "SUCCESS", task)))
    assert found["celery_task_seconds_count", task] == 1


def test_nothing_is_left_when_they_have_ended(environment):
    assert not [*Path(environment["TMPDIR"]).glob("course-credit-metrics-*")]


@pytest.mark.parametrize("address", ["127.0.0.1:taken", "127.0.0.1", "nowhere.invalid:9100", "127.0.0.1:99999"])
def test_an_address_that_cannot_be_used_is_named(monkeypatch, tmp_path, address):
    from settings.metrics import serve

    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = address.replace("taken", str(taken.getsockname()[1]))
        with pytest.raises(Exception, match=f"Figures cannot be served at {address}"):
            serve(address)
