"""`manage.py provider_sandbox`, in this process and in one of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
import requests
from django.core.management import CommandError, call_command

from tests.credit.test_signature import REQUEST

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


@pytest.mark.parametrize(
    "site", [{"CREDIT_PROVIDER_SANDBOX": False, "DEBUG": True}, {"DEBUG": False}], ids=["switched off", "not debugging"]
)
def test_it_refuses_settings_of_a_real_site(settings, site):
    for name, value in site.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError, match="CREDIT_PROVIDER_SANDBOX"):
        call_command("provider_sandbox", port=0)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://host/?a=b", "http://h/#a"])
def test_it_refuses_what_is_no_service(settings, url):
    settings.CREDIT_PROVIDER_SANDBOX = True
    with pytest.raises(CommandError, match="not the address of a service"):
        call_command("provider_sandbox", "--service-url", url)


def test_it_names_a_port_that_is_taken(settings):
    settings.CREDIT_PROVIDER_SANDBOX = True
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"Cannot listen on 127.0.0.1:{port}"):
            call_command("provider_sandbox", port=port)


@pytest.mark.parametrize("port", ["-1", "70000"])
def test_it_refuses_an_impossible_port(settings, port):
    settings.CREDIT_PROVIDER_SANDBOX = True
    with pytest.raises(CommandError, match="Cannot listen"):
        call_command("provider_sandbox", "--port", port)


@pytest.mark.urls("tests.credit.no_urls")
def test_it_needs_the_address_of_the_callback(settings):
    settings.CREDIT_PROVIDER_SANDBOX = True
    with pytest.raises(CommandError, match=r"Include credit\.urls"):
        call_command("provider_sandbox", port=0)


@pytest.mark.slow
def test_it_serves_until_it_is_interrupted(tmp_path):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings.development", "COURSE_CREDIT_DATA_DIR": tmp_path}
    command = [sys.executable, MANAGE, "provider_sandbox", "--port", "0", "--service-url", "http://127.0.0.1:9/lms/"]
    command += ["--allowed-host", "practice.example"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            root = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
            target = process.stdout.readline()
            answer = requests.post(f"{root}/hogwarts/", REQUEST, timeout=10)
            by_host = {
                host: requests.get(root, headers={"Host": host}, timeout=10).status_code
                for host in ("localhost", "practice.example", "other.example")
            }
        finally:
            process.send_signal(signal.SIGINT)
            Timer(10, process.kill).start()  # one that does not stop fails the test instead of holding it up
            process.communicate()
    assert target.endswith("http://127.0.0.1:9/lms/api/credit/v1/providers/PROVIDER-ID/callback\n")
    assert by_host == {"localhost": 200, "practice.example": 200, "other.example": 421}
    assert answer.status_code == 403
    assert "No usable key" in answer.text
    assert process.returncode == 0


@pytest.mark.slow
def test_it_does_not_run_with_production_settings():
    sample = [sys.executable, "-m", "settings.environment"]
    lines = subprocess.run(sample, cwd=MANAGE.parent, capture_output=True, text=True, check=True).stdout.splitlines()
    production = dict(line.split("=", 1) for line in lines)
    environment = {**os.environ, **production, "DJANGO_SETTINGS_MODULE": "settings.production"}
    command = [sys.executable, MANAGE, "provider_sandbox", "--port", "0"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "CommandError: The practice university signs decisions for whoever opens it" in ended.stderr
