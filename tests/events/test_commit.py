"""When receivers run: after the commit, and never after a rollback (events contract 6.5)."""

import logging

import pytest
from django.db import transaction
from django.test import TestCase

from events.api import send_events
from events.testing import captured_events
from tests.events.parcels import PARCEL
from tests.events.transactions import rolled_back

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("events.E16")]
VALID = {"parcel": PARCEL, "attempt": 1}


@pytest.fixture
def receiver(parcel_sent, receive):
    return receive(parcel_sent, "done")


@pytest.fixture(params=["send_event", "send_events"])
def send(request, parcel_sent):
    """Send one event, by itself or as one of a bulk write."""

    def one(**options):
        if request.param == "send_event":
            return parcel_sent.send_event(**options, **VALID)
        return send_events([(parcel_sent, VALID)], **options) or []

    return one


@pytest.fixture
def emitted(caplog):
    """Return how many events have left so far."""
    caplog.set_level(logging.INFO, logger="events.emitted")
    return lambda: len([record for record in caplog.records if record.name == "events.emitted"])


def test_receivers_run_after_the_commit(send, receiver, emitted):
    with transaction.atomic():
        assert send() == []
        assert (receiver.calls, emitted()) == ([], 0)
    assert (len(receiver.calls), emitted()) == (1, 1)


def test_nothing_happens_after_a_rollback(send, receiver, emitted):
    with rolled_back():
        send()
    assert (receiver.calls, emitted()) == ([], 0)


def test_nothing_happens_after_rolling_back_just_the_savepoint(send, parcel_sent, receiver, emitted):
    with transaction.atomic():
        parcel_sent.send_event(parcel=PARCEL, attempt=7)
        with rolled_back():
            send()
        parcel_sent.send_event(parcel=PARCEL, attempt=8)
    assert [call["attempt"] for call in receiver.calls] == [7, 8]
    assert emitted() == 2


def test_released_savepoint_waits_for_the_transaction(send, receiver, emitted):
    with transaction.atomic():
        with transaction.atomic():
            send()
        assert (receiver.calls, emitted()) == ([], 0)
    assert (len(receiver.calls), emitted()) == (1, 1)


def test_outside_of_a_transaction_receivers_run_at_once(parcel_sent, receiver, emitted):
    assert parcel_sent.send_event(**VALID) == [(receiver, "done")]
    assert emitted() == 1


def test_bulk_outside_of_a_transaction_runs_receivers_at_once(parcel_sent, receiver, emitted):
    assert send_events([(parcel_sent, VALID), (parcel_sent, VALID)]) is None
    assert (len(receiver.calls), emitted()) == (2, 2)


def test_manual_transaction_management_counts_as_no_atomic_block(parcel_sent, receiver):
    transaction.set_autocommit(False)
    try:
        assert parcel_sent.send_event(**VALID) == [(receiver, "done")]
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


def test_immediate_receivers_run_in_the_transaction_but_the_event_waits(parcel_sent, receiver, emitted):
    with transaction.atomic():
        assert parcel_sent.send_event(immediate=True, **VALID) == [(receiver, "done")]
        assert (len(receiver.calls), emitted()) == (1, 0)
    assert (len(receiver.calls), emitted()) == (1, 1)


def test_immediate_event_does_not_leave_after_a_rollback(parcel_sent, receiver, emitted):
    with rolled_back():
        parcel_sent.send_event(immediate=True, **VALID)
    assert (len(receiver.calls), emitted()) == (1, 0)


def test_event_is_written_before_any_receiver_runs(parcel_sent):
    with captured_events() as events:
        parcel_sent.connect(lambda **kwargs: len(events), weak=False)
        [(_, seen)] = parcel_sent.send_event(**VALID)
    assert seen == 1


def test_failing_receiver_does_not_disturb_a_commit(send, parcel_sent, receive, emitted):
    receive(parcel_sent, ValueError("no"))
    other = receive(parcel_sent)
    with transaction.atomic():
        send()
    assert (len(other.calls), emitted()) == (1, 1)


@pytest.mark.parametrize(
    "choose",
    [
        pytest.param(lambda signal, settings: {"send_robust": False}, id="send_robust=False"),
        pytest.param(lambda signal, settings: setattr(settings, "DEBUG", True), id="settings.DEBUG"),
        pytest.param(lambda signal, settings: signal.allow_send_event_failure(), id="allow_send_event_failure()"),
    ],
)
def test_non_robust_failure_surfaces_from_the_commit(parcel_sent, receive, settings, choose):
    receive(parcel_sent, ValueError("no"))
    options = choose(parcel_sent, settings) or {}
    with pytest.raises(ValueError, match=r"^no$"), transaction.atomic():
        assert parcel_sent.send_event(**options, **VALID) == []


def test_event_from_the_bus_reaches_receivers_within_the_consumers_transaction(parcel_sent, receiver):
    metadata = parcel_sent.generate_signal_metadata()
    with transaction.atomic():
        assert parcel_sent.send_event_with_custom_metadata(metadata, **VALID) == [(receiver, "done")]


def test_event_sent_by_a_receiver_leaves_too(parcel_sent, receive, emitted):
    parcel_sent.connect(
        lambda attempt, **kwargs: attempt < 3 and parcel_sent.send_event(parcel=PARCEL, attempt=attempt + 1), weak=False
    )
    with transaction.atomic():
        parcel_sent.send_event(**VALID)
    assert emitted() == 3


class TestDjangosTestCase(TestCase):
    """Django's own tool is enough to see receivers called in a transaction that never commits."""

    @pytest.fixture(autouse=True)
    def _setup(self, parcel_sent, receive):
        self.signal, self.receiver = parcel_sent, receive(parcel_sent)

    def test_capturing_on_commit_callbacks_calls_receivers(self):
        with self.captureOnCommitCallbacks(execute=True):
            self.signal.send_event(**VALID)
            assert self.receiver.calls == []
        assert len(self.receiver.calls) == 1
