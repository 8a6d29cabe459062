"""Receivers of events from the bus run in a savepoint each (events contract 0.6)."""

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction

from events.data import EventsMetadata
from events.testing import captured_events
from tests.events.parcels import PARCEL
from tests.events.transactions import rolled_back

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("events.consumer.savepoints")]


@pytest.fixture
def pass_on(parcel_sent):
    """Pass on an event from the bus, as a consumer does."""

    def call(**options):
        metadata = EventsMetadata(parcel_sent.event_type)
        return parcel_sent.send_event_with_custom_metadata(
            metadata, using="default", parcel=PARCEL, attempt=1, **options
        )

    return call


def add_group(name="same"):
    def receiver(**kwargs):
        Group.objects.create(name=name)
        return name

    return receiver


def test_what_one_receiver_broke_does_not_break_the_next(parcel_sent, pass_on):
    receivers = [add_group(), add_group(), add_group("other")]
    for receiver in receivers:
        parcel_sent.connect(receiver, weak=False)
    with transaction.atomic():
        (_, first), (_, second), (_, third) = pass_on()
    assert (first, type(second), third) == ("same", IntegrityError, "other")
    assert set(Group.objects.values_list("name", flat=True)) == {"same", "other"}


def test_a_failing_receiver_leaves_neither_rows_nor_events(parcel_sent, pass_on):
    def receiver(**kwargs):
        Group.objects.create(name="half")
        parcel_sent.send_event(parcel=PARCEL, attempt=2)
        raise ValueError

    parcel_sent.connect(receiver)
    with captured_events() as events, transaction.atomic():
        pass_on()
    assert not Group.objects.exists()
    assert events == []


def test_the_consumers_rollback_takes_everything_along(parcel_sent, pass_on):
    parcel_sent.connect(add_group(), weak=False)
    with rolled_back():
        pass_on()
    assert not Group.objects.exists()


def test_a_failure_that_is_to_propagate_does(parcel_sent, pass_on, receive):
    receive(parcel_sent, ValueError("no"))
    other = receive(parcel_sent)
    with transaction.atomic(), pytest.raises(ValueError, match="no"):
        pass_on(send_robust=False)
    assert other.calls == []


def test_asynchronous_receivers_run_last_and_in_savepoints_too(parcel_sent, pass_on):
    async def late(**kwargs):
        return await Group.objects.acreate(name="same")

    parcel_sent.connect(late)
    first = add_group()
    parcel_sent.connect(first)
    with transaction.atomic():
        answers = pass_on()
        assert connection.savepoint_ids == []
    assert [receiver for receiver, _ in answers] == [first, late]
    assert isinstance(answers[1][1], IntegrityError)
