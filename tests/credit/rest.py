"""Clients for tests of the REST endpoints: learners, staff and providers, each with the credentials they use."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from rest_framework.test import APIClient

from credit.signature import signature
from settings import tokens
from tests.enrollment.factories import UserFactory

SECRET = "931433d583c84ca7ba41784bad3232e6"
SCOPES = ("read", "write")
CREDENTIALS = ("session", "jwt", "bearer")
RESTRICTED_CREDENTIALS = ("restricted jwt", "restricted bearer")
RESTRICTED_CLIENT = "restricted-client"

KEYS_OF_OTHER_THINGS = {  # than a course, which the library takes for keys of one
    "version without a course": "course-v1:version@519665f6223ebd6980884f2b",
    "version": "course-v1:HogwartsX+Potions101+1T2026+version@519665f6223ebd6980884f2b",
    "branch": "course-v1:HogwartsX+Potions101+1T2026+branch@draft-branch",
    "block": "course-v1:HogwartsX+Potions101+1T2026+type@chapter+block@one",
    "other spelling": "slashes:HogwartsX+Potions101+1T2026",
}

# Under `utf8mb4_bin` MariaDB compares text as if it were padded with spaces.
exact_about_trailing_spaces = pytest.mark.database("sqlite", "postgresql")

with_restricted_client = override_settings(OAUTH2_RESTRICTED_CLIENTS={RESTRICTED_CLIENT: list(SCOPES)})


def client_of(user: Any = None, by: str = "session", **options: Any) -> APIClient:
    """Return a client for a user with one kind of credentials; without a user, for nobody."""
    client = APIClient(**options)
    if user is None:
        return client
    if by == "session":
        client.force_login(user)
    elif by.endswith("jwt"):
        token = tokens.issue(user, scopes=SCOPES, lifetime=60, restricted=by.startswith("restricted"))
        client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    else:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {bearer_token(user, restricted=by.startswith('restricted'))}")
    return client


def bearer_token(user: Any, *, restricted: bool = False) -> str:
    """Return a stored token of an application, which speaks for the application's user."""
    client_id = RESTRICTED_CLIENT if restricted else f"client-of-{user.pk}"
    application, _ = Application.objects.get_or_create(
        client_id=client_id,
        defaults={
            "user": user,
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_CLIENT_CREDENTIALS,
        },
    )
    token = AccessToken.objects.create(
        application=application,
        token=f"token-of-{client_id}",
        scope=" ".join(SCOPES),
        expires=timezone.now() + timedelta(minutes=1),
    )
    return str(token.token)


def learner_client(username: str = "ron") -> APIClient:
    """Return a client for a new learner."""
    return client_of(UserFactory(username=username))


def staff_client() -> APIClient:
    """Return a client for a new member of staff."""
    return client_of(UserFactory(is_staff=True))


def signed(message: dict[str, Any], *, secret: str = SECRET) -> dict[str, Any]:
    """Return a provider's message with the signature that the secret gives it."""
    return {**message, "signature": signature(message, secret)}
