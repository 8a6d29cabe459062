"""Many events of one bulk write (events contract 0.2, 0.18)."""

from datetime import UTC, datetime

import pytest
import time_machine

from events import avro, outbox
from events.api import send_events
from events.exceptions import SenderValidationError
from events.models import OutboxEvent
from events.testing import captured_events
from tests.events.parcels import PARCEL
from tests.support import statements

MOMENT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def items(signal, count=3):
    return ((signal, {"parcel": PARCEL, "attempt": number}) for number in range(count))


@pytest.fixture
def appended(monkeypatch):
    """Return the numbers of events that were written together, one number per write."""
    writes = []
    monkeypatch.setattr(outbox, "observers", [lambda emissions, using: writes.append((len(emissions), using))])
    return writes


def test_all_events_are_written_at_once_and_received_in_order(parcel_sent, receive, appended):
    receiver = receive(parcel_sent)
    assert send_events(items(parcel_sent)) is None
    assert appended == [(3, "default")]
    assert [call["attempt"] for call in receiver.calls] == [0, 1, 2]


@pytest.mark.parametrize("given", [MOMENT, None], ids=["given", "now"])
def test_all_events_have_the_same_time(parcel_sent, given):
    with captured_events() as events, time_machine.travel(MOMENT):
        send_events(items(parcel_sent), time=given)
    assert len({event.metadata.time for event in events}) == 1
    assert len({event.metadata.id for event in events}) == 3


def test_one_bad_event_keeps_all_back(parcel_sent, receive):
    receiver = receive(parcel_sent)
    with captured_events() as events, pytest.raises(SenderValidationError, match="missing: attempt"):
        send_events([*items(parcel_sent), (parcel_sent, {"parcel": PARCEL})])
    assert events == []
    assert receiver.calls == []


def test_events_of_disabled_signals_are_left_out(parcel_sent, appended):
    parcel_sent.disable()
    send_events(items(parcel_sent))
    assert appended == []


def test_nothing_to_send_is_no_write(appended):
    send_events([])
    assert appended == []


def test_failing_receiver_is_kept_from_the_others_and_the_sender(parcel_sent, receive):
    receive(parcel_sent, ValueError("no"))
    other = receive(parcel_sent)
    send_events(items(parcel_sent))
    assert len(other.calls) == 3


@pytest.mark.django_db
def test_rows_of_one_write_hold_all_that_single_ones_hold(parcels_leave):
    with captured_events() as events:
        send_events(items(parcels_leave), time=MOMENT)
        parcels_leave.send_event(parcel=PARCEL, attempt=1, time=MOMENT)
    own = ("id", "event_id", "created")
    *written, single = ({**row, **dict.fromkeys(own)} for row in OutboxEvent.objects.order_by("id").values())
    assert written[1] == single
    assert [row["payload"] for row in written] == [avro.encode(parcels_leave, event.data) for event in events[:3]]


@pytest.mark.database("postgresql")
@pytest.mark.django_db
def test_rows_of_one_write_go_as_one_array_per_column(parcels_leave):
    with statements() as run:
        send_events(items(parcels_leave))
    assert sum("UNNEST" in text for text in run.texts) == len(run) == 1, run
