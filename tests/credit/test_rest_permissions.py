"""Who may do what: every endpoint, method, caller and kind of credentials (credit contract 5, common rules)."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from credit.models import CreditAudit, CreditCourse, CreditEligibility, CreditProvider, CreditRequest
from tests.credit.factories import (
    CreditCourseFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementStatusFactory,
)
from tests.credit.rest import CREDENTIALS, RESTRICTED_CREDENTIALS, SECRET, client_of, signed, with_restricted_client
from tests.enrollment.factories import UserFactory

pytestmark = pytest.mark.django_db

NOW = 1_782_907_200
KEY = "course-v1:HogwartsX+Potions101+1T2026"
QUERY_KEY = KEY.replace("+", "%2B")
NEW_KEY = "course-v1:HogwartsX+Charms101+1T2026"
UUID = "557168d0f7664fe59097106c67c3f847"

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CALLERS = ("ron", "draco", "minerva")  # the learner named in body or query, another learner, staff

DENIED = {"detail": "You do not have permission to perform this action.", "code": "permission_denied"}
ANONYMOUS = {"detail": "Authentication credentials were not provided.", "code": "not_authenticated"}
RESTRICTED = {"detail": "A restricted application may not do this.", "code": "permission_denied"}


@dataclass(frozen=True)
class Endpoint:
    """An endpoint, the calls that succeed there, and the callers that may make them."""

    path: str
    calls: dict[str, int]
    permitted: tuple[str, ...]
    body: dict[str, Any] = field(default_factory=dict)


ENDPOINTS = {
    "courses": Endpoint(
        "courses/",
        {"GET": 200, "HEAD": 200, "POST": 201, "OPTIONS": 200},
        permitted=("minerva",),
        body={"course_key": NEW_KEY},
    ),
    "course": Endpoint(
        f"courses/{KEY}/",
        {"GET": 200, "HEAD": 200, "PUT": 200, "PATCH": 200, "OPTIONS": 200},
        permitted=("minerva",),
        body={"course_key": KEY, "enabled": True},
    ),
    "providers": Endpoint("providers/", {"GET": 200, "HEAD": 200, "OPTIONS": 200}, permitted=CALLERS),
    "provider": Endpoint("providers/HogwartsX/", {"GET": 200, "HEAD": 200, "OPTIONS": 200}, permitted=CALLERS),
    "request": Endpoint(
        "providers/HogwartsX/request/",
        {"POST": 200, "OPTIONS": 200},
        permitted=("ron", "minerva"),
        body={"username": "ron", "course_key": KEY},
    ),
    "request naming nobody": Endpoint(
        "providers/HogwartsX/request/?username=ron", {"POST": 400, "OPTIONS": 200}, permitted=("minerva",)
    ),
    "eligibility": Endpoint(
        f"eligibility/?username=ron&course_key={QUERY_KEY}",
        {"GET": 200, "HEAD": 200, "OPTIONS": 200},
        permitted=("ron", "minerva"),
    ),
    "eligibility naming nobody": Endpoint(
        f"eligibility/?course_key={QUERY_KEY}",
        {"GET": 400, "HEAD": 400, "OPTIONS": 200},
        permitted=("minerva",),
        body={"username": "ron"},
    ),
}
CALLBACK = Endpoint(
    "providers/HogwartsX/callback",
    {"POST": 200},
    permitted=CALLERS,
    body=signed({"request_uuid": UUID, "status": "approved", "timestamp": NOW}),
)

EVERY_ENDPOINT = pytest.mark.parametrize("endpoint", [pytest.param(value, id=key) for key, value in ENDPOINTS.items()])


@pytest.fixture(autouse=True)
def _world(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"HogwartsX": SECRET}
    course = CreditCourseFactory(course_key=KEY, enabled=True)
    CreditProviderFactory(provider_id="HogwartsX")
    CreditRequirementStatusFactory(username="ron", requirement__course=course)
    CreditEligibilityFactory(username="ron", course=course)
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def users(_world):
    return {name: UserFactory(username=name, is_staff=name == "minerva") for name in CALLERS}


def call(client: APIClient, endpoint: Endpoint, method: str) -> Any:
    body = json.dumps(endpoint.body)
    return client.generic(method, f"/api/credit/v1/{endpoint.path}", body, "application/json")


def call_with_every_method(client: APIClient, endpoint: Endpoint) -> dict[str, tuple[int, Any]]:
    """Return status and, of an error, body by method; no call that fails may change anything."""
    answers: dict[str, tuple[int, Any]] = {}
    before = rows()
    for method in METHODS:
        response = call(client, endpoint, method)
        refused, after = response.status_code >= 400, rows()
        answers[method] = response.status_code, response.json() if refused and method != "HEAD" else None
        assert not refused or after == before
        before = after
        assert response.status_code != 401 or response["WWW-Authenticate"].startswith("JWT ")
    return answers


def with_every_method(status: int, body: dict[str, str]) -> dict[str, tuple[int, Any]]:
    return {method: (status, None if method == "HEAD" else body) for method in METHODS}


def rows():
    models = (CreditCourse, CreditEligibility, CreditRequest, CreditAudit)
    return [list(model.objects.order_by("pk").values()) for model in models]


@EVERY_ENDPOINT
@pytest.mark.parametrize("by", CREDENTIALS)
@pytest.mark.parametrize("caller", CALLERS)
def test_authenticated_callers(users, caller, by, endpoint):
    answers = call_with_every_method(client_of(users[caller], by), endpoint)

    if caller not in endpoint.permitted:
        assert answers == with_every_method(403, DENIED)
        return
    assert {method: status for method, (status, _) in answers.items()} == {
        method: endpoint.calls.get(method, 405) for method in METHODS
    }
    for method, (status, body) in answers.items():
        if status == 405 and method != "HEAD":
            assert body == {"detail": f'Method "{method}" not allowed.', "code": "method_not_allowed"}


@EVERY_ENDPOINT
def test_anonymous_callers_are_asked_to_log_in(endpoint):
    answers = call_with_every_method(APIClient(enforce_csrf_checks=True), endpoint)

    assert answers == with_every_method(401, ANONYMOUS)


@with_restricted_client
@EVERY_ENDPOINT
@pytest.mark.parametrize("by", RESTRICTED_CREDENTIALS)
@pytest.mark.parametrize("caller", CALLERS)
def test_restricted_applications_pass_nowhere(users, caller, by, endpoint):
    answers = call_with_every_method(client_of(users[caller], by), endpoint)

    assert answers == with_every_method(403, RESTRICTED)


@EVERY_ENDPOINT
@pytest.mark.parametrize("token", ["JWT a.b.c", "JWT", "Bearer invented", "Bearer"])
def test_invented_tokens_are_refused(endpoint, token):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=token)

    answers = call_with_every_method(client, endpoint)

    assert {status for status, _ in answers.values()} == {401}


@EVERY_ENDPOINT
@pytest.mark.parametrize("by", CREDENTIALS)
def test_inactive_accounts_are_refused(users, by, endpoint):
    client = client_of(users["minerva"], by)
    type(users["minerva"]).objects.update(is_active=False)

    answers = call_with_every_method(client, endpoint)

    assert {status for status, _ in answers.values()} == {401}


@with_restricted_client
@pytest.mark.parametrize("by", [*CREDENTIALS, *RESTRICTED_CREDENTIALS])
@pytest.mark.parametrize("caller", [*CALLERS, None])
def test_a_callback_is_trusted_by_its_signature_alone(users, caller, by):
    provider = CreditProvider.objects.get()
    request = CreditRequestFactory(uuid=UUID, provider=provider)

    answers = call_with_every_method(client_of(users.get(caller), by), CALLBACK)

    assert {method: status for method, (status, _) in answers.items()} == {
        method: 200 if method == "POST" else 405 for method in METHODS
    }
    request.refresh_from_db()
    assert request.status == "approved"


UNSAFE = [
    pytest.param(ENDPOINTS[name], method, caller, id=f"{method} {name}")
    for name, method, caller in [
        ("courses", "POST", "minerva"),
        ("course", "PUT", "minerva"),
        ("course", "PATCH", "minerva"),
        ("course", "DELETE", "minerva"),
        ("providers", "POST", "ron"),
        ("provider", "PUT", "ron"),
        ("request", "POST", "ron"),
        ("eligibility", "POST", "ron"),
    ]
]


@pytest.mark.parametrize(("endpoint", "method", "caller"), UNSAFE)
def test_unsafe_calls_of_a_session_need_the_csrf_token(users, endpoint, method, caller):
    client, before = client_of(users[caller], enforce_csrf_checks=True), rows()

    response = call(client, endpoint, method)

    assert response.status_code == 403
    assert response.json() == {"detail": "CSRF Failed: CSRF cookie not set.", "code": "permission_denied"}
    assert rows() == before


@pytest.mark.parametrize(("endpoint", "method", "caller"), UNSAFE)
def test_with_the_csrf_token_a_session_may(users, endpoint, method, caller):
    client = client_of(users[caller], enforce_csrf_checks=True)
    token = "a" * 32
    client.cookies["csrftoken"] = token
    client.defaults["HTTP_X_CSRFTOKEN"] = token

    assert call(client, endpoint, method).status_code == endpoint.calls.get(method, 405)


@pytest.mark.parametrize("by", ["jwt", "bearer"])
@pytest.mark.parametrize(("endpoint", "method", "caller"), UNSAFE)
def test_calls_with_a_token_need_no_csrf_token(users, endpoint, method, caller, by):
    client = client_of(users[caller], by, enforce_csrf_checks=True)

    assert call(client, endpoint, method).status_code == endpoint.calls.get(method, 405)


def test_hosts_may_name_the_authenticators(settings, users):
    settings.CREDIT_AUTHENTICATION_CLASSES = ["rest_framework.authentication.BasicAuthentication"]

    for client in (client_of(users["ron"]), client_of(users["ron"], "jwt"), APIClient()):
        response = call(client, ENDPOINTS["providers"], "GET")

        assert (response.status_code, response.json()) == (401, ANONYMOUS)
        assert response["WWW-Authenticate"] == 'Basic realm="api"'
