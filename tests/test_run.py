"""The runner: what takes part, what is left out, and what CI does not let pass."""

import os
import socket
import subprocess
import sys

import pytest

from tests.run import SERVERS, complaint

QUIET = dict.fromkeys(SERVERS, "")


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.run", "--version"]
    variables = {**os.environ, **QUIET, **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("variable", SERVERS)
def test_a_server_that_is_not_named_is_left_out(variable):
    assert complaint(variable, {}) == f"{variable} is not set: tests that need it are left out."


@pytest.mark.parametrize("variable", SERVERS)
def test_a_server_that_is_silent_is_left_out(variable):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert f"nothing answers at 127.0.0.1:{port}" in complaint(variable, {variable: f"x://127.0.0.1:{port}/name"})


def test_a_server_that_answers_takes_part(listener):
    assert complaint("TEST_REDIS_URL", {"TEST_REDIS_URL": f"redis://127.0.0.1:{listener}/0"}) is None


def test_ci_misses_no_server():
    done = start(CI="true")
    assert done.returncode == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(SERVERS)
