"""Who may do what at the endpoints for staff, and in version 2 (enrollment contract 10.2)."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from enrollment.models import CourseEnrollment, CourseEnrollmentAllowed, ManualEnrollmentAudit, RetirementRequest
from tests.credit.rest import CREDENTIALS, RESTRICTED_CREDENTIALS, client_of, with_restricted_client
from tests.enrollment.factories import (
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    UserFactory,
)
from tests.enrollment.rest import COURSE, KEY, V1, server_client

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.rule("enrollment.rest.permissions"),
    pytest.mark.database("sqlite"),  # who may call is decided before any database is asked for more than the caller
]

V2 = "/api/enrollment/v2/"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READ = {"GET": 200, "HEAD": 200, "OPTIONS": 200}

STAFF = frozenset({"staff"})
RETIRERS = frozenset({"superuser"})
PEOPLE = frozenset({"bob", "alice", "staff", "superuser", "unconfirmed", "former staff"})
SERVERS = frozenset({"server", "server with bob"})
EVERYBODY = PEOPLE | SERVERS | {"nobody"}
CALLERS = sorted(EVERYBODY)


@dataclass(frozen=True)
class Endpoint:
    """An endpoint, the calls that are taken there, by status, and the callers that may make them."""

    path: str
    calls: dict[str, int]
    permitted: frozenset[str]
    body: dict[str, Any] = field(default_factory=dict)
    for_others: dict[str, int] = field(default_factory=dict)
    """What other callers get who have said who they are; without it, 403 for whatever they do."""


INVITATION = {"email": "eve@example.com", "course_id": COURSE}
NEW_INVITATION = {"email": "new@example.com", "course_id": COURSE}
LISTED = {**READ, "POST": 201, "DELETE": 204}
ASKED = {"course_details": {"course_id": COURSE}, "user": "bob"}
UNENROLLED = {"POST": 200, "OPTIONS": 200}
NOBODYS_ROLES = {**READ, "GET": 400, "HEAD": 400}
FOR_BOB = SERVERS | {"bob", "staff"}

ENDPOINTS = {
    "list": Endpoint(f"{V1}enrollments", READ, STAFF),
    "unenroll": Endpoint(f"{V1}unenroll/", UNENROLLED, RETIRERS, {"username": "bob"}),
    "roles": Endpoint(f"{V1}roles/", READ, PEOPLE | {"server with bob"}, for_others=NOBODYS_ROLES),
    "invitations": Endpoint(f"{V1}enrollment_allowed/", LISTED, STAFF, NEW_INVITATION),
    "list 2": Endpoint(f"{V2}enrollments/", READ, STAFF),
    "unenroll 2": Endpoint(f"{V2}enrollment/unenroll/", UNENROLLED, RETIRERS, {"username": "bob"}),
    "roles 2": Endpoint(f"{V2}roles/", READ, PEOPLE | {"server with bob"}, for_others=NOBODYS_ROLES),
    "invitations 2": Endpoint(f"{V2}enrollment/enrollment_allowed/", LISTED, STAFF, NEW_INVITATION),
    "one 2": Endpoint(f"{V2}enrollments/bob,{COURSE}/", READ, FOR_BOB, for_others={**READ, "GET": 404, "HEAD": 404}),
    "own list 2": Endpoint(f"{V2}enrollment/", {**READ, "POST": 200}, FOR_BOB, ASKED, for_others={**READ, "POST": 404}),
    "course 2": Endpoint(f"{V2}courses/{COURSE}/", READ, EVERYBODY),
}
EVERY_ENDPOINT = pytest.mark.parametrize("endpoint", [pytest.param(value, id=key) for key, value in ENDPOINTS.items()])


@pytest.fixture(autouse=True)
def _site(settings):
    settings.EDX_API_KEY = KEY
    settings.ENROLLMENT_THROTTLE_RATES = {"user": "1000/minute", "staff": "1000/minute"}
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]


@pytest.fixture(autouse=True)
def users():
    CourseFactory(id=COURSE)
    people = {
        "bob": {},
        "alice": {},
        "staff": {"is_staff": True},
        "superuser": {"is_superuser": True},
        "unconfirmed": {"is_active": False},
        "former staff": {"is_staff": True, "is_superuser": True, "is_active": False},
    }
    made = {name: UserFactory(username=name.replace(" ", "_"), **facts) for name, facts in people.items()}
    CourseEnrollmentFactory(user=made["bob"], course_id=COURSE)
    CourseEnrollmentAllowedFactory(**INVITATION)
    RetirementRequest.objects.create(username="bob", state="RETIRING_ENROLLMENTS")
    return made


def client_for(users, caller):
    match caller:
        case "server":
            return server_client()
        case "server with bob":
            return server_client(users["bob"])
    return client_of(users.get(caller))


def rows():
    models = (CourseEnrollment, CourseEnrollmentAllowed, ManualEnrollmentAudit)
    return [list(model.objects.order_by("pk").values()) for model in models]


def call_with_every_method(client: Any, endpoint: Endpoint) -> dict[str, int]:
    """Return the status by method; no call that is refused may change anything."""
    answers: dict[str, int] = {}
    for method in METHODS:
        before = rows()
        body = INVITATION if method == "DELETE" else endpoint.body
        response = client.generic(method, endpoint.path, json.dumps(body), "application/json")
        assert response.status_code < 400 or rows() == before
        assert response.status_code != 401 or response["WWW-Authenticate"].startswith("JWT ")
        answers[method] = response.status_code
    return answers


def expected(endpoint: Endpoint, caller: str) -> dict[str, int]:
    if caller in endpoint.permitted:
        return {method: endpoint.calls.get(method, 405) for method in METHODS}
    if endpoint.for_others and caller != "nobody":
        return {method: endpoint.for_others.get(method, 405) for method in METHODS}
    return dict.fromkeys(METHODS, 401 if caller in ("nobody", "server") else 403)


@EVERY_ENDPOINT
@pytest.mark.parametrize("caller", CALLERS)
def test_callers(users, caller, endpoint):
    answers = call_with_every_method(client_for(users, caller), endpoint)

    if caller in ("unconfirmed", "former staff") and endpoint.permitted in (STAFF, RETIRERS):
        assert set(answers.values()) == {401}  # to such endpoints an account that is switched off is nobody
    else:
        assert answers == expected(endpoint, caller)


@EVERY_ENDPOINT
@pytest.mark.parametrize("by", CREDENTIALS)
@pytest.mark.parametrize("caller", ["bob", "staff"])
def test_every_kind_of_credentials(users, caller, by, endpoint):
    answers = call_with_every_method(client_of(users[caller], by), endpoint)

    assert answers == expected(endpoint, caller)


@with_restricted_client
@EVERY_ENDPOINT
@pytest.mark.parametrize("by", RESTRICTED_CREDENTIALS)
@pytest.mark.parametrize("caller", ["staff", "superuser"])
def test_restricted_applications_pass_nowhere(users, caller, by, endpoint):
    answers = call_with_every_method(client_of(users[caller], by), endpoint)

    if endpoint.permitted == EVERYBODY:  # nobody is asked there
        assert answers == expected(endpoint, caller)
    else:
        assert set(answers.values()) == {403}


@pytest.mark.parametrize("name", ["unenroll", "invitations", "unenroll 2", "invitations 2", "own list 2"])
def test_unsafe_calls_of_a_session_need_the_csrf_token(users, name):
    endpoint, before = ENDPOINTS[name], rows()
    user = users["superuser" if endpoint.permitted == RETIRERS else "staff"]
    client = client_of(user, enforce_csrf_checks=True)

    response = client.generic("POST", endpoint.path, json.dumps(endpoint.body), "application/json")

    assert (response.status_code, response.json()["error_code"]) == (403, "permission_denied")
    assert response.json()["detail"] == "CSRF Failed: CSRF cookie not set."
    assert rows() == before
