"""Registrars read and write the students of a program (contract 6.1, 6.2)."""

from uuid import uuid4

import pytest

from program_enrollments.models import ProgramEnrollment
from tests.credit.rest import CREDENTIALS, RESTRICTED_CREDENTIALS, client_of, with_restricted_client
from tests.enrollment.factories import UserFactory
from tests.program_enrollments.factories import (
    ExternalIdentityFactory,
    IdentityProviderFactory,
    ProgramEnrollmentFactory,
    ProgramFactory,
)
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("program_enrollments.rest")]

CURRICULUM = "11111111-2222-3333-4444-555555555555"
DENIED = "You do not have permission to perform this action."
AUTHENTICATION = ("django_session", "auth_user", "oauth2_provider")


@pytest.fixture
def program():
    return ProgramFactory()


@pytest.fixture
def registrar():
    return client_of(UserFactory(username="registrar", is_staff=True), by="jwt")


def address(program, query=""):
    return f"/api/program_enrollments/v1/programs/{getattr(program, 'uuid', program)}/enrollments/{query}"


def row(key, status="enrolled", **members):
    return {"student_key": key, "status": status, "curriculum_uuid": CURRICULUM, **members}


def stored():
    return {row.external_user_key: row.status for row in ProgramEnrollment.objects.all()}


# --- who may


@pytest.mark.parametrize("method", ["get", "post", "patch", "put"])
def test_only_global_staff_may(program, method):
    registrar = UserFactory(is_staff=True)
    statuses = {
        by: getattr(client_of(registrar, by=by), method)(address(program), []).status_code for by in CREDENTIALS
    }
    assert statuses == dict.fromkeys(CREDENTIALS, 200 if method == "get" else 204)

    anonymous = getattr(client_of(), method)(address(program))
    assert (anonymous.status_code, anonymous["WWW-Authenticate"][:3]) == (401, "JWT")
    assert set(anonymous.json()) == {"detail", "developer_message"}
    learner = getattr(client_of(UserFactory()), method)(address(program, "?username=registrar"))
    assert (learner.status_code, learner.json()) == (403, {"detail": DENIED, "developer_message": DENIED})


@with_restricted_client
@pytest.mark.parametrize("by", RESTRICTED_CREDENTIALS)
def test_restricted_tokens_pass_nowhere(program, by):
    assert client_of(UserFactory(is_staff=True), by=by).get(address(program)).status_code == 403


@pytest.mark.parametrize("method", ["get", "post", "patch", "put"])
@pytest.mark.parametrize("unknown", [uuid4(), "a-b", "f" * 40], ids=["a program", "no uuid", "too long"])
def test_an_unknown_program(registrar, method, unknown):
    body = [] if method == "get" else [row("a1")]
    response = getattr(registrar, method)(address(unknown), body)
    assert response.status_code == 404
    assert response.json() == {
        "developer_message": f"The catalog has no program {unknown}.",
        "error_code": "program_does_not_exist",
    }


def test_other_methods(registrar, program):
    response = registrar.delete(address(program))
    message = 'Method "DELETE" not allowed.'
    assert (response.status_code, response.json()) == (405, {"detail": message, "developer_message": message})


# --- reading


def test_students_as_registrars_see_them(registrar, program, settings):
    ron = UserFactory(username="ron", email="ron@example.com")
    values = {"program_uuid": program.uuid, "curriculum_uuid": CURRICULUM}
    ProgramEnrollmentFactory(external_user_key="a1", **values)
    ProgramEnrollmentFactory(external_user_key="b2", user=ron, status="ended", **values)
    ProgramEnrollmentFactory(external_user_key=None, user=UserFactory(), **values)
    ProgramEnrollmentFactory(external_user_key="elsewhere")
    waiting = {
        "student_key": "a1",
        "status": "enrolled",
        "account_exists": False,
        "curriculum_uuid": CURRICULUM,
        "username": "",
        "email": "",
    }
    realized = {**waiting, "student_key": "b2", "status": "ended", "account_exists": True}
    named = {**realized, "username": "ron", "email": "ron@example.com"}
    assert registrar.get(address(program)).json() == {"next": None, "previous": None, "results": [waiting, named]}

    everybody = registrar.get(address(program, "?include_unkeyed=true")).json()["results"]
    assert [student["student_key"] for student in everybody] == ["a1", "b2", None]
    settings.PROGRAM_ENROLLMENTS = {"INCLUDE_PII_IN_LISTS": False}
    assert registrar.get(address(program)).json()["results"] == [waiting, realized]


def test_following_next_reaches_every_student_once(registrar, program):
    for _ in range(7):
        ProgramEnrollmentFactory(program_uuid=program.uuid)
    seen, url, pages = [], address(program, "?page_size=3"), 0
    while url:
        page = registrar.get(url).json()
        seen += [student["student_key"] for student in page["results"]]
        url, pages = page["next"], pages + 1
    assert seen == list(ProgramEnrollment.objects.order_by("pk").values_list("external_user_key", flat=True))
    assert pages == 3
    assert page["previous"].startswith("http://testserver")


@pytest.mark.parametrize(
    ("asked", "rows"),
    [("2", 2), ("0", 3), ("-1", 3), ("x", 3), ("", 3), ("99999999999999999999", 4), ("4", 4), ("5", 4)],
)
def test_page_sizes(registrar, program, settings, asked, rows):
    settings.PROGRAM_ENROLLMENTS = {"PAGE_SIZE": 3, "MAX_PAGE_SIZE": 4}
    for _ in range(6):
        ProgramEnrollmentFactory(program_uuid=program.uuid)
    assert len(registrar.get(address(program, f"?page_size={asked}")).json()["results"]) == rows


@pytest.mark.parametrize(
    "cursor", ["x", "cD1hYmM=", "cD0tMQ==", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OQ==", "bz14", "%FF", "cD0xJnI9MSZvPTk="]
)
def test_a_cursor_that_was_never_given(registrar, program, cursor):
    response = registrar.get(address(program, f"?cursor={cursor}"))
    assert response.status_code in ({404, 200} if cursor == "cD0xJnI9MSZvPTk=" else {404}), response.content
    if response.status_code == 404:
        assert response.json() == {"detail": "Invalid cursor", "developer_message": "Invalid cursor"}


@pytest.mark.parametrize("count", [1, 100])
def test_a_page_costs_the_same_for_one_row_and_for_a_hundred(registrar, program, count):
    for _ in range(count):
        ProgramEnrollmentFactory(program_uuid=program.uuid, user=UserFactory())
    with statements(without=AUTHENTICATION[:1]) as run:
        assert len(registrar.get(address(program)).json()["results"]) == count
    assert len(run) == 3, run  # the caller, the program, the page


# --- writing


@pytest.mark.parametrize(
    ("method", "rows", "status", "body"),
    [
        pytest.param("post", [row("new")], 201, {"new": "enrolled"}, id="all was created"),
        pytest.param("put", [row("new"), row("a1", "ended")], 200, {"new": "enrolled", "a1": "ended"}, id="put"),
        pytest.param("patch", [row("A1 ", "ended")], 200, {"A1 ": "ended"}, id="spelled as sent"),
        pytest.param("post", [row("new"), row("a1")], 207, {"new": "enrolled", "a1": "conflict"}, id="some"),
        pytest.param("patch", [row("new")], 422, {"new": "not-in-program"}, id="none"),
        pytest.param("put", [row("x", "new")], 422, {"x": "invalid-status"}, id="a wrong word"),
        pytest.param("put", [row("x"), row("x")], 422, {"x": "duplicated"}, id="twice"),
        pytest.param("post", [row(7)], 201, {"7": "enrolled"}, id="a number counts as its text"),
        pytest.param("post", [], 204, None, id="nobody"),
        pytest.param("patch", [{"student_key": "a1", "status": "ended"}], 200, {"a1": "ended"}, id="no curriculum"),
        pytest.param("patch", [row("a1", "ended", curriculum_uuid="x")], 200, {"a1": "ended"}, id="a wrong curriculum"),
        pytest.param("post", [row("n", nonsense=1)], 201, {"n": "enrolled"}, id="unknown members are ignored"),
    ],
)
def test_what_became_of_each_student(registrar, program, method, rows, status, body):
    ProgramEnrollmentFactory(program_uuid=program.uuid, external_user_key="a1")
    response = getattr(registrar, method)(address(program), rows)
    assert (response.status_code, response.json() if response.content else None) == (status, body)


REQUIRED, BLANK = ["This field is required."], ["This field may not be blank."]
NO_KEY = ["A student key is text of 1 to 255 characters, blanks around it not counted."]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({"student_key": "a"}, {"non_field_errors": ["Send a list of objects."]}, id="no list"),
        pytest.param(
            [row("fine"), {}],
            {"1": {"student_key": REQUIRED, "status": REQUIRED, "curriculum_uuid": REQUIRED}},
            id="an empty row",
        ),
        pytest.param(
            [7], {"0": {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]}}, id="no object"
        ),
        pytest.param([row("")], {"0": {"student_key": NO_KEY}}, id="a blank key"),
        pytest.param([row("x" * 256)], {"0": {"student_key": NO_KEY}}, id="a key that is too long"),
        pytest.param([row(True)], {"0": {"student_key": NO_KEY}}, id="a boolean"),
        pytest.param([row(["a"])], {"0": {"student_key": NO_KEY}}, id="a list"),
        pytest.param([row("a", "  ")], {"0": {"status": BLANK}}, id="a blank status"),
        pytest.param(
            [row("a", curriculum_uuid="x")], {"0": {"curriculum_uuid": ["Must be a valid UUID."]}}, id="no curriculum"
        ),
    ],
)
def test_a_malformed_row_sinks_the_request(registrar, program, body, message):
    response = registrar.post(address(program), body)
    assert (response.status_code, response.json()) == (400, {"developer_message": message})
    assert stored() == {}


@pytest.mark.parametrize("raw", [b"{", b'[{"student_key": "a\\u0000b"}]', b"\xff"], ids=["no JSON", "NUL", "no text"])
def test_a_body_that_cannot_be_read(registrar, program, raw):
    response = registrar.generic("POST", address(program), raw, content_type="application/json")
    assert response.status_code == 400
    assert response.json().keys() == {"detail", "developer_message"}


def test_a_body_of_another_kind(registrar, program):
    response = registrar.post(address(program), {"a": 1}, format="multipart")
    assert (response.status_code, response.json().keys()) == (415, {"detail", "developer_message"})


@pytest.mark.parametrize("rows", [[row(f"s{number}") for number in range(26)], [{}] * 26], ids=["fine", "malformed"])
def test_too_many_students_come_before_malformed_ones(registrar, program, rows):
    response = registrar.post(address(program), rows)
    assert response.status_code == 413
    assert response.json() == "26 students were sent; the limit is 25 in one request."
    assert stored() == {}


@pytest.mark.database("postgresql")
@pytest.mark.parametrize("count", [1, 25])
def test_a_batch_costs_the_same_for_one_student_and_for_25(registrar, program, count):
    provider = IdentityProviderFactory()
    keys = [ExternalIdentityFactory(provider=provider).external_key for _ in range(count)]
    with statements(without=("events_outboxevent",)) as run:
        assert registrar.post(address(program), [row(key) for key in keys]).status_code == 201
    # The caller; program, organization, providers, identities, lock, insert, history.
    assert len(run) == 8, run
