"""The web process of production, as it is started, with neither cache nor broker nor mail server there."""

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

from settings.environment import example

ROOT = Path(__file__).parents[2]
NOWHERE = "127.0.0.1:1"
APPLICATION = """
from django.contrib.auth.models import User
from oauth2_provider.models import Application

user = User.objects.create_user("reporter", is_staff=True)
Application.objects.create(
    client_id="reporting", client_secret="hush", user=user,
    client_type="confidential", authorization_grant_type="client-credentials",
)
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),  # that of the process, so once is enough
]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Start the process; return its address and, once it has ended, what it has written."""
    folder = tmp_path_factory.mktemp("service")
    port = free_port()
    environment = {
        **example(),
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DJANGO_SETTINGS_MODULE": "settings.production",
        "SITE_NAME": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "CACHE_URL": f"redis://{NOWHERE}/0",
        "CELERY_BROKER_URL": f"amqp://{NOWHERE}/",
        "STATIC_ROOT": str(folder / "static"),
        "BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": "1",
    }
    for arguments in (
        ["migrate", "--verbosity", "0"],
        ["collectstatic", "--no-input", "--verbosity", "0"],
        ["shell", "--verbosity", "0", "--command", APPLICATION],
    ):
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "-m", "gunicorn", "--config", "python:settings.gunicorn", "settings.wsgi"]
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for_port(port, process)
            yield f"http://127.0.0.1:{port}", lambda: (folder / "log").read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def wait_for_port(port, process):
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the web process did not start")


def get(service, path, **headers):
    address, _ = service
    return requests.get(address + path, headers={"X-Forwarded-Proto": "https", **headers}, timeout=30)


def test_service_goes_on_without_cache_and_broker(service):
    response = get(service, "/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "degraded",
        "checks": {"database": "ok", "migrations": "ok", "cache": "degraded", "broker": "degraded", "bus": "ok"},
    }


def test_program_gets_a_token_and_uses_it(service):
    address, _ = service
    body = {"grant_type": "client_credentials", "client_id": "reporting", "client_secret": "hush", "token_type": "jwt"}
    headers = {"X-Forwarded-Proto": "https"}
    token = requests.post(f"{address}/oauth2/access_token", data=body, headers=headers, timeout=30).json()
    courses = get(service, "/api/credit/v1/courses/", Authorization=f"JWT {token['access_token']}")
    assert (courses.status_code, courses.json()) == (200, [])
    assert get(service, "/api/credit/v1/courses/").status_code == 401


@pytest.mark.parametrize(("path", "status"), [("/", 301), ("/healthz", 200), ("/readyz", 200)])
def test_people_are_sent_to_tls_and_probes_are_not(service, path, status):
    address, _ = service
    response = requests.get(address + path, allow_redirects=False, timeout=30)
    assert response.status_code == status
    assert status == 200 or response.headers["Location"] == address.replace("http://", "https://") + "/"


def test_answers_are_guarded(service):
    headers = get(service, "/").headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    cookie = get(service, "/admin/login/").headers["Set-Cookie"]
    assert "Secure" in cookie


def test_files_are_served_to_be_kept(service):
    page = get(service, "/").text
    [style_sheet] = [word for word in page.split('"') if word.startswith("/static/")]
    response = get(service, style_sheet)
    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]


def test_hosts_of_others_are_refused(service):
    assert get(service, "/", Host="elsewhere.example.com").status_code == 400


def test_every_line_that_it_writes_is_structured(service):
    get(service, "/", **{"X-Request-ID": "the-last-request"})
    lines = [json.loads(line) for line in service[1]().splitlines()]
    assert any(line.get("request_id") == "the-last-request" for line in lines)
    assert {"gunicorn.error", "settings.requests"} <= {line["logger"] for line in lines}
