"""Who may do what: every learners' endpoint, method and caller (enrollment contract 10.2)."""

import json
from typing import Any

import pytest
from oauth2_provider.models import AccessToken

from enrollment.models import CourseEnrollment
from tests.credit.rest import CREDENTIALS, RESTRICTED_CREDENTIALS, client_of, with_restricted_client
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, UserFactory
from tests.enrollment.rest import COURSE, KEY, V1, server_client

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READ = {"GET": 200, "HEAD": 200, "OPTIONS": 200}
ONE_OF_BOB = f"enrollment/bob,{COURSE}"
OWN = f"enrollment/{COURSE}"
LIST = "enrollment"
LIST_OF_BOB = "enrollment?user=bob"
COURSE_DETAILS = f"course/{COURSE}"
FOR_LEARNERS = (ONE_OF_BOB, OWN, LIST, LIST_OF_BOB)

CALLS = {
    ONE_OF_BOB: READ,
    OWN: READ,
    LIST: {**READ, "POST": 200},
    LIST_OF_BOB: {**READ, "POST": 200},
    COURSE_DETAILS: READ,
}
BODY = {"course_details": {"course_id": COURSE}}
FOR_BOB = {**BODY, "user": "bob"}
OF_A_USER = "bearer of a user"

ANONYMOUS = {
    "detail": "Authentication credentials were not provided.",
    "message": "Authentication credentials were not provided.",
    "error_code": "not_authenticated",
}
RESTRICTED = {
    "detail": "A restricted application may not do this.",
    "message": "A restricted application may not do this.",
    "error_code": "permission_denied",
}


@pytest.fixture(autouse=True)
def _key(settings):
    settings.EDX_API_KEY = KEY
    settings.ENROLLMENT_THROTTLING_ENABLED = False


@pytest.fixture(autouse=True)
def users():
    CourseFactory(id=COURSE)
    people = {
        "bob": {},
        "alice": {},
        "staff": {"is_staff": True},
        "superuser": {"is_superuser": True},
        "unconfirmed": {"is_active": False},
        "former staff": {"is_staff": True, "is_active": False},
    }
    made = {name: UserFactory(username=name.replace(" ", "_"), **facts) for name, facts in people.items()}
    CourseEnrollmentFactory(user=made["bob"], course_id=COURSE)
    return made


@pytest.fixture
def _unconfirmed(settings):
    """Sessions of unconfirmed accounts are loaded."""
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]


def client_by(user: Any, by: str) -> Any:
    """Return a client with credentials, which may be a bearer token of the user's own and not of an application."""
    if by != OF_A_USER:
        return client_of(user, by)
    client = client_of(user, "bearer")
    AccessToken.objects.update(user=user)
    return client


def call(client: Any, method: str, path: str, body: dict[str, Any] = BODY) -> Any:
    return client.generic(method, V1 + path, json.dumps(body), "application/json")


def call_with_every_method(client: Any, path: str, body: dict[str, Any] = BODY) -> dict[str, tuple[int, Any]]:
    """Return status and, of a refusal, body by method; no call that is refused may change anything."""
    answers: dict[str, tuple[int, Any]] = {}
    for method in METHODS:
        before = rows()
        response = call(client, method, path, body)
        refused = response.status_code >= 400
        assert not refused or rows() == before
        answers[method] = response.status_code, json.loads(response.content) if refused and response.content else None
        assert response.status_code != 401 or response["WWW-Authenticate"].startswith("JWT ")
    return answers


def rows() -> list[Any]:
    return list(CourseEnrollment.objects.order_by("pk").values())


def statuses(answers: dict[str, tuple[int, Any]]) -> dict[str, int]:
    return {method: status for method, (status, _) in answers.items()}


def with_every_method(expected: tuple[int, Any]) -> dict[str, tuple[int, Any]]:
    return {method: (expected[0], None) if method == "HEAD" else expected for method in METHODS}


def allowed(path: str) -> dict[str, int]:
    return {method: CALLS[path].get(method, 405) for method in METHODS}


# --- by key, by credentials, by neither


@pytest.mark.parametrize("path", FOR_LEARNERS)
def test_nobody_is_asked_to_log_in(path):
    assert call_with_every_method(client_of(), path) == with_every_method((401, ANONYMOUS))


@pytest.mark.parametrize("path", FOR_LEARNERS)
@pytest.mark.parametrize("key", ["wrong", "", KEY.upper(), "ключ".encode().decode("latin-1")])
def test_a_wrong_key_is_no_key(path, key):
    client = client_of()
    client.defaults["HTTP_X_EDX_API_KEY"] = key

    assert call_with_every_method(client, path) == with_every_method((401, ANONYMOUS))


@pytest.mark.parametrize("path", FOR_LEARNERS)
def test_without_a_key_in_settings_none_is_right(settings, path):
    for unset in (None, "", [], ["", None]):
        settings.EDX_API_KEY = unset
        for given in ("", "None", KEY):
            client = client_of()
            client.defaults["HTTP_X_EDX_API_KEY"] = given
            assert call(client, "GET", path).status_code == 401


@pytest.mark.usefixtures("_unconfirmed")
@pytest.mark.parametrize("path", FOR_LEARNERS)
@pytest.mark.parametrize("user", [None, "alice", "unconfirmed"])
def test_a_server_may(users, path, user):
    answers = call_with_every_method(server_client(users.get(user)), path, FOR_BOB)

    assert statuses(answers) == allowed(path)


@pytest.mark.usefixtures("_unconfirmed")
@pytest.mark.parametrize("path", FOR_LEARNERS)
@pytest.mark.parametrize(
    ("caller", "by"),
    [(caller, by) for caller in ("bob", "staff") for by in CREDENTIALS]
    + [(caller, by) for caller in ("unconfirmed", "former staff") for by in ("session", "jwt", OF_A_USER)],
)
def test_everybody_for_themselves(users, path, caller, by):
    answers = call_with_every_method(client_by(users[caller], by), path)

    expected = allowed(path)
    if path == ONE_OF_BOB and caller in ("unconfirmed", "former staff"):
        expected |= {"GET": 404, "HEAD": 404}
    assert statuses(answers) == expected


@pytest.mark.usefixtures("_unconfirmed")
@pytest.mark.parametrize(
    ("caller", "key", "may"),
    [
        ("bob", None, True),
        ("alice", None, False),
        ("alice", "wrong", False),
        ("alice", KEY, True),
        ("staff", None, True),
        ("staff", "wrong", True),
        ("superuser", None, False),
        ("unconfirmed", None, False),
        ("unconfirmed", KEY, True),
        ("former staff", None, False),
        (None, KEY, True),
    ],
)
def test_who_may_act_for_bob(users, caller, key, may):
    client = client_of(users.get(caller))
    if key is not None:
        client.defaults["HTTP_X_EDX_API_KEY"] = key

    assert call(client, "GET", ONE_OF_BOB).status_code == (200 if may else 404)
    assert len(call(client, "GET", LIST_OF_BOB).json()) == (1 if may else 0)
    for body in (FOR_BOB, {**BODY, "email": "bob@example.com"}):
        before = rows()
        response = call(client, "POST", LIST, body)
        if may and (caller != "bob" or "user" in body):
            assert response.status_code == 200
        else:
            assert (response.status_code, response.content) == (404, b"")
            assert rows() == before


@pytest.mark.usefixtures("_unconfirmed")
@pytest.mark.parametrize("caller", ["alice", "superuser", "unconfirmed", "former staff"])
def test_who_may_not_choose_a_paid_mode(users, caller):
    response = call(client_of(users[caller]), "POST", LIST, {**BODY, "mode": "verified"})

    assert response.status_code == 403
    assert response.json() == {
        "message": "User does not have permission to create enrollment with mode [verified].",
        "error_code": "mode_forbidden",
    }


# --- credentials


@pytest.mark.parametrize("path", FOR_LEARNERS)
def test_applications_of_accounts_that_are_switched_off_stop_at_once(users, path):
    answers = call_with_every_method(client_of(users["former staff"], "bearer"), path)

    assert set(statuses(answers).values()) == {401}


@with_restricted_client
@pytest.mark.parametrize("by", RESTRICTED_CREDENTIALS)
@pytest.mark.parametrize("path", FOR_LEARNERS)
def test_restricted_applications_pass_nowhere(users, path, by):
    answers = call_with_every_method(client_of(users["staff"], by), path)

    assert answers == with_every_method((403, RESTRICTED))


@pytest.mark.parametrize("path", FOR_LEARNERS)
@pytest.mark.parametrize("token", ["JWT a.b.c", "Bearer invented", "Bearer"])
def test_invented_tokens_are_refused_even_with_a_key(path, token):
    client = server_client()
    client.credentials(HTTP_AUTHORIZATION=token)

    assert set(statuses(call_with_every_method(client, path)).values()) == {401}


def test_unconfirmed_accounts_need_a_backend_that_loads_them(users):
    client = client_of(users["unconfirmed"])

    assert call(client, "GET", OWN).status_code == 401


@pytest.mark.usefixtures("_unconfirmed")
def test_plain_session_authentication_takes_no_unconfirmed_accounts(settings, users):
    settings.ENROLLMENT_AUTHENTICATION_CLASSES = ["rest_framework.authentication.SessionAuthentication"]

    assert call(client_of(users["unconfirmed"]), "GET", OWN).status_code == 403


def test_hosts_may_name_the_authenticators(settings, users):
    settings.ENROLLMENT_AUTHENTICATION_CLASSES = ["rest_framework.authentication.BasicAuthentication"]

    for client in (client_of(users["bob"]), client_of(users["bob"], "jwt"), client_of()):
        response = call(client, "GET", OWN)

        assert (response.status_code, response.json()) == (401, ANONYMOUS)
        assert response["WWW-Authenticate"] == 'Basic realm="api"'


@pytest.mark.parametrize("caller", [None, "bob", "unconfirmed"])
def test_a_course_is_for_everybody(users, caller):
    answers = call_with_every_method(client_of(users.get(caller)), COURSE_DETAILS)

    assert statuses(answers) == allowed(COURSE_DETAILS)


# --- CSRF


@pytest.mark.parametrize("key", [None, KEY])
def test_a_post_of_a_session_needs_the_csrf_token(users, key):
    client = client_of(users["bob"], enforce_csrf_checks=True)
    if key is not None:
        client.defaults["HTTP_X_EDX_API_KEY"] = key
    text = "CSRF Failed: CSRF cookie not set."

    response = call(client, "POST", LIST)

    assert response.status_code == 403
    assert response.json() == {"detail": text, "message": text, "error_code": "permission_denied"}

    client.cookies["csrftoken"] = client.defaults["HTTP_X_CSRFTOKEN"] = "a" * 32
    assert call(client, "POST", LIST).status_code == 200


@pytest.mark.parametrize("by", ["jwt", "bearer"])
def test_a_post_with_a_token_needs_no_csrf_token(users, by):
    assert call(client_of(users["bob"], by, enforce_csrf_checks=True), "POST", LIST).status_code == 200


def test_a_server_without_a_session_needs_no_csrf_token():
    client = server_client()
    client.handler.enforce_csrf_checks = True

    assert call(client, "POST", LIST, FOR_BOB).status_code == 200
