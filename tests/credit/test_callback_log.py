"""The log of callbacks: what became of each, and nothing of what was in it."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings as site
from django.db import connection
from django.db.models import Sum
from django.forms.models import model_to_dict
from rest_framework.test import APIClient

from credit import api
from credit.choices import RequestStatus
from credit.models import CallbackLog, CreditAudit
from credit.tasks import purge_callback_log
from credit.types import SigningKey
from tests.credit.factories import CreditProviderFactory, CreditRequestFactory
from tests.credit.rest import SECRET, signed
from tests.support import in_parallel, statements

pytestmark = pytest.mark.django_db

UUID = "557168d0f7664fe59097106c67c3f847"
CALLBACK = "/api/credit/v1/providers/HogwartsX/callback"
NOW = datetime(2026, 7, 1, 12, 30, 15, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
MESSAGE = {"request_uuid": UUID, "status": "approved", "timestamp": SECONDS}
FORMER_SECRET = "a0b1c2d3e4f5"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as moment:
        yield moment


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"HogwartsX": [None, SECRET, FORMER_SECRET]}


@pytest.fixture
def row():
    return CreditRequestFactory(uuid=UUID, provider=CreditProviderFactory(provider_id="HogwartsX"))


@pytest.fixture
def client():
    return APIClient()


def log():
    """Return the log as it can be read, oldest first."""
    return [
        {key: value for key, value in model_to_dict(entry).items() if key != "id"} | {"received": entry.received}
        for entry in CallbackLog.objects.order_by("pk")
    ]


def refused(reason, *, provider_id="HogwartsX", times=1, received=NOW):
    return {
        "received": received,
        "provider_id": provider_id,
        "outcome": "refused",
        "reason": reason,
        "times": times,
        "key_position": None,
        "key_count": None,
    }


@contextmanager
def table_gone():
    """Let the database refuse every statement that writes to the log."""

    def refuse(execute, sql, params, many, context):
        if "credit_callbacklog" in sql:
            sql, params = "SELECT 1 FROM table_that_is_gone", ()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.rule("callback log")
@pytest.mark.parametrize(("secret", "position"), [(SECRET, 2), (FORMER_SECRET, 3)])
def test_an_accepted_callback_is_noted_with_the_place_of_its_key(client, row, secret, position):
    assert client.post(CALLBACK, signed(MESSAGE, secret=secret)).status_code == 200

    assert log() == [
        {
            "received": NOW,
            "provider_id": "HogwartsX",
            "outcome": "accepted",
            "reason": "",
            "times": 1,
            "key_position": position,
            "key_count": 3,
        }
    ]


@pytest.mark.usefixtures("row")
def test_every_accepted_callback_has_a_row_of_its_own(client):
    for _ in range(3):
        client.post(CALLBACK, signed(MESSAGE))

    assert CallbackLog.objects.accepted().count() == 3


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize(
    ("message", "status", "reason"),
    [
        pytest.param("{", 400, "parse_error", id="malformed"),
        pytest.param("[]", 400, "parse_error", id="no object"),
        pytest.param({"signature": "x"}, 403, "wrong_signature", id="forged"),
        pytest.param(MESSAGE, 400, "signature_required", id="unsigned"),
        pytest.param({**MESSAGE, "signature": " "}, 400, "signature_blank", id="blank signature"),
        pytest.param(signed({"status": "approved"}), 400, "request_uuid_required", id="without its keys"),
        pytest.param(signed({**MESSAGE, "status": "done"}), 400, "status_invalid_choice", id="no decision"),
        pytest.param(signed({**MESSAGE, "timestamp": "soon"}), 400, "timestamp_invalid", id="no time"),
        pytest.param(signed({**MESSAGE, "timestamp": 10**14}), 400, "timestamp_impossible", id="absurd time"),
        pytest.param(signed({**MESSAGE, "timestamp": SECONDS - 901}), 400, "timestamp_stale", id="stale"),
        pytest.param(signed({**MESSAGE, "secret note": 1}), 400, "unexpected_key", id="a key too many"),
        pytest.param(signed({**MESSAGE, "request_uuid": "no"}), 404, "credit_request_not_found", id="no request"),
    ],
)
def test_a_refusal_is_noted_by_its_reason(client, message, status, reason):
    response = client.post(
        CALLBACK, message, **({"content_type": "application/json"} if message in ("{", "[]") else {})
    )

    assert response.status_code == status
    assert log() == [refused(reason)]


@pytest.mark.usefixtures("row")
@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        ({"content_type": "text/plain"}, 415, "unsupported_media_type"),
        ({"content_type": "application/x-www-form-urlencoded", "data": "&".join(["a=1"] * 1001)}, 400, "parse_error"),
        ({"content_type": "application/json", "HTTP_ACCEPT": "text/html"}, 406, "not_acceptable"),
    ],
)
def test_so_is_one_that_was_not_read(client, options, status, reason):
    response = client.post(CALLBACK, **{"data": "{}", **options})

    assert response.status_code == status
    assert log() == [refused(reason, provider_id="" if status == 406 else "HogwartsX")]


def test_a_provider_without_a_key_is_noted(client, row, settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {}

    assert client.post(CALLBACK, signed(MESSAGE)).status_code == 403
    assert log() == [refused("credit_provider_not_configured")]


def test_a_conflict_is_noted(client, row):
    client.post(CALLBACK, signed(MESSAGE))

    assert client.post(CALLBACK, signed({**MESSAGE, "status": "rejected"})).status_code == 409
    assert log()[1:] == [refused("stale_credit_decision")]


def test_a_key_is_no_provider(client, settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"durmstrang": SECRET}

    response = client.post("/api/credit/v1/providers/durmstrang/callback", signed(MESSAGE))

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert log() == [refused("not_found", provider_id="")]


def test_nobody_fills_the_log_with_names_of_their_own(client):
    for number in range(5):
        path = f"/api/credit/v1/providers/invented-{number}/callback"
        assert client.post(path, signed({**MESSAGE, f"key-{number}": "value"})).status_code == 404

    assert log() == [refused("not_found", provider_id="", times=5)]


@pytest.mark.usefixtures("row")
def test_refusals_share_a_row_per_minute_reason_and_provider(client, clock):
    for _ in range(3):
        client.post(CALLBACK, {"signature": "x"})
    client.post(CALLBACK, {})
    clock.shift(timedelta(seconds=60))
    client.post(CALLBACK, {"signature": "x"})

    assert log() == [
        refused("wrong_signature", times=3),
        refused("request_uuid_required"),
        refused("wrong_signature", received=NOW + timedelta(seconds=60)),
    ]


@pytest.mark.usefixtures("row")
def test_what_is_no_callback_is_not_noted(client):
    assert client.get(CALLBACK).status_code == 405
    assert client.options(CALLBACK).status_code == 405

    assert log() == []


@pytest.mark.database("postgresql", "mysql")  # SQLite in memory refuses instead of waiting
@pytest.mark.django_db(transaction=True)
def test_refusals_at_the_same_moment_are_all_counted():
    calls = [lambda: api.note_refused_callback("HogwartsX", "wrong_signature", times=2)] * 6

    in_parallel(*calls)

    assert CallbackLog.objects.refused().aggregate(total=Sum("times")) == {"total": 12}
    assert CallbackLog.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("message", "status", "reason"),
    [
        (MESSAGE, 400, "signature_required"),
        ({**MESSAGE, "signature": "x"}, 403, "wrong_signature"),
        (signed({**MESSAGE, "request_uuid": "no"}), 404, "credit_request_not_found"),
    ],
)
def test_a_refusal_is_noted_where_requests_are_transactions(client, row, message, status, reason, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    assert client.post(CALLBACK, message).status_code == status
    assert log() == [refused(reason)]


@pytest.mark.django_db(transaction=True)
def test_a_decision_that_is_undone_was_not_accepted(client, row):
    def refuse(execute, sql, params, many, context):
        if "credit_creditaudit" in sql:
            raise RuntimeError
        return execute(sql, params, many, context)

    client.raise_request_exception = False
    with connection.execute_wrapper(refuse):
        assert client.post(CALLBACK, signed(MESSAGE)).status_code == 500

    row.refresh_from_db()
    assert row.status == RequestStatus.PENDING
    assert log() == [refused("server_error")]


@pytest.mark.django_db(transaction=True)
def test_a_log_that_fails_does_not_keep_a_decision_from_being_recorded(client, row, caplog):
    with table_gone():
        response = client.post(CALLBACK, signed(MESSAGE))

    assert response.status_code == 200
    row.refresh_from_db()
    assert row.status == RequestStatus.APPROVED
    assert CreditAudit.objects.count() == 1
    assert "The callback log did not take an accepted callback" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("row")
def test_a_log_that_fails_does_not_change_a_refusal(client, caplog):
    with table_gone():
        response = client.post(CALLBACK, {**MESSAGE, "signature": "x"})

    assert response.status_code == 403
    assert response.json()["code"] == "wrong_signature"
    assert "The callback log did not take a refused callback" in caplog.text


@pytest.mark.database("postgresql")
@pytest.mark.rule("credit.budgets")
@pytest.mark.django_db(transaction=True)
def test_noting_an_accepted_callback_costs_one_statement(row):
    """A decision itself takes three (contract 7.7); the log is not counted there, as the audit is not."""
    with statements(without=("credit_creditaudit", "events_outboxevent")) as run:
        api.accept_callback(UUID, "HogwartsX", "approved", timestamp=SECONDS, key=SigningKey(position=1, count=1))

    noted = [text for text in run.texts if "credit_callbacklog" in text]
    assert len(noted) == 1, str(run)
    assert len(run) == 3 + len(noted), str(run)


@pytest.mark.database("postgresql")
@pytest.mark.rule("credit.budgets")
@pytest.mark.django_db(transaction=True)
def test_an_accepted_callback_costs_as_many_over_http(client, row):
    with statements(without=("credit_creditaudit", "events_outboxevent", "credit_callbacklog")) as run:
        assert client.post(CALLBACK, signed(MESSAGE)).status_code == 200

    assert len(run) == 3, str(run)


def test_what_is_older_than_90_days_is_forgotten(clock):
    for days in (0, 89, 91, 300):
        CallbackLog.objects.create(received=NOW - timedelta(days=days), outcome="accepted", reason=str(days))

    purge_callback_log()

    assert sorted(entry["reason"] for entry in log()) == ["0", "89"]


def test_forgetting_takes_several_batches(settings):
    settings.CREDIT_CALLBACK_LOG_DAYS = 1
    old = NOW - timedelta(days=2)
    CallbackLog.objects.bulk_create(CallbackLog(received=old, outcome="accepted") for _ in range(2500))

    with statements() as run:
        assert api.purge_callback_log(before=NOW - timedelta(days=1)) == 2500

    assert len([text for text in run.texts if text.startswith("DELETE")]) == 3
    assert log() == []


def test_the_service_forgets_by_itself():
    assert "credit.tasks.purge_callback_log" in {entry["task"] for entry in site.CELERY_BEAT_SCHEDULE.values()}
