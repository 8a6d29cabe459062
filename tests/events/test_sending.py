"""Arguments, receivers and their failures (events contract 6.1 to 6.4), outside of any transaction."""

import asyncio
import logging
from datetime import UTC, datetime
from uuid import UUID

import pytest
import time_machine

from events.data import EventsMetadata
from events.exceptions import SenderValidationError
from events.testing import captured_events
from events.tooling import OpenEdxPublicSignal
from tests.events.parcels import PARCEL, Crate, Parcel

TYPE = "org.example.parcel.sent.v1"
MOMENT = datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
VALID = {"parcel": PARCEL, "attempt": 1}


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            pytest.param({}, "missing: parcel, attempt", id="none at all"),
            pytest.param({"parcel": PARCEL}, "missing: attempt", id="one is missing"),
            pytest.param({**VALID, "attempt": None}, "missing: attempt", id="one is None"),
            pytest.param({**VALID, "colour": 1, "size": 2}, "unexpected: colour, size", id="two too many"),
            pytest.param({"parcel": PARCEL, "atempt": 1}, "missing: attempt; unexpected: atempt", id="one is renamed"),
            pytest.param(
                {"parcel": None, "attempt": "1", "colour": 1},
                "missing: parcel; unexpected: colour",
                id="number and presence come before classes",
            ),
            pytest.param(
                {"parcel": "box", "attempt": "1"},
                "parcel must be tests.events.parcels.Parcel, not builtins.str; "
                "attempt must be builtins.int, not builtins.str",
                id="two of another class",
            ),
        ],
    )
    @pytest.mark.rule("events.E10")
    def test_bad_arguments_are_named_all_at_once(self, parcel_sent, receive, arguments, said):
        receiver = receive(parcel_sent)
        with captured_events() as events, pytest.raises(SenderValidationError) as caught:
            parcel_sent.send_event(**arguments)
        assert str(caught.value) == f"SenderValidationError {TYPE}: {said}"
        assert receiver.calls == []
        assert events == []

    @pytest.mark.parametrize(
        "arguments",
        [
            pytest.param({**VALID, "metadata": EventsMetadata(event_type=TYPE)}, id="metadata"),
            pytest.param({**VALID, "from_event_bus": True}, id="from_event_bus"),
            pytest.param({**VALID, "sender": None}, id="sender"),
            pytest.param({**VALID, "signal": None}, id="signal"),
        ],
    )
    def test_reserved_names_are_no_arguments(self, parcel_sent, arguments):
        with pytest.raises(SenderValidationError, match="unexpected"):
            parcel_sent.send_event(**arguments)

    @pytest.mark.rule("events.E9")
    @pytest.mark.parametrize("value", [0, False, "", [], {}], ids=repr)
    def test_falsy_values_are_values(self, receive, value):
        signal = OpenEdxPublicSignal("org.example.value.seen.v1", {"value": type(value)})
        receiver = receive(signal)
        signal.send_event(value=value)
        assert receiver.calls[0]["value"] == value

    def test_instance_of_a_subclass_is_accepted(self, parcel_sent, receive):
        receiver = receive(parcel_sent)
        parcel_sent.send_event(parcel=Crate(label=""), attempt=True)
        assert receiver.calls[0]["parcel"] == Crate(label="")

    def test_declared_list_of_something_accepts_lists_only(self):
        signal = OpenEdxPublicSignal("org.example.list.seen.v1", {"numbers": list[int]})
        assert signal.send_event(numbers=[1]) == []
        with pytest.raises(SenderValidationError, match=r"numbers must be builtins\.list, not builtins\.tuple"):
            signal.send_event(numbers=(1,))


class TestReceivers:
    def test_receiver_gets_the_arguments_and_who_told_what_when(self, parcel_sent, receive):
        receiver = receive(parcel_sent)
        parcel_sent.send_event(time=MOMENT, **VALID)
        metadata = receiver.calls[0]["metadata"]
        assert receiver.calls == [
            {"sender": None, "signal": parcel_sent, **VALID, "metadata": metadata, "from_event_bus": False}
        ]
        assert metadata == EventsMetadata(event_type=TYPE, id=metadata.id, minorversion=0, time=MOMENT)

    def test_time_is_now_unless_given(self, parcel_sent, receive):
        receiver = receive(parcel_sent)
        with time_machine.travel(MOMENT, tick=False):
            parcel_sent.send_event(**VALID)
        assert receiver.calls[0]["metadata"].time == MOMENT

    def test_minor_version_travels(self, receive):
        signal = OpenEdxPublicSignal("org.example.parcel.sent.v2", {"parcel": Parcel}, minor_version=3)
        receiver = receive(signal)
        signal.send_event(parcel=PARCEL)
        assert receiver.calls[0]["metadata"].minorversion == 3

    def test_each_event_has_an_id_of_its_own(self, parcel_sent, receive):
        receiver = receive(parcel_sent)
        parcel_sent.send_event(**VALID)
        parcel_sent.send_event(**VALID)
        assert len({call["metadata"].id for call in receiver.calls}) == 2

    def test_answers_are_returned(self, parcel_sent, receive):
        first, second = receive(parcel_sent, "one"), receive(parcel_sent, "two")
        assert parcel_sent.send_event(**VALID) == [(first, "one"), (second, "two")]

    def test_asynchronous_receivers_are_called_too(self, parcel_sent):
        async def receiver(**kwargs):
            return kwargs["attempt"]

        parcel_sent.connect(receiver)
        assert parcel_sent.send_event(**VALID) == [(receiver, 1)]


class TestFailures:
    def test_failure_becomes_the_receivers_response_and_others_run(self, parcel_sent, receive):
        error = ValueError("no")
        failing, other = receive(parcel_sent, error), receive(parcel_sent, "done")
        assert parcel_sent.send_event(**VALID) == [(failing, error), (other, "done")]

    @pytest.mark.parametrize(
        ("send_robust", "debug", "allowed"),
        [
            pytest.param(False, False, False, id="send_robust=False"),
            pytest.param(True, True, False, id="settings.DEBUG"),
            pytest.param(True, False, True, id="allow_send_event_failure()"),
        ],
    )
    @pytest.mark.parametrize("origin", [(), (EventsMetadata(TYPE),)], ids=["sent here", "from the bus"])
    def test_first_failure_stops_the_sender(self, parcel_sent, receive, settings, send_robust, debug, allowed, origin):
        receive(parcel_sent, ValueError("no"))
        other = receive(parcel_sent)
        settings.DEBUG = debug
        if allowed:
            parcel_sent.allow_send_event_failure()
        send = parcel_sent.send_event_with_custom_metadata if origin else parcel_sent.send_event
        with pytest.raises(ValueError, match=r"^no$"):
            send(*origin, send_robust=send_robust, **VALID)
        assert other.calls == []

    @pytest.mark.rule("events.E13")
    def test_failures_can_be_kept_back_again(self, parcel_sent, receive):
        error = ValueError("no")
        failing = receive(parcel_sent, error)
        parcel_sent.allow_send_event_failure()
        parcel_sent.allow_send_event_failure(allow=False)
        assert parcel_sent.send_event(**VALID) == [(failing, error)]


class TestDisabledSignal:
    @pytest.fixture
    def disabled(self, parcel_sent, receive):
        self.receiver = receive(parcel_sent)
        parcel_sent.disable()
        return parcel_sent

    def test_nothing_is_sent(self, disabled):
        with captured_events() as events:
            assert disabled.send_event(**VALID) == []
        assert self.receiver.calls == []
        assert events == []

    def test_arguments_are_not_looked_at(self, disabled):
        assert disabled.send_event(nonsense=1) == []
        assert disabled.send_event_with_custom_metadata(metadata(), nonsense=1) == []

    def test_bad_time_fails_all_the_same(self, disabled):
        with pytest.raises(ValueError, match="aware"):
            disabled.send_event(time=datetime(2024, 1, 2), **VALID)  # noqa: DTZ001  # naive on purpose

    def test_enabling_it_sends_again(self, disabled):
        disabled.enable()
        disabled.send_event(**VALID)
        assert len(self.receiver.calls) == 1


class TestFromTheBus:
    def test_metadata_is_passed_through_and_the_origin_told(self, parcel_sent, receive):
        receiver = receive(parcel_sent, "done")
        given = metadata()
        assert parcel_sent.send_event_with_custom_metadata(given, **VALID) == [(receiver, "done")]
        assert receiver.calls[0]["metadata"] is given
        assert receiver.calls[0]["from_event_bus"] is True

    def test_what_came_from_another_service_does_not_go_out_again(self, parcel_sent):
        with captured_events() as events:
            parcel_sent.send_event_with_custom_metadata(metadata(), **VALID)
        assert events == []

    def test_receiver_may_send_an_event_of_its_own(self, parcel_sent):
        answer = OpenEdxPublicSignal("org.example.parcel.received.v1", {"parcel": Parcel})
        parcel_sent.connect(lambda parcel, **kwargs: answer.send_event(parcel=parcel), weak=False)
        with captured_events() as events:
            parcel_sent.send_event_with_custom_metadata(metadata(), **VALID)
        assert [event.event_type for event in events] == ["org.example.parcel.received.v1"]

    def test_arguments_are_validated(self, parcel_sent):
        with pytest.raises(SenderValidationError, match="missing: attempt"):
            parcel_sent.send_event_with_custom_metadata(metadata(), parcel=PARCEL)

    def test_metadata_is_positional_only(self, parcel_sent):
        with pytest.raises(TypeError, match="positional"):
            parcel_sent.send_event_with_custom_metadata(metadata=metadata(), **VALID)

    @pytest.mark.rule("events.E12")
    @pytest.mark.parametrize("given", [None, {}, TYPE], ids=repr)
    def test_anything_else_for_metadata_is_refused(self, parcel_sent, given):
        with pytest.raises(TypeError, match="EventsMetadata"):
            parcel_sent.send_event_with_custom_metadata(given, **VALID)

    @pytest.mark.rule("events.E12")
    def test_metadata_of_another_type_is_refused(self, parcel_sent):
        with pytest.raises(ValueError, match=r"org\.example\.other\.v1"):
            parcel_sent.send_event_with_custom_metadata(EventsMetadata("org.example.other.v1"), **VALID)

    @pytest.mark.rule("events.E17")
    def test_argument_that_an_older_sender_does_not_know_takes_its_default(self, receive):
        signal = OpenEdxPublicSignal(TYPE, {"parcel": Parcel, "attempt": int}, minor_version=1, defaults={"attempt": 0})
        receiver = receive(signal)
        signal.send_event_with_custom_metadata(metadata(), parcel=PARCEL)
        signal.send_event_with_custom_metadata(metadata(), parcel=PARCEL, attempt=2)
        assert [call["attempt"] for call in receiver.calls] == [0, 2]

    @pytest.mark.rule("events.E17")
    def test_our_own_senders_give_every_argument(self):
        signal = OpenEdxPublicSignal(TYPE, {"parcel": Parcel, "attempt": int}, defaults={"attempt": 0})
        with pytest.raises(SenderValidationError, match="missing: attempt"):
            signal.send_event(parcel=PARCEL)


@pytest.mark.parametrize("method", ["send", "send_robust"])
def test_djangos_way_of_sending_only_warns(parcel_sent, receive, method):
    receiver = receive(parcel_sent)
    with pytest.warns(UserWarning, match="use send_event"):
        assert getattr(parcel_sent, method)(None, **VALID) is None
    assert receiver.calls == []


@pytest.mark.rule("events.E14")
@pytest.mark.parametrize("method", ["asend", "asend_robust"])
def test_djangos_asynchronous_way_of_sending_only_warns(parcel_sent, receive, method):
    receiver = receive(parcel_sent)
    with pytest.warns(UserWarning, match="use send_event"):
        assert asyncio.run(getattr(parcel_sent, method)(None, **VALID)) is None
    assert receiver.calls == []


@pytest.mark.rule("events.E11")
class TestLogs:
    """Type and id say which event it was; the payload stays out, also where an exception quotes it."""

    def test_emission_is_one_line_with_type_and_id(self, parcel_sent, caplog):
        caplog.set_level(logging.INFO)
        with captured_events() as events:
            parcel_sent.send_event(**VALID)
        assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
            ("events.emitted", "INFO", f"{TYPE} {events[0].metadata.id}")
        ]

    def test_success_is_told_at_debug_level(self, parcel_sent, receive, caplog):
        caplog.set_level(logging.DEBUG)
        receive(parcel_sent, answer="marker-in-the-answer")
        parcel_sent.send_event(**VALID)
        [record] = [record for record in caplog.records if record.name == "events.tooling"]
        assert record.levelname == "DEBUG"
        assert "tests.events.conftest.Receiver has run" in record.getMessage()
        assert "marker" not in caplog.text

    @pytest.mark.parametrize("from_bus", [False, True], ids=["sent here", "from the bus"])
    def test_failure_is_told_with_place_but_without_payload(self, parcel_sent, caplog, from_bus):
        def failing_receiver(parcel, **kwargs):
            raise ValueError(f"cannot handle {parcel}")

        parcel_sent.connect(failing_receiver)
        caplog.set_level(logging.DEBUG)
        if from_bus:
            parcel_sent.send_event_with_custom_metadata(metadata(), **VALID)
        else:
            parcel_sent.send_event(**VALID)
        [record] = [record for record in caplog.records if record.levelno > logging.INFO]
        assert (record.name, record.levelname) == ("events.tooling", "ERROR")
        assert record.getMessage().startswith(TYPE)
        assert f"{__name__}.TestLogs" in record.getMessage()
        assert "failing_receiver raised ValueError." in record.getMessage()
        assert 'in failing_receiver\n    raise ValueError(f"cannot handle {parcel}")' in record.getMessage()
        assert "marker" not in caplog.text

    def test_refused_payload_is_not_quoted(self, parcel_sent):
        with pytest.raises(SenderValidationError) as caught:
            parcel_sent.send_event(parcel="marker", attempt="marker")
        assert "marker" not in str(caught.value)

    def test_emission_shown_by_accident_hides_the_payload(self, parcel_sent):
        with captured_events() as events:
            parcel_sent.send_event(**VALID)
        assert "marker" not in repr(events)


def metadata() -> EventsMetadata:
    return EventsMetadata(TYPE, id=UUID("b3b3981e-7544-11ea-b663-acde48001122"), source="openedx/exams/web")
