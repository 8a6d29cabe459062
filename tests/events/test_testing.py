"""The tools that tests of other code use (events contract 7)."""

import unittest
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from events.testing import (
    EventsIsolationMixin,
    FreezeSignalCacheMixin,
    OpenEdxEventsTestMixin,
    captured_events,
    isolated_registry,
)
from events.tooling import OpenEdxPublicSignal
from tests.events.parcels import PARCEL, Parcel
from tests.events.transactions import rolled_back

TYPE = "org.example.parcel.sent.v1"


def attempts(events) -> list[int]:
    return [event.data["attempt"] for event in events]


class TestCapturedEvents:
    def test_each_event_shows_signal_type_metadata_and_data(self, parcel_sent):
        with captured_events() as events:
            parcel_sent.send_event(parcel=PARCEL, attempt=1)
        [event] = events
        assert event.signal is parcel_sent
        assert event.event_type == event.metadata.event_type == TYPE
        assert event.data == {"parcel": PARCEL, "attempt": 1}

    def test_only_the_block_is_recorded(self, parcel_sent):
        parcel_sent.send_event(parcel=PARCEL, attempt=1)
        with captured_events() as events:
            parcel_sent.send_event(parcel=PARCEL, attempt=2)
        parcel_sent.send_event(parcel=PARCEL, attempt=3)
        assert attempts(events) == [2]

    def test_blocks_may_be_nested(self, parcel_sent):
        with captured_events() as outer:
            parcel_sent.send_event(parcel=PARCEL, attempt=1)
            with captured_events() as inner:
                parcel_sent.send_event(parcel=PARCEL, attempt=2)
        assert (attempts(outer), attempts(inner)) == ([1, 2], [2])

    def test_recording_ends_when_the_block_fails(self, parcel_sent):
        with pytest.raises(ZeroDivisionError), captured_events() as events:
            _ = 1 / 0
        parcel_sent.send_event(parcel=PARCEL, attempt=1)
        assert events == []

    def test_it_reads_like_a_list(self, parcel_sent):
        with captured_events() as events:
            assert events == []
            assert not events
            for attempt in (1, 2, 3):
                parcel_sent.send_event(parcel=PARCEL, attempt=attempt)
        assert len(events) == 3
        assert attempts(events[1:]) == [2, 3]
        assert events[-1].data["attempt"] == 3
        assert list(events) == events[:] == [events[0], *events[1:]]
        assert events == list(events)
        assert events != list(events)[:1]
        assert repr(events) == repr(list(events))

    @pytest.mark.django_db
    def test_no_commit_is_needed(self, parcel_sent):
        with captured_events() as events, transaction.atomic():
            parcel_sent.send_event(parcel=PARCEL, attempt=1)
            assert attempts(events) == [1]
        assert attempts(events) == [1]

    @pytest.mark.django_db
    def test_what_a_rolled_back_savepoint_undid_does_not_count(self, parcel_sent):
        with captured_events() as events:
            parcel_sent.send_event(parcel=PARCEL, attempt=1)
            with rolled_back():
                parcel_sent.send_event(parcel=PARCEL, attempt=2)
                with transaction.atomic():
                    parcel_sent.send_event(parcel=PARCEL, attempt=3)
                assert attempts(events) == [1, 2, 3]
            assert attempts(events) == [1]
            parcel_sent.send_event(parcel=PARCEL, attempt=4)
        assert attempts(events) == [1, 4]

    @pytest.mark.django_db(transaction=True)
    def test_committed_counts_and_rolled_back_does_not(self, parcel_sent):
        with captured_events() as events:
            with transaction.atomic():
                parcel_sent.send_event(parcel=PARCEL, attempt=1)
            with rolled_back():
                parcel_sent.send_event(parcel=PARCEL, attempt=2)
            assert attempts(events) == [1]
        assert attempts(events) == [1]

    @pytest.mark.django_db(transaction=True)
    def test_what_is_rolled_back_after_the_block_still_counts(self, parcel_sent):
        with rolled_back(), captured_events() as events:
            parcel_sent.send_event(parcel=PARCEL, attempt=1)
        assert attempts(events) == [1]

    @pytest.mark.django_db
    def test_executing_the_callbacks_changes_nothing(self, parcel_sent, django_capture_on_commit_callbacks):
        with captured_events() as events, django_capture_on_commit_callbacks(execute=True):
            parcel_sent.send_event(parcel=PARCEL, attempt=1)
        assert attempts(events) == [1]

    @pytest.mark.django_db(transaction=True)
    def test_other_threads_are_recorded_too(self, parcel_sent):
        def send():
            with transaction.atomic():
                parcel_sent.send_event(parcel=PARCEL, attempt=1)
            connections.close_all()

        with captured_events() as events, ThreadPoolExecutor(1) as pool:
            pool.submit(send).result()
        assert attempts(events) == [1]


class TestIsolation:
    def test_all_events_are_disabled_and_enabled(self, parcel_sent, receive):
        receiver = receive(parcel_sent)
        EventsIsolationMixin.disable_all_events()
        parcel_sent.send_event(parcel=PARCEL, attempt=1)
        EventsIsolationMixin.enable_all_events()
        parcel_sent.send_event(parcel=PARCEL, attempt=2)
        assert [call["attempt"] for call in receiver.calls] == [2]

    def test_events_are_enabled_by_type(self, parcel_sent, receive):
        lost = OpenEdxPublicSignal("org.example.parcel.lost.v1", {"parcel": Parcel})
        EventsIsolationMixin.disable_all_events()
        EventsIsolationMixin.enable_events_by_type(TYPE)
        with captured_events() as events:
            parcel_sent.send_event(parcel=PARCEL, attempt=1)
            lost.send_event(parcel=PARCEL)
        assert [event.event_type for event in events] == [TYPE]

    def test_failures_are_let_through_by_type(self, parcel_sent, receive):
        receive(parcel_sent, ValueError("no"))
        EventsIsolationMixin.allow_send_events_failure(TYPE)
        with pytest.raises(ValueError, match=r"^no$"):
            parcel_sent.send_event(parcel=PARCEL, attempt=1)

    @pytest.mark.parametrize("method", ["enable_events_by_type", "allow_send_events_failure"])
    def test_unknown_type_is_refused_with_the_known_ones(self, parcel_sent, method):
        with pytest.raises(ValueError, match=r"Unknown event types: nonsense\. Known are: .*parcel\.sent\.v1"):
            getattr(EventsIsolationMixin, method)(TYPE, "nonsense")


class TestEventsTestMixin:
    """Each test runs a test class of its own, with unittest."""

    @pytest.fixture(autouse=True)
    def _signals(self, parcel_sent):
        self.sent = parcel_sent
        self.lost = OpenEdxPublicSignal("org.example.parcel.lost.v1", {"parcel": Parcel})

    def run(self, enabled, test):
        class Case(OpenEdxEventsTestMixin, unittest.TestCase):
            ENABLED_OPENEDX_EVENTS = enabled

            def test(self):
                test()

        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
        return [text for _, text in result.errors + result.failures]

    def test_only_listed_events_are_sent(self):
        def test():
            with captured_events() as events:
                self.sent.send_event(parcel=PARCEL, attempt=1)
                self.lost.send_event(parcel=PARCEL)
            assert [event.event_type for event in events] == [TYPE]

        assert self.run([TYPE], test) == []

    def test_none_is_sent_unless_listed(self):
        assert OpenEdxEventsTestMixin.ENABLED_OPENEDX_EVENTS == []

        def test():
            with captured_events() as events:
                self.sent.send_event(parcel=PARCEL, attempt=1)
            assert events == []

        assert self.run([], test) == []

    def test_failures_of_listed_events_fail_the_test(self, receive):
        receive(self.sent, ValueError("no"))
        [error] = self.run([TYPE], lambda: self.sent.send_event(parcel=PARCEL, attempt=1))
        assert "ValueError: no" in error

    @pytest.mark.rule("events.E13")
    def test_everything_is_as_before_afterwards(self, receive):
        error = ValueError("no")
        failing = receive(self.sent, error)
        self.lost.disable()
        assert self.run([TYPE, self.lost.event_type], lambda: None) == []
        assert self.sent.send_event(parcel=PARCEL, attempt=1) == [(failing, error)]
        with captured_events() as events:
            self.lost.send_event(parcel=PARCEL)
        assert events == []

    def test_unknown_type_fails_the_class_and_leaves_no_trace(self):
        [error] = self.run(["nonsense"], lambda: None)
        assert "Unknown event types: nonsense" in error
        with captured_events() as events:
            self.sent.send_event(parcel=PARCEL, attempt=1)
        assert len(events) == 1


def test_signals_of_a_test_class_are_forgotten_after_it(parcel_sent):
    made = []

    class Case(FreezeSignalCacheMixin, unittest.TestCase):
        def test(self):
            made.append(OpenEdxPublicSignal("org.example.parcel.lost.v1", {"parcel": Parcel}))

    before = OpenEdxPublicSignal.all_events()
    for _ in range(2):
        assert unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(unittest.TestResult()).wasSuccessful()
    assert len(made) == 2
    assert OpenEdxPublicSignal.all_events() == before


def test_isolated_registry_undoes_signals_and_switches(parcel_sent):
    with isolated_registry():
        OpenEdxPublicSignal("org.example.parcel.lost.v1", {"parcel": Parcel})
        parcel_sent.disable()
    assert "org.example.parcel.lost.v1" not in OpenEdxPublicSignal._mapping
    with captured_events() as events:
        parcel_sent.send_event(parcel=PARCEL, attempt=1)
    assert len(events) == 1
