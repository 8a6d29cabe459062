"""Runs inside the environment of the clients: `stock.py URL` reads calls, a JSON line each, and answers each with one.

The clients are those of the package index, unmodified; all that they are given is the settings that their documentation
asks for. What they return is told through their own attributes.
"""

import json
import sys
from functools import cache
from types import GeneratorType
from typing import Any

import django
from django.conf import settings

URL = sys.argv[1]

settings.configure(
    SECRET_KEY="only for tests",
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "social_django"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    OAUTH_ID_TOKEN_EXPIRATION=60,
    LMS_INTERNAL_ROOT_URL=URL,
    ENTERPRISE_ENROLLMENT_API_URL=f"{URL}/api/enrollment/v1/",
    ENTERPRISE_BACKEND_SERVICE_EDX_OAUTH2_PROVIDER_URL=f"{URL}/oauth2",
)
django.setup()

import requests  # noqa: E402  # Django comes first
from edx_api.client import EdxApi  # noqa: E402
from edx_api.enrollments.models import CourseDetails, CourseMode, Enrollment, Enrollments  # noqa: E402
from edx_rest_api_client.client import OAuthAPIClient, get_oauth_access_token  # noqa: E402
from enterprise.api_client.lms import EnrollmentApiClient  # noqa: E402

SHOWN = {
    Enrollment: ("course_id", "created", "mode", "is_active", "is_verified", "user", "course_details"),
    CourseDetails: ("course_id", "course_start", "enrollment_end", "invite_only", "course_modes"),
    CourseMode: ("slug", "name", "min_price", "suggested_prices", "currency", "expiration_datetime"),
}


def enterprise(client_id: str, secret: str) -> EnrollmentApiClient:
    """Return edx-enterprise's client of the enrollment API."""
    settings.ENTERPRISE_BACKEND_SERVICE_EDX_OAUTH2_KEY = client_id
    settings.ENTERPRISE_BACKEND_SERVICE_EDX_OAUTH2_SECRET = secret
    return EnrollmentApiClient()


def edx_api(client_id: str, secret: str) -> Any:
    """Return edx-api-client's client of the enrollment API, which is given a token."""
    token, _ = get_oauth_access_token(f"{URL}/oauth2", client_id, secret, token_type="bearer")
    return EdxApi({"access_token": token}, base_url=URL).enrollments


class Rest:
    """edx-rest-api-client's session, which fetches its token itself; programs use it with addresses of their own."""

    def __init__(self, client_id: str, secret: str) -> None:
        self._session = OAuthAPIClient(URL, client_id, secret)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        response = self._session.request(method, f"{URL}{path}", **options)
        response.raise_for_status()
        return response


CLIENTS = {"edx-enterprise": enterprise, "edx-api-client": edx_api, "edx-rest-api-client": Rest}


def shown(value: Any) -> Any:
    """Return what a client returned, as JSON can tell it."""
    if names := SHOWN.get(type(value)):
        return {name: shown(getattr(value, name)) for name in names}
    if isinstance(value, requests.Response):
        return {"status": value.status_code, "headers": dict(value.headers), "body": body_of(value)}
    if isinstance(value, Enrollments):
        return [shown(each) for each in value.enrolled_courses]
    if isinstance(value, GeneratorType):
        return [shown(each) for each in value]
    return value


def body_of(response: requests.Response) -> Any:
    """Return the JSON of an answer, or its text if it is none."""
    try:
        return response.json()
    except ValueError:
        return response.text


@cache
def client_of(name: str, client_id: str, secret: str) -> Any:
    """Return the client that a program keeps as long as it runs."""
    return CLIENTS[name](client_id, secret)


def answer(call: dict[str, Any]) -> dict[str, Any]:
    try:
        client = client_of(call["client"], *call["credentials"])
        return {"returned": shown(getattr(client, call["method"])(*call["arguments"], **call["options"]))}
    except requests.HTTPError as exc:
        return {"refused": {"status": exc.response.status_code, "body": body_of(exc.response)}}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line)), default=str), flush=True)
