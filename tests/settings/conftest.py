"""Callers of the service: a user, and an application that may speak for her."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from oauth2_provider.models import Application

from tests.settings.callers import CREDENTIALS, SECRET


@pytest.fixture
def alice(db) -> User:
    return User.objects.create_user(
        "alice", email="alice@example.edu", password="pass", first_name="Alice", last_name="Liddell"
    )


@pytest.fixture
def blocked_port() -> Iterator[int]:
    """Return a port whose server takes connections and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def application(alice) -> Application:
    return Application.objects.create(
        name="reporting",
        user=alice,
        client_id=CREDENTIALS["client_id"],
        client_secret=SECRET,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )


@pytest.fixture
def granted(client: Client, application: Application) -> Callable[..., dict[str, Any]]:
    """Ask the token endpoint, as `granted(token_type="jwt")`, and return its answer."""

    def granted(**parameters: str) -> dict[str, Any]:
        response = client.post("/oauth2/access_token", {**CREDENTIALS, **parameters})
        assert response.status_code == 200, response.content
        return dict(response.json())

    return granted
