"""Around every request: its id, its line in the log, and what its page may load."""

import io
import json
import logging
import logging.config
import time

import pytest
import structlog
from celery import Celery
from celery.contrib.testing.worker import start_worker

from settings.logs import logging_config

pytestmark = pytest.mark.urls("tests.settings.probe")


@pytest.fixture
def log():
    """Return the lines that the service would have written, parsed."""
    stream = io.StringIO()
    config = logging_config(json=True, level="INFO")
    formatter = logging.config.DictConfigurator(config).configure_formatter(config["formatters"]["structured"])
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(config["filters"]["routes"]["()"]())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("offered", ["abc", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "A.b_c:1", "x" * 128])
def test_callers_id_is_kept(client, offered):
    assert client.get("/healthz", headers={"X-Request-ID": offered})["X-Request-ID"] == offered


@pytest.mark.parametrize("offered", ["", "two words", "a\nb", "é", "x" * 129, '"}', "a\0b", "a,b"])
def test_unsuitable_id_is_replaced(client, offered):
    answered = client.get("/healthz", headers={"X-Request-ID": offered})["X-Request-ID"]
    assert answered != offered
    assert len(answered) == 32


def test_every_request_has_an_id_of_its_own(client):
    assert client.get("/healthz")["X-Request-ID"] != client.get("/healthz")["X-Request-ID"]


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/whoami/", 401), ("/fails/", 500)])
def test_errors_carry_the_id_too(client, path, status):
    client.raise_request_exception = False
    response = client.get(path, headers={"X-Request-ID": "abc"})
    assert (response.status_code, response["X-Request-ID"]) == (status, "abc")


def test_line_of_a_request_names_its_route_and_id(client, log):
    client.get("/users/alice/?email=alice@example.edu", headers={"X-Request-ID": "abc"})
    [line] = log()
    assert line.pop("timestamp").endswith("Z")
    assert line.pop("milliseconds") >= 0
    assert line == {
        "event": "GET /users/<str:username>/ 200",
        "level": "info",
        "logger": "settings.requests",
        "request_id": "abc",
    }


@pytest.mark.parametrize("path", ["/users/alice/missing/", "/nobody/alice/", "/users/alice/fails/"])
def test_lines_about_errors_name_no_user(client, log, path):
    client.raise_request_exception = False
    client.get(path, headers={"X-Request-ID": "abc"})
    lines = log()
    assert {line["logger"] for line in lines} == {"django.request", "settings.requests"}
    assert {line["request_id"] for line in lines} == {"abc"}
    assert "alice" not in json.dumps(lines)


@pytest.mark.parametrize(
    ("message", "arguments", "written"),
    [
        pytest.param(
            "Error handling request %s %s",
            ("GET", "/users/?username=alice"),
            "Error handling request (address and details are not shown)",
            id="a request that took too long",
        ),
        pytest.param(
            "Invalid request from ip=127.0.0.1: Invalid HTTP request line: 'GET /users/?username=alice'",
            (),
            "Invalid request from ip=127.0.0.1 (address and details are not shown)",
            id="a malformed request",
        ),
        pytest.param("Booting worker with pid: %s", (7,), "Booting worker with pid: 7", id="anything else"),
    ],
)
def test_the_servers_own_lines_quote_no_request(log, message, arguments, written):
    logging.getLogger("gunicorn.error").error(message, *arguments)
    assert [line["event"] for line in log()] == [written]


def test_traceback_leads_to_the_cause_without_what_the_database_quotes(client, log):
    client.raise_request_exception = False
    client.get("/fails/")
    [trace] = [line["exception"] for line in log() if "exception" in line]
    assert "django.db.utils.IntegrityError\nThis led to:\n" in trace
    assert trace.endswith("RuntimeError: The view failed.")
    assert "alice" not in trace


def test_id_of_a_request_travels_with_its_tasks(log):
    worker_app = Celery("test", broker="memory://", set_as_current=False)
    worker_app.conf.broker_transport_options = {"polling_interval": 0.1}

    @worker_app.task(name="test.speak", ignore_result=True)
    def speak():
        logging.getLogger("tests.speaker").info("spoken")

    with start_worker(worker_app, perform_ping_check=False, shutdown_timeout=20):
        with structlog.contextvars.bound_contextvars(request_id="abc"):
            task_id = speak.delay().id
        speak.delay()
        wait_for(lambda: len(spoken(log())) == 2)
    first, second = spoken(log())
    assert (first["request_id"], first["task_id"]) == ("abc", task_id)
    assert "request_id" not in second


def spoken(lines):
    return [line for line in lines if line["logger"] == "tests.speaker"]


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("path", ["/", "/whoami/", "/admin/login/", "/nowhere"])
@pytest.mark.django_db
def test_pages_load_nothing_but_our_own_files(client, path):
    policy = client.get(path)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_page_may_have_a_policy_of_its_own(client):
    assert client.get("/own-policy/")["Content-Security-Policy"] == "default-src 'self'"
