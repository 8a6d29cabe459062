"""Callbacks of providers over REST: trusted by their signature alone (credit contract 3.3, 5.4)."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from credit.choices import RequestStatus
from credit.models import CreditAudit
from tests.credit.factories import CreditProviderFactory, CreditRequestFactory
from tests.credit.rest import SECRET, exact_about_trailing_spaces, signed

pytestmark = pytest.mark.django_db

UUID = "557168d0f7664fe59097106c67c3f847"
CALLBACK = "/api/credit/v1/providers/HogwartsX/callback"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
MESSAGE = {"request_uuid": UUID, "status": "approved", "timestamp": SECONDS}
OTHER_SECRET = "a0b1c2d3e4f5"
FORM = "application/x-www-form-urlencoded"

WRONG_SIGNATURE = {"detail": "The signature does not match the message.", "code": "wrong_signature"}
NO_KEY = {
    "detail": "Provider [HogwartsX] has no usable shared secret here.",
    "code": "credit_provider_not_configured",
}
NO_PROVIDER = {"detail": "There is no credit provider with this id.", "code": "not_found"}
NO_REQUEST = {"detail": "The credit provider has no such request.", "code": "credit_request_not_found"}
REQUIRED = "This field is required."
BLANK = "This field may not be blank."
NULL = "This field may not be null."
NO_TEXT = "Not a valid string."
NO_TIME = "A whole number of seconds is required, as a number or as up to 15 digits."


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"HogwartsX": SECRET, "asu": OTHER_SECRET}


@pytest.fixture
def provider():
    return CreditProviderFactory(provider_id="HogwartsX")


@pytest.fixture
def row(provider):
    return CreditRequestFactory(uuid=UUID, provider=provider)


@pytest.fixture
def client():
    return APIClient(enforce_csrf_checks=True)


def without(message, *keys):
    return {key: value for key, value in message.items() if key not in keys}


def assert_unchanged(row):
    before = (row.status, row.parameters, row.modified, row.last_callback_timestamp)
    row.refresh_from_db()
    assert (row.status, row.parameters, row.modified, row.last_callback_timestamp) == before
    assert not CreditAudit.objects.exists()


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("status", ["approved", "rejected"])
@pytest.mark.parametrize("timestamp", [SECONDS, str(SECONDS), f"00{SECONDS}"])
@pytest.mark.parametrize("body_format", ["json", "multipart", "urlencoded"])
def test_a_decision_is_recorded(client, row, slash, status, timestamp, body_format):
    message = signed({**MESSAGE, "status": status, "timestamp": timestamp})

    if body_format == "urlencoded":
        response = client.post(CALLBACK + slash, urlencode(message), content_type=FORM)
    else:
        response = client.post(CALLBACK + slash, message, format=body_format)

    assert response.status_code == 200
    assert response.content == b""
    row.refresh_from_db()
    assert (row.status, row.last_callback_timestamp) == (status, SECONDS)
    audit = CreditAudit.objects.get()
    assert (audit.source, audit.actor, audit.old_status, audit.new_status) == (
        "provider",
        "HogwartsX",
        "pending",
        status,
    )


@pytest.mark.parametrize("changes", [{"active": False}, {"enable_integration": False}])
def test_a_provider_out_of_use_still_answers(client, row, provider, changes):
    type(provider).objects.update(**changes)

    response = client.post(CALLBACK, signed(MESSAGE))

    assert response.status_code == 200
    row.refresh_from_db()
    assert row.status == RequestStatus.APPROVED


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize("authorization", ["JWT nonsense", "Bearer nonsense", "Basic nonsense"])
def test_nobody_has_to_log_in(client, authorization):
    response = client.post(CALLBACK, signed(MESSAGE), HTTP_AUTHORIZATION=authorization)

    assert response.status_code == 200


@pytest.mark.parametrize("provider_id", ["durmstrang", "hogwartsx"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param("{}", "application/json", id="empty object"),
        pytest.param("[]", "application/json", id="no object"),
        pytest.param("{", "application/json", id="malformed"),
        pytest.param("x", "text/plain", id="unknown kind of body"),
    ],
)
def test_an_unknown_provider_is_told_before_anything_else(client, row, provider_id, body, kind):
    response = client.post(f"/api/credit/v1/providers/{provider_id}/callback", body, content_type=kind)

    assert response.status_code == 404
    assert response.json() == NO_PROVIDER


@pytest.mark.rule("D2")
@pytest.mark.rule("D5")
@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        pytest.param({"request_uuid": ""}, {"request_uuid": [BLANK]}, id="blank uuid"),
        pytest.param({"request_uuid": " \t"}, {"request_uuid": [BLANK]}, id="uuid of spaces"),
        pytest.param({"request_uuid": None}, {"request_uuid": [NULL]}, id="null uuid"),
        pytest.param({"request_uuid": 7}, {"request_uuid": [NO_TEXT]}, id="number as uuid"),
        pytest.param({"request_uuid": True}, {"request_uuid": [NO_TEXT]}, id="truth value as uuid"),
        pytest.param({"request_uuid": [UUID]}, {"request_uuid": [NO_TEXT]}, id="list as uuid"),
        pytest.param({"request_uuid": {"a": UUID}}, {"request_uuid": [NO_TEXT]}, id="object as uuid"),
        pytest.param({"status": "pending"}, {"status": ['"pending" is not a valid choice.']}, id="pending"),
        pytest.param(
            {"status": "Approved"}, {"status": ['"Approved" is not a valid choice.']}, id="status in other case"
        ),
        pytest.param(
            {"status": " approved"}, {"status": ['" approved" is not a valid choice.']}, id="status with space"
        ),
        pytest.param({"status": ""}, {"status": ['"" is not a valid choice.']}, id="blank status"),
        pytest.param({"status": None}, {"status": [NULL]}, id="null status"),
        pytest.param(
            {"status": ["approved"]}, {"status": ["\"['approved']\" is not a valid choice."]}, id="list as status"
        ),
        pytest.param({"status": True}, {"status": ['"True" is not a valid choice.']}, id="truth value as status"),
        pytest.param({"timestamp": None}, {"timestamp": [NULL]}, id="null timestamp"),
        pytest.param({"timestamp": True}, {"timestamp": [NO_TIME]}, id="truth value as timestamp"),
        pytest.param({"timestamp": ""}, {"timestamp": [NO_TIME]}, id="blank timestamp"),
        pytest.param({"timestamp": float(SECONDS)}, {"timestamp": [NO_TIME]}, id="timestamp with a point"),
        pytest.param({"timestamp": f"{SECONDS}.0"}, {"timestamp": [NO_TIME]}, id="timestamp text with a point"),
        pytest.param({"timestamp": f" {SECONDS}"}, {"timestamp": [NO_TIME]}, id="timestamp text with a space"),
        pytest.param({"timestamp": f"{SECONDS}\n"}, {"timestamp": [NO_TIME]}, id="timestamp text with a line feed"),
        pytest.param({"timestamp": f"+{SECONDS}"}, {"timestamp": [NO_TIME]}, id="timestamp text with a sign"),
        pytest.param({"timestamp": "1_782_907_200"}, {"timestamp": [NO_TIME]}, id="timestamp text with underscores"),
        pytest.param({"timestamp": "١٧٨٢٩٠٧٢٠٠"}, {"timestamp": [NO_TIME]}, id="timestamp text in other digits"),
        pytest.param({"timestamp": f"{SECONDS:016}"}, {"timestamp": [NO_TIME]}, id="timestamp text of 16 digits"),
        pytest.param({"timestamp": NOW.isoformat()}, {"timestamp": [NO_TIME]}, id="ISO text"),
        pytest.param({"timestamp": [SECONDS]}, {"timestamp": [NO_TIME]}, id="list as timestamp"),
        pytest.param({"timestamp": {}}, {"timestamp": [NO_TIME]}, id="object as timestamp"),
        pytest.param(
            {"request_uuid": "", "status": "pending", "timestamp": "soon"},
            {"request_uuid": [BLANK], "status": ['"pending" is not a valid choice.'], "timestamp": [NO_TIME]},
            id="all of them",
        ),
    ],
)
def test_a_malformed_message_changes_nothing(client, row, changes, errors):
    response = client.post(CALLBACK, signed({**MESSAGE, **changes}))

    assert response.status_code == 400
    assert response.json() == errors
    assert list(response.json()) == list(errors), "errors come in the order of the fields"
    assert_unchanged(row)


@pytest.mark.parametrize("key", ["request_uuid", "status", "timestamp"])
def test_every_key_is_required(client, row, key):
    response = client.post(CALLBACK, signed(without(MESSAGE, key)))

    assert response.status_code == 400
    assert response.json() == {key: [REQUIRED]}
    assert_unchanged(row)


@pytest.mark.parametrize("body_format", ["json", "multipart"])
@pytest.mark.parametrize("keys", [{"HogwartsX": SECRET}, {}])
@pytest.mark.parametrize("slips", [{}, {"status": "pending"}])
@pytest.mark.parametrize(
    ("signature", "error"),
    [
        pytest.param({}, REQUIRED, id="missing"),
        pytest.param({"signature": ""}, BLANK, id="empty"),
        pytest.param({"signature": " \t "}, BLANK, id="of spaces"),
    ],
)
def test_a_missing_signature_is_a_slip_of_form(settings, client, row, keys, slips, signature, error, body_format):
    settings.CREDIT_PROVIDER_SECRET_KEYS = keys

    response = client.post(CALLBACK, {**MESSAGE, **slips, **signature}, format=body_format)

    assert response.status_code == 400
    errors = {"status": ['"pending" is not a valid choice.']} if slips else {}
    assert response.json() == {**errors, "signature": [error]}
    assert_unchanged(row)


@pytest.mark.parametrize(
    ("value", "error"), [(None, NULL), (7, NO_TEXT), (True, NO_TEXT), (["a"], NO_TEXT), ({}, NO_TEXT)]
)
def test_a_signature_is_text(client, row, value, error):
    response = client.post(CALLBACK, {**MESSAGE, "signature": value})

    assert response.status_code == 400
    assert response.json() == {"signature": [error]}
    assert_unchanged(row)


SLIPS = pytest.mark.parametrize(
    "slip",
    [
        pytest.param({}, id="all else is right"),
        pytest.param({"status": "pending"}, id="bad status"),
        pytest.param({"timestamp": 1}, id="stale"),
        pytest.param({"timestamp": 10**30}, id="absurd time"),
        pytest.param({"request_uuid": ""}, id="blank uuid"),
        pytest.param({"request_uuid": "0" * 32}, id="unknown uuid"),
        pytest.param({"note": "hi"}, id="further key"),
        pytest.param({"request_uuid": ["\u4567"], "status": {}, "timestamp": None}, id="everything else is wrong"),
    ],
)


@SLIPS
@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("0" * 64, id="guessed"),
        pytest.param("0", id="short"),
        pytest.param("0" * 10_000, id="long"),
        pytest.param("ä", id="not ASCII"),
        pytest.param("👻" * 64, id="not even short of it"),
    ],
)
def test_a_wrong_signature_wins_over_every_slip(client, row, slip, signature):
    response = client.post(CALLBACK, {**MESSAGE, **slip, "signature": signature})

    assert response.status_code == 403
    assert response.json() == WRONG_SIGNATURE
    assert_unchanged(row)


@SLIPS
@pytest.mark.parametrize("secret", [OTHER_SECRET, "", "guessed", SECRET.upper()])
def test_another_secret_is_a_wrong_signature(client, row, slip, secret):
    response = client.post(CALLBACK, signed({**MESSAGE, **slip}, secret=secret))

    assert response.status_code == 403
    assert response.json() == WRONG_SIGNATURE
    assert_unchanged(row)


@pytest.mark.parametrize("changed", [{"request_uuid": "0" * 32}, {"status": "rejected"}, {"timestamp": SECONDS + 1}])
def test_a_message_changed_on_the_way_is_refused(client, row, changed):
    response = client.post(CALLBACK, {**signed(MESSAGE), **changed})

    assert response.status_code == 403
    assert response.json() == WRONG_SIGNATURE
    assert_unchanged(row)


@SLIPS
@pytest.mark.parametrize(
    "keys",
    [
        pytest.param({}, id="none"),
        pytest.param({"HogwartsX": None}, id="null"),
        pytest.param({"HogwartsX": ""}, id="empty"),
        pytest.param({"HogwartsX": " "}, id="a space"),
        pytest.param({"HogwartsX": "\u4567"}, id="not ASCII"),
        pytest.param({"HogwartsX": []}, id="empty list"),
        pytest.param({"HogwartsX": [None, "", "\u4567"]}, id="list without usable key"),
        pytest.param({"HogwartsX": b"secret"}, id="bytes"),
        pytest.param({"HogwartsX": {"key": "secret"}}, id="object"),
        pytest.param({"HogwartsX": 7}, id="number"),
    ],
)
def test_without_usable_key_every_signature_is_refused(settings, client, row, slip, keys):
    settings.CREDIT_PROVIDER_SECRET_KEYS = keys

    response = client.post(CALLBACK, signed({**MESSAGE, **slip}, secret=""))

    assert response.status_code == 403
    assert response.json() == NO_KEY
    assert_unchanged(row)


@pytest.mark.rule("D6")
@pytest.mark.parametrize("keys", [["new", None, SECRET], [SECRET, "old"], ("", SECRET)])
def test_any_usable_key_of_a_list_may_have_signed(settings, client, row, keys):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"HogwartsX": keys}

    response = client.post(CALLBACK, signed(MESSAGE))

    assert response.status_code == 200
    row.refresh_from_db()
    assert row.status == RequestStatus.APPROVED


@pytest.mark.rule("D1")
@pytest.mark.parametrize("body_format", ["json", "multipart"])
@pytest.mark.parametrize(
    ("further", "errors"),
    [
        ({"note": "hi"}, {"note": ["This key does not belong in a callback."]}),
        ({"": ""}, {"": ["This key does not belong in a callback."]}),
        (
            {"Status": "approved", "course_org": "HogwartsX"},
            {
                "Status": ["This key does not belong in a callback."],
                "course_org": ["This key does not belong in a callback."],
            },
        ),
    ],
)
def test_a_rightly_signed_further_key_is_refused(client, row, further, errors, body_format):
    response = client.post(CALLBACK, signed({**MESSAGE, **further}), format=body_format)

    assert response.status_code == 400
    assert response.json() == errors
    assert_unchanged(row)


@pytest.mark.rule("D1")
@pytest.mark.parametrize("further", [{"note": "hi"}, {"": ""}, {"course_org": None}, {"a": ["b", {"c": "\u4567"}]}])
def test_a_further_key_that_is_not_signed_is_a_wrong_signature(client, row, further):
    response = client.post(CALLBACK, {**signed(MESSAGE), **further})

    assert response.status_code == 403
    assert response.json() == WRONG_SIGNATURE
    assert_unchanged(row)


@pytest.mark.rule("D1")
def test_parameters_that_we_signed_are_no_callback(client, row):
    outbound = {
        **MESSAGE,
        "course_org": "HogwartsX",
        "course_num": "Potions101",
        "course_run": "1T2026",
        "enrollment_timestamp": "",
        "course_completion_timestamp": "",
        "final_grade": "0.95",
        "user_username": "ron",
        "user_email": "ron@example.com",
        "user_full_name": "Ron Weasley",
        "user_mailing_address": "",
        "user_country": "GB",
    }
    replayed = client.post(CALLBACK, signed(without(outbound, "status")))
    with_status = client.post(CALLBACK, {**signed(without(outbound, "status")), "status": "approved"})

    assert (replayed.status_code, with_status.status_code) == (400, 403)
    assert_unchanged(row)


def test_of_repeated_form_keys_the_last_one_counts(client, row):
    message = signed(MESSAGE)
    overridden = urlencode([("status", "rejected"), ("signature", "0"), *message.items()])
    overriding = urlencode([*message.items(), ("status", "rejected")])

    refused = client.post(CALLBACK, overriding, content_type=FORM)
    accepted = client.post(CALLBACK, overridden, content_type=FORM)

    assert (refused.status_code, refused.json()) == (403, WRONG_SIGNATURE)
    assert accepted.status_code == 200
    row.refresh_from_db()
    assert row.status == RequestStatus.APPROVED


@pytest.mark.parametrize(
    ("key", "status", "answer"),
    [
        pytest.param("request_uuid", 400, {"request_uuid": [NO_TEXT]}, id="signed, because its name is the value"),
        pytest.param("status", 403, WRONG_SIGNATURE, id="not signed"),
        pytest.param("signature", 400, {"signature": [NO_TEXT]}, id="the signature itself"),
    ],
)
def test_a_file_is_no_value(client, row, key, status, answer):
    message = {**signed(MESSAGE), key: SimpleUploadedFile(UUID, b"approved")}

    response = client.post(CALLBACK, message, format="multipart")

    assert (response.status_code, response.json()) == (status, answer)
    assert_unchanged(row)


LIMIT = 900


@pytest.mark.rule("D4")
@pytest.mark.parametrize("as_text", [int, str])
@pytest.mark.parametrize(
    ("timestamp", "accepted"),
    [
        pytest.param(SECONDS - LIMIT, True, id="as old as allowed"),
        pytest.param(SECONDS - LIMIT - 1, False, id="too old"),
        pytest.param(SECONDS + LIMIT, True, id="as early as allowed"),
        pytest.param(SECONDS + LIMIT + 1, False, id="too early"),
        pytest.param(0, False, id="1970"),
        pytest.param(SECONDS * 1000, False, id="milliseconds"),
        pytest.param(253402300799, False, id="end of year 9999"),
        pytest.param(999_999_999_999_999, False, id="15 digits"),
    ],
)
def test_a_message_expires(client, row, timestamp, accepted, as_text):
    response = client.post(CALLBACK, signed({**MESSAGE, "timestamp": as_text(timestamp)}))

    if accepted:
        assert response.status_code == 200
    else:
        assert response.status_code == 400
        assert list(response.json()) == ["timestamp"]
        assert f"[{timestamp}]" in response.json()["timestamp"][0]
        assert_unchanged(row)


@pytest.mark.rule("D5")
@pytest.mark.parametrize("timestamp", [-1, -SECONDS, 253402300800, 10**18, 2**63, 2**64, 10**30, -(10**400), 10**4299])
def test_a_number_beyond_all_dates_is_refused(client, row, timestamp):
    response = client.post(CALLBACK, signed({**MESSAGE, "timestamp": timestamp}))

    assert response.status_code == 400
    assert list(response.json()) == ["timestamp"]
    assert f"[{timestamp}]" in response.json()["timestamp"][0]
    assert_unchanged(row)


def test_the_time_limit_is_a_setting(settings, client, row):
    settings.CREDIT_PROVIDER_TIMESTAMP_EXPIRATION = 60

    response = client.post(CALLBACK, signed({**MESSAGE, "timestamp": SECONDS - 61}))

    assert response.status_code == 400
    assert response.json() == {"timestamp": [f"[{SECONDS - 61}] is more than 60 seconds from now."]}
    assert_unchanged(row)


@pytest.mark.parametrize(
    "uuid",
    [
        "0" * 32,
        UUID.upper(),
        f" {UUID}",
        pytest.param(f"{UUID} ", marks=exact_about_trailing_spaces),
        "x",
        "ä" * 300,
        "557168d0-f766-4fe5-9097-106c67c3f847",
    ],
)
def test_an_unknown_request_is_not_found(client, row, uuid):
    response = client.post(CALLBACK, signed({**MESSAGE, "request_uuid": uuid}))

    assert response.status_code == 404
    assert response.json() == NO_REQUEST
    assert_unchanged(row)


def test_a_request_to_another_provider_is_not_found(client, row):
    CreditProviderFactory(provider_id="asu")

    response = client.post("/api/credit/v1/providers/asu/callback", signed(MESSAGE, secret=OTHER_SECRET))

    assert response.status_code == 404
    assert response.json() == NO_REQUEST
    assert_unchanged(row)


def test_only_a_valid_signature_tells_whether_a_request_exists(client, row):
    answers = [
        client.post(CALLBACK, signed({**MESSAGE, "request_uuid": uuid}, secret="guessed")) for uuid in (UUID, "0" * 32)
    ]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(403, WRONG_SIGNATURE)] * 2


@pytest.mark.parametrize("second", [SECONDS, SECONDS - 60, SECONDS + 60])
def test_the_same_decision_again_changes_nothing(client, row, second):
    client.post(CALLBACK, signed(MESSAGE))
    row.refresh_from_db()
    modified = row.modified

    response = client.post(CALLBACK, signed({**MESSAGE, "timestamp": second}))

    assert response.status_code == 200
    assert response.content == b""
    row.refresh_from_db()
    assert (row.status, row.modified) == (RequestStatus.APPROVED, modified)
    assert CreditAudit.objects.count() == 1


@pytest.mark.rule("D3")
@pytest.mark.parametrize(
    ("second", "status", "decision"),
    [(SECONDS + 1, 200, "rejected"), (SECONDS, 409, "approved"), (SECONDS - 1, 409, "approved")],
)
def test_a_correction_has_to_be_newer(client, row, second, status, decision):
    client.post(CALLBACK, signed(MESSAGE))

    response = client.post(CALLBACK, signed({**MESSAGE, "status": "rejected", "timestamp": second}))

    assert response.status_code == status
    if status == 409:
        assert response.json() == {
            "detail": "A different decision, made at the same time or later, has been recorded already.",
            "code": "stale_credit_decision",
        }
    row.refresh_from_db()
    assert row.status == decision


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options", "trace"])
def test_nothing_but_post_is_allowed(client, method):
    response = client.generic(method.upper(), CALLBACK)

    assert response.status_code == 405
    assert response["Allow"] == "POST"
    if method != "head":
        assert response.json() == {"detail": f'Method "{method.upper()}" not allowed.', "code": "method_not_allowed"}
