"""An event counts as handled only if its effects are there (events contract 16)."""

from contextlib import suppress

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from events.avro import encode
from events.bus.redis.group import Delivery
from events.bus.redis.handling import Handler, Outcome, ReceiversFailed, Unusable
from events.data import EventsMetadata
from events.headers import entry_fields
from events.models import ProcessedEvent
from tests.events.parcels import PARCEL

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("events.consumer")]


@pytest.fixture
def handle(parcel_sent):
    """Handle the same entry each time, as a consumer does."""
    fields = entry_fields(EventsMetadata(parcel_sent.event_type), encode(parcel_sent, {"parcel": PARCEL, "attempt": 1}))
    raw = {name.encode(): value if isinstance(value, bytes) else value.encode() for name, value in fields}
    handler = Handler(group="readers", stream="parcels")
    return lambda: handler.handle(Delivery("1-0", raw))


def insert_again():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth_group (name) VALUES ('same')")


def broken_by_the_orm(**kwargs):
    Group.objects.create(name="lost")
    with suppress(IntegrityError):
        Group.objects.create(name="same")


def broken_by_sql(**kwargs):
    Group.objects.create(name="lost")
    with suppress(IntegrityError):
        insert_again()


def whole(**kwargs):
    with suppress(IntegrityError), transaction.atomic():
        insert_again()
    Group.objects.create(name="kept")


@pytest.mark.parametrize("others", [0, 1], ids=["alone", "beside another"])
def test_receiver_that_hides_what_has_undone_its_effects_has_failed(handle, parcel_sent, receive, others):
    for _ in range(others):
        receive(parcel_sent)
    Group.objects.create(name="same")
    parcel_sent.connect(broken_by_the_orm)
    for _ in range(2):
        with pytest.raises(ReceiversFailed, match="broken_by_the_orm raised TransactionManagementError"):
            handle()
    assert not ProcessedEvent.objects.exists()


@pytest.mark.parametrize("others", [0, 1], ids=["alone", "beside another"])
def test_error_that_was_hidden_is_a_failure_where_it_undoes_the_transaction(handle, parcel_sent, receive, others):
    for _ in range(others):
        receive(parcel_sent)
    Group.objects.create(name="same")
    parcel_sent.connect(broken_by_sql)
    is_whole = False
    with suppress(ReceiversFailed, DatabaseError):
        is_whole = handle() is Outcome.PROCESSED
    assert ProcessedEvent.objects.exists() is Group.objects.filter(name="lost").exists() is is_whole
    assert is_whole is (connection.vendor != "postgresql")


def test_error_in_a_savepoint_of_the_receivers_own_is_its_own_affair(handle, parcel_sent):
    Group.objects.create(name="same")
    parcel_sent.connect(whole)
    assert handle() is Outcome.PROCESSED
    assert ProcessedEvent.objects.count() == Group.objects.filter(name="kept").count() == 1


@pytest.mark.parametrize("table", ["events_processedevent", "auth_group"])
def test_deadlock_cannot_be_hidden(handle, parcel_sent, table):
    def receiver(**kwargs):
        with connection.execute_wrapper(sacrifice):
            with suppress(OperationalError):
                insert_again()
            insert_again()

    failures = [OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")]

    def sacrifice(execute, sql, params, many, context):
        if failures and table in sql and sql.startswith("INSERT"):
            raise failures.pop()
        return execute(sql, params, many, context)

    parcel_sent.connect(receiver)
    with pytest.raises(OperationalError):
        handle()
    assert not failures
    assert not Group.objects.exists()


def test_entry_on_which_reading_itself_fails_is_unusable(handle, monkeypatch):
    monkeypatch.setattr("events.bus.redis.handling.decode", lambda signal, raw: {}[raw])
    with pytest.raises(Unusable) as error:
        handle()
    assert str(error.value) == "cannot be read (KeyError)"
