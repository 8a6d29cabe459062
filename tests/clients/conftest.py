"""These tests need an environment that only `make clients` builds; elsewhere they are not collected."""

import itertools
import os
from collections.abc import Iterator

import pytest

from tests.clients.processes import Clients, Service, start_clients, start_service

collect_ignore_glob = [] if os.environ.get("CLIENTS_PYTHON") else ["test_*.py"]

numbers = itertools.count()


@pytest.fixture(scope="session")
def service(tmp_path_factory) -> Iterator[Service]:
    """The service as in production, with rows of its own, over TLS."""
    with start_service(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="session")
def clients(service) -> Iterator[Clients]:
    """A process in which the clients are installed."""
    with start_clients(os.environ["CLIENTS_PYTHON"], service) as clients:
        yield clients


@pytest.fixture
def learner() -> str:
    """The name of an account that no other test has touched."""
    return f"learner{next(numbers)}"
