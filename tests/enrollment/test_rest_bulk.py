"""Many enrollments in one call over REST: form, permissions, whole answers."""

import json
from typing import Any

import pytest

from enrollment.models import CourseEnrollment, CourseEnrollmentAllowed, ManualEnrollmentAudit
from tests.credit.rest import CREDENTIALS, RESTRICTED_CREDENTIALS, client_of, with_restricted_client
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, CourseModeFactory, UserFactory
from tests.enrollment.rest import COURSE, KEY, V1, server_client

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ADDRESSES = [f"{V1}bulk/", f"{V1}bulk"]
NOTHING = {"before": None, "after": None, "invited": False}
AUDIT = {"mode": "audit", "is_active": True}
ORDER = [{"namespace": "order", "name": "order_number", "value": "EDX-1"}]


@pytest.fixture(autouse=True)
def bob(settings):
    settings.EDX_API_KEY = KEY
    settings.ENROLLMENT_THROTTLING_ENABLED = False
    CourseModeFactory(course=CourseFactory(id=COURSE))
    return UserFactory(username="bob", email="bob@example.com")


@pytest.fixture
def staff():
    return client_of(UserFactory(username="minerva", is_staff=True))


def post(client: Any, items: Any, address: str = ADDRESSES[0], **options: Any) -> Any:
    return client.post(address, {"items": items, **options}, format="json")


def refused(code: str, message: str) -> dict[str, Any]:
    return {**NOTHING, "error": {"error_code": code, "message": message}}


def rows() -> Any:
    models = (CourseEnrollment, CourseEnrollment.history.model, CourseEnrollmentAllowed, ManualEnrollmentAudit)
    return [list(model.objects.order_by("pk").values()) for model in models]


# --- who may


def call_with_every_method(client: Any) -> dict[str, int]:
    before, answers = rows(), {}
    for method in METHODS:
        body = json.dumps({"items": [{"username": "bob", "course_id": COURSE}], "dry_run": True})
        response = client.generic(method, ADDRESSES[0], body, "application/json")
        answers[method] = response.status_code
        assert response.status_code != 401 or response["WWW-Authenticate"].startswith("JWT ")
        assert rows() == before
    return answers


@pytest.mark.parametrize("by", CREDENTIALS)
def test_staff_may(by):
    client = client_of(UserFactory(is_staff=True), by)

    assert call_with_every_method(client) == {**dict.fromkeys(METHODS, 405), "POST": 200, "OPTIONS": 200}


@pytest.mark.parametrize("by", CREDENTIALS)
@pytest.mark.parametrize("facts", [{}, {"is_superuser": True}], ids=["learner", "superuser"])
def test_others_may_not(facts, by):
    assert call_with_every_method(client_of(UserFactory(**facts), by)) == dict.fromkeys(METHODS, 403)


@with_restricted_client
@pytest.mark.parametrize("by", RESTRICTED_CREDENTIALS)
def test_restricted_applications_may_not(by):
    assert call_with_every_method(client_of(UserFactory(is_staff=True), by)) == dict.fromkeys(METHODS, 403)


@pytest.mark.parametrize(
    ("client", "status"),
    [
        pytest.param(client_of, 401, id="nobody"),
        pytest.param(server_client, 401, id="the key alone"),
        pytest.param(lambda: server_client(UserFactory()), 403, id="the key and a learner"),
        pytest.param(lambda: client_of(UserFactory(is_staff=True, is_active=False), "jwt"), 401, id="former staff"),
    ],
)
def test_a_key_does_not_help(client, status):
    assert call_with_every_method(client()) == dict.fromkeys(METHODS, status)


def test_a_session_needs_the_csrf_token():
    client = client_of(UserFactory(is_staff=True), enforce_csrf_checks=True)

    assert post(client, []).status_code == 403


# --- the call as a whole


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_item_is_answered_at_its_place(staff, bob, address):
    left = CourseEnrollmentFactory(course_id=COURSE, user__username="carol", is_active=False)
    items = [
        {"username": "bob", "course_id": COURSE, "mode": "verified"},
        {"email": "BOB@example.com", "course_id": COURSE, "enrollment_attributes": ORDER},
        {"username": "carol", "course_id": COURSE, "mode": "audit", "is_active": True},
        {"username": "carol", "course_id": COURSE, "is_active": False},
        {"username": "nobody", "course_id": COURSE},
        "carol",
    ]

    response = post(staff, items, address)

    assert response.status_code == 200
    assert response.json() == {
        "dry_run": False,
        "succeeded": 3,
        "failed": 3,
        "results": [
            refused(
                "mode_unavailable",
                f"The verified course mode is expired or otherwise unavailable for course run {COURSE}. "
                "Available modes: audit.",
            ),
            {"before": None, "after": AUDIT, "invited": False, "error": None},
            {"before": {**AUDIT, "is_active": False}, "after": AUDIT, "invited": False, "error": None},
            {"before": AUDIT, "after": {**AUDIT, "is_active": False}, "invited": False, "error": None},
            refused("user_not_found", "There is no such user."),
            refused("malformed_item", "An item must be an object."),
        ],
    }
    row = CourseEnrollment.objects.get(user=bob)
    assert (row.mode, row.is_active) == ("audit", True)
    assert row.history.get().history_user.username == "minerva"
    assert list(row.attributes.values_list("value", flat=True)) == ["EDX-1"]
    assert [past.is_active for past in left.history.order_by("history_date")] == [False, True, False]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        pytest.param([], "malformed_body", "The body must be an object.", id="a list"),
        pytest.param({}, "malformed_body", "`items` must be a list.", id="no items"),
        pytest.param({"items": {"username": "bob"}}, "malformed_body", "`items` must be a list.", id="one item"),
        pytest.param(
            {"force_enrollment": "yes"},
            "invalid_force_enrollment",
            "`force_enrollment` must be true, false or null.",
            id="force",
        ),
        pytest.param(
            {"invite_unknown": 1}, "malformed_body", "`invite_unknown` must be true, false or null.", id="invite"
        ),
        pytest.param({"dry_run": "no"}, "malformed_body", "`dry_run` must be true, false or null.", id="dry run"),
        pytest.param(
            {"items": 1001}, "too_many_items", "These are too many items: send up to 1,000 in one call.", id="too many"
        ),
    ],
)
def test_a_malformed_call_changes_nothing(staff, body, code, message):
    good = {"username": "bob", "course_id": COURSE}
    if isinstance(body, dict):
        items = body.get("items", [good] if body else None)
        body = {**body, "items": [good] * items if isinstance(items, int) else items}
    before = rows()

    response = staff.post(ADDRESSES[0], body, format="json")

    assert response.status_code == 400
    assert response.json()["error_code"] == code
    assert response.json()["message"] == message
    assert rows() == before


@pytest.mark.parametrize("content_type", ["text/csv", "application/x-www-form-urlencoded"])
def test_only_json_is_read(staff, content_type):
    assert staff.generic("POST", ADDRESSES[0], "items=1", content_type).status_code == 415


def test_nothing_to_do_is_done(staff):
    assert post(staff, []).json() == {"dry_run": False, "succeeded": 0, "failed": 0, "results": []}


def test_nulls_are_as_good_as_nothing(staff):
    item = {"username": "bob", "course_id": COURSE, "email": None, "mode": None, "is_active": None}
    nothing = {"force_enrollment": None, "invite_unknown": None, "dry_run": None}

    response = post(staff, [{**item, "enrollment_attributes": None, "more": 1}], **nothing)

    assert response.json()["results"] == [{"before": None, "after": AUDIT, "invited": False, "error": None}]


def test_a_dry_run_says_what_would_happen(staff):
    before = rows()
    items = [
        {"username": "bob", "course_id": COURSE},
        {"username": "bob", "course_id": COURSE, "is_active": False},
        {"email": "new@example.com", "course_id": COURSE},
    ]

    response = post(staff, items, dry_run=True, invite_unknown=True)

    assert response.json() == {
        "dry_run": True,
        "succeeded": 3,
        "failed": 0,
        "results": [
            {"before": None, "after": AUDIT, "invited": False, "error": None},
            {"before": AUDIT, "after": {**AUDIT, "is_active": False}, "invited": False, "error": None},
            {**NOTHING, "invited": True, "error": None},
        ],
    }
    assert rows() == before


def test_staff_may_force(staff):
    closed = CourseFactory(enrollment_end="2020-01-01T00:00:00Z")
    item = {"username": "bob", "course_id": closed.id}

    assert post(staff, [item]).json()["results"][0]["error"]["error_code"] == "enrollment_closed"
    assert post(staff, [item], force_enrollment=True).json()["results"][0]["after"] == AUDIT
