"""Callers of the REST endpoints, and how they call."""

from typing import Any

from rest_framework.test import APIClient

from tests.credit.rest import client_of
from tests.enrollment.factories import UserFactory

V1 = "/api/enrollment/v1/"
KEY = "a key that shop and site share"
COURSE = "course-v1:edX+DemoX+2026_T1"


def server_client(user: Any = None) -> APIClient:
    """Return a client that knows the API key, `KEY` in settings, with or without a user."""
    client = client_of(user)
    client.defaults["HTTP_X_EDX_API_KEY"] = KEY
    return client


def callers() -> dict[str, APIClient]:
    """Return a client for each kind of caller: the learner bob, staff, and a server."""
    return {
        "learner": client_of(UserFactory(username="bob", email="bob@example.com")),
        "staff": client_of(UserFactory(username="staff", is_staff=True)),
        "server": server_client(),
    }


def ask(client: APIClient, course_id: Any = COURSE, **fields: Any) -> Any:
    """Post a request for an enrollment."""
    return client.post(f"{V1}enrollment", {"course_details": {"course_id": course_id}, **fields}, format="json")
