"""The runner: what takes part, what is left out, and what CI does not let pass."""

import os
import socket
import subprocess
import sys

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection

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


SUITE = """
import pytest
from django.contrib.auth.models import Group


@pytest.fixture
def group(db):
    return Group.objects.create(name="readers")


def test_without():
    pass


@pytest.mark.django_db
def test_marked():
    pass


def test_by_a_fixture_of_a_fixture(group):
    pass


@pytest.mark.database({vendor!r})
def test_bound_to_this_database():
    pass


@pytest.mark.database("another")
@pytest.mark.django_db
def test_bound_to_another_database():
    pass
"""
WITH_DATABASE = {"test_marked", "test_by_a_fixture_of_a_fixture", "test_bound_to_this_database"}


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        pytest.param([], {"test_without", *WITH_DATABASE}, id="the one"),
        pytest.param(["--only-with-database"], WITH_DATABASE, id="the others"),
    ],
)
def test_what_uses_no_database_runs_in_one_suite_only(tmp_path, options, kept):
    module = tmp_path / "test_suite.py"
    module.write_text(SUITE.format(vendor=connection.vendor))
    command = [
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "--collect-only",
        "-q",
        *options,
        str(module),
    ]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    found = {line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line}
    assert found == kept, done.stdout


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_a_test_that_commits_leaves_nothing_but_what_migrate_has_written(time, django_user_model):
    assert not Group.objects.exists()
    assert not django_user_model.objects.exists()
    assert Permission.objects.filter(codename="add_group").count() == 1
    django_user_model.objects.create(username="ron").groups.add(Group.objects.create(name="readers"))
