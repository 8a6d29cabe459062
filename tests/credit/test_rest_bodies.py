"""Bodies of every kind at every endpoint: a client's mistake is never the server's (credit contract 0.18, D11)."""

import json

import pytest
from django.db import transaction
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.credit.factories import CreditCourseFactory, CreditEligibilityFactory, CreditProviderFactory
from tests.credit.rest import SECRET, client_of, learner_client, signed, staff_client
from tests.enrollment.factories import UserFactory

pytestmark = pytest.mark.django_db

KEY = "course-v1:HogwartsX+Potions101+1T2026"
V1 = "/api/credit/v1/"
REQUEST = ("POST", "providers/HogwartsX/request/")
CALLBACK = ("POST", "providers/HogwartsX/callback")
TAKING_BODIES = [("POST", "courses/"), ("PUT", f"courses/{KEY}/"), ("PATCH", f"courses/{KEY}/"), REQUEST, CALLBACK]
EVERYWHERE = pytest.mark.parametrize("call", [pytest.param(call, id=" ".join(call)) for call in TAKING_BODIES])


@pytest.fixture(autouse=True)
def _world(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"HogwartsX": SECRET}
    CreditProviderFactory(provider_id="HogwartsX")
    CreditEligibilityFactory(username="ron", course=CreditCourseFactory(course_key=KEY))


@pytest.fixture
def staff():
    return staff_client()


def send(client, call, body, kind="application/json"):
    method, path = call
    return client.generic(method, V1 + path, body, content_type=kind)


@pytest.mark.rule("D11")
@EVERYWHERE
@pytest.mark.parametrize("body", ["[]", '["username"]', '"ron"', "7", "1.5", "true", "null"])
def test_a_body_is_an_object(staff, call, body):
    response = send(staff, call, body)

    assert response.status_code == 400
    assert response.json() == {"detail": "The body must be an object.", "code": "parse_error"}


@pytest.mark.rule("D11")
def test_a_learners_body_is_an_object_too():
    response = send(learner_client(), REQUEST, "[]")

    assert response.status_code == 400
    assert response.json() == {"detail": "The body must be an object.", "code": "parse_error"}


@EVERYWHERE
@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{", id="unfinished"),
        pytest.param("{'a': 1}", id="no JSON"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param('{"username": "ron\\u0000"}', id="NUL"),
        pytest.param('{"ron\\u0000": "ron"}', id="NUL in a key"),
        pytest.param('{"username": "\\ud800"}', id="lone surrogate"),
        pytest.param('{"course_key": {"a": ["\\udfff"]}}', id="lone surrogate inside"),
        pytest.param('{"timestamp": NaN}', id="not a number"),
        pytest.param('{"timestamp": -Infinity}', id="infinity"),
        pytest.param('{"timestamp": 1e999}', id="infinity in digits"),
        pytest.param(f'{{"timestamp": {"9" * 5000}}}', id="5000 digits"),
        pytest.param(f'{{"a": {"[" * 60}{"]" * 60}}}', id="nested deeply"),
        pytest.param(f'{{"a": {"[" * 100_000}', id="nested more deeply than the stack"),
    ],
)
def test_what_cannot_be_read_or_stored_is_refused(staff, call, body):
    response = send(staff, call, body)

    assert response.status_code == 400
    assert response.json()["code"] == "parse_error"


@EVERYWHERE
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "text/html; charset=utf-8", "nonsense"])
def test_other_kinds_of_bodies_are_not_supported(staff, call, kind):
    response = send(staff, call, "ron", kind)

    assert response.status_code == 415
    assert response.json() == {
        "detail": f'Unsupported media type "{kind}" in request.',
        "code": "unsupported_media_type",
    }


@EVERYWHERE
def test_a_form_without_nul(staff, call):
    response = send(staff, call, "username=ron%00&course_key=a", "application/x-www-form-urlencoded")

    assert response.status_code == 400
    assert response.json()["code"] == "parse_error"


@pytest.mark.parametrize(
    "path", ["eligibility/?username=r%00n&course_key=a", "providers/?provider_ids=a%00", "courses/a%00b/c/d/"]
)
def test_an_address_without_nul(staff, path):
    response = staff.get(V1 + path)

    assert response.status_code == 400
    assert response.json() == {"detail": "NUL characters are not allowed in the address.", "code": "parse_error"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["ron", KEY, "approved", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["username", "course_key", "enabled", "request_uuid", "status", "timestamp", "signature", "x"])
FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@EVERYWHERE
@FEW
@given(body=st.dictionaries(KEYS, VALUES) | VALUES)
def test_no_body_is_a_server_error(staff, call, body):
    with transaction.atomic():
        response = send(staff, call, json.dumps(body))
        transaction.set_rollback(True)

    assert response.status_code < 500


@FEW
@given(message=st.fixed_dictionaries({"request_uuid": VALUES, "status": VALUES, "timestamp": VALUES}))
def test_no_signed_message_is_a_server_error(staff, message):
    try:
        body = signed(message)
    except UnicodeEncodeError:
        return
    assert send(staff, CALLBACK, json.dumps(body)).status_code in {400, 404}


@pytest.mark.parametrize("call", [REQUEST, ("POST", "courses/")], ids=" ".join)
def test_a_form_that_the_csrf_check_has_read_without_nul(call):
    staff = client_of(UserFactory(is_staff=True), enforce_csrf_checks=True)
    staff.cookies["csrftoken"] = staff.defaults["HTTP_X_CSRFTOKEN"] = "a" * 32
    body = {"username": "ron\0", "course_key": KEY}

    response = send(staff, call, encode_multipart(BOUNDARY, body), MULTIPART_CONTENT)

    assert response.status_code == 400
    assert response.json() == {"detail": "NUL characters are not allowed in the body.", "code": "parse_error"}
