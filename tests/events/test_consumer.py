"""What the consumer does with each entry (events contract 16, 0.10 to 0.12, 0.17), on a real Redis and database."""

import logging
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from coursecredit.request_cache import request_cache
from events.bus import make_single_consumer
from events.bus.redis.consumer import TooManyErrors
from events.models import ProcessedEvent
from events.testing import captured_events
from events.tooling import OpenEdxPublicSignal
from tests.events.parcels import PARCEL, Parcel
from tests.events.redis_bus import GROUP, Topic
from tests.support import service_url, statements

MARKER = "marker-in-the-error"
pytestmark = [pytest.mark.django_db, pytest.mark.rule("events.consumer")]


@pytest.fixture
def topic(settings):
    topic = Topic(service_url("redis"))
    for name, value in topic.settings.items():
        setattr(settings, name, value)
    yield topic
    topic.delete()


@pytest.fixture
def consume(topic):
    """Run a consumer until nothing is left; return what it counted."""

    def run(**options):
        consumer = topic.consumer(consumer_name="one", **options)
        read = consumer._group.read_new

        def read_or_stop(count, *, block):
            batch = read(count, block=None)
            if not batch:
                consumer.stop()
            return batch

        consumer._group.read_new = read_or_stop
        consumer.consume_indefinitely()
        return {word: count for word, count in consumer.counts.items() if count}

    return run


class Flaky:
    """Adds a row and counts; fails the first times that it is called."""

    def __init__(self, failures=0):
        self.failures, self.calls = failures, []

    def __call__(self, attempt, **kwargs):
        self.calls.append(attempt)
        Group.objects.create(name=f"{attempt}")
        if len(self.calls) <= self.failures:
            raise ValueError(MARKER)


@pytest.fixture
def flaky(parcel_sent):
    def connect(failures=0):
        receiver = Flaky(failures)
        parcel_sent.connect(receiver, weak=False)
        return receiver

    return connect


def rows():
    return Group.objects.count(), ProcessedEvent.objects.count()


class TestDelivery:
    def test_payload_and_metadata_arrive_as_told_by_another_service(self, topic, consume, parcel_sent, receive):
        receiver = receive(parcel_sent)
        event_id = uuid4()
        topic.send(parcel_sent, attempt=7, id=str(event_id), source="openedx/lms/web", sourcelib="10.5.0")
        assert consume() == {"processed": 1}
        [call] = receiver.calls
        assert (call["parcel"], call["attempt"], call["from_event_bus"]) == (PARCEL, 7, True)
        assert (call["metadata"].id, call["metadata"].source) == (event_id, "openedx/lms/web")
        assert call["metadata"].sourcelib == (10, 5, 0)
        assert topic.pending == []

    def test_what_was_sent_before_the_first_consumer_is_read_in_order(self, topic, consume, parcel_sent, flaky):
        receiver = flaky()
        for number in range(120):
            topic.send(parcel_sent, attempt=number)
        assert consume(check_backlog=False) == {"processed": 120}
        assert receiver.calls == list(range(120))
        assert (rows(), topic.pending) == ((120, 120), [])

    def test_a_restart_loses_nothing_and_repeats_nothing(self, topic, consume, parcel_sent, flaky):
        receiver = flaky()
        topic.send(parcel_sent, attempt=1)
        consume()
        topic.send(parcel_sent, attempt=2)
        assert consume() == {"processed": 1}
        assert receiver.calls == [1, 2]

    @pytest.mark.parametrize("twice", ["in one batch", "in two runs"])
    def test_the_same_event_written_twice_has_one_effect(self, topic, consume, parcel_sent, flaky, twice):
        receiver = flaky()
        event_id = str(uuid4())
        topic.send(parcel_sent, id=event_id)
        if twice == "in two runs":
            consume()
        topic.send(parcel_sent, id=event_id)
        assert consume()["duplicate"] == 1
        assert (receiver.calls, rows(), topic.pending) == ([1], (1, 1), [])

    def test_equal_ids_of_two_sources_are_two_events(self, topic, consume, parcel_sent, flaky):
        receiver = flaky()
        for number, source in enumerate(["lms", "cms"]):
            topic.send(parcel_sent, attempt=number, id=str(uuid4()), source=source)
        assert consume() == {"processed": 2}
        assert receiver.calls == [0, 1]

    @pytest.mark.parametrize("receivers", ["none", "disabled", "idle"])
    def test_an_event_that_changes_nothing_is_processed_and_noted(
        self, topic, consume, parcel_sent, receive, receivers
    ):
        receiver = receive(parcel_sent) if receivers != "none" else None
        if receivers == "disabled":
            parcel_sent.disable()
        topic.send(parcel_sent)
        assert consume() == {"processed": 1}
        assert (ProcessedEvent.objects.count(), topic.pending) == (1, [])
        assert receiver is None or len(receiver.calls) == (receivers == "idle")

    def test_a_type_that_nobody_here_knows_is_acknowledged(self, topic, consume, parcel_sent):
        topic.send(parcel_sent, type="org.example.elsewhere.v1", time="their own form")
        assert consume() == {"unknown type": 1}
        assert (topic.pending, topic.dead_letters) == ([], [])

    @pytest.mark.parametrize(
        ("name", "header", "shown"),
        [
            pytest.param("type", "x" * 300, f"{'x' * 255} ", id="long"),
            pytest.param("type", "a\nERROR forged", r"a\nERROR forged ", id="two lines"),
            pytest.param("id", "\x1b[2J\u202e", r" \x1b[2J\u202e, entry ", id="for the terminal"),
            pytest.param("id", b"\xff", " \ufffd, entry ", id="no text"),
        ],
    )
    def test_their_headers_are_one_short_line_in_the_log(
        self, topic, consume, parcel_sent, caplog, name, header, shown
    ):
        caplog.set_level(logging.INFO)
        topic.send(parcel_sent, **{"type": "org.example.elsewhere.v1", name: header})
        consume()
        [line] = [line for line in caplog.messages if "unknown type" in line]
        assert shown in line
        assert len(line) < 600

    def test_an_older_senders_event_takes_declared_defaults(self, topic, consume, parcel_sent, receive):
        topic.send(parcel_sent, type="org.example.parcel.sent.v2")
        grown = OpenEdxPublicSignal(
            "org.example.parcel.sent.v2",
            {"parcel": Parcel, "attempt": int, "colour": str},
            minor_version=1,
            defaults={"colour": "brown"},
        )
        receiver = receive(grown)
        consume()
        assert receiver.calls[0]["colour"] == "brown"

    def test_each_event_has_its_own_request_cache(self, topic, consume, parcel_sent):
        seen = []

        def receiver(**kwargs):
            cache = request_cache("test")
            seen.append(dict(cache))
            cache["left"] = "behind"

        parcel_sent.connect(receiver)
        topic.send(parcel_sent)
        topic.send(parcel_sent)
        consume()
        assert seen == [{}, {}]

    def test_a_receivers_own_events_leave_with_its_transaction(self, topic, consume, parcel_sent):
        told = OpenEdxPublicSignal("org.example.parcel.arrived.v1", {"parcel": Parcel})

        def receiver(**kwargs):
            told.send_event(parcel=PARCEL)
            assert connection.in_atomic_block

        parcel_sent.connect(receiver)
        topic.send(parcel_sent)
        with captured_events() as events:
            assert consume() == {"processed": 1}
        assert [event.event_type for event in events] == [told.event_type]

    def test_the_note_comes_before_a_receivers_first_statement(self, topic, consume, parcel_sent):
        topic.send(parcel_sent)
        parcel_sent.connect(lambda **kwargs: Group.objects.create(name="it"), weak=False)
        with statements() as run:
            consume()
        writes = [text for text in run.texts if text.startswith("INSERT")]
        assert ["processedevent" in text for text in writes] == [True, False], run

    def test_events_that_concern_nobody_share_their_statements(self, topic, consume, parcel_sent):
        for _ in range(50):
            topic.send(parcel_sent)
        with statements() as run:
            consume()
        words = [text.split()[0] for text in run.texts if "processedevent" in text]
        assert words == ["UPDATE", "SELECT", "INSERT"], (
            run
        )  # the first, of no row, shows that the database takes writes


class TestFailures:
    def test_a_receiver_that_fails_twice_has_one_effect_and_later_entries_wait(
        self, topic, consume, parcel_sent, flaky
    ):
        receiver = flaky(failures=2)
        topic.send(parcel_sent, attempt=1)
        topic.send(parcel_sent, attempt=2)
        assert consume() == {"processed": 2, "failure": 2, "error": 2}
        assert receiver.calls == [1, 1, 1, 2]
        assert (rows(), topic.pending, topic.dead_letters) == ((2, 2), [], [])

    def test_a_receiver_that_always_fails_makes_a_dead_letter_after_five_deliveries(
        self, topic, consume, parcel_sent, flaky
    ):
        receiver = flaky(failures=5)
        entry_id = topic.send(parcel_sent, attempt=1)
        topic.send(parcel_sent, attempt=2)
        assert consume() == {"processed": 1, "failure": 5, "error": 5, "dead letter": 1}
        assert receiver.calls == [1, 1, 1, 1, 1, 2]
        assert (rows(), topic.pending) == ((1, 1), [])
        [letter] = topic.dead_letters
        original = {name.decode(): value.decode() for name, value in topic.redis.xrange(topic.key)[0][1].items()}
        assert letter == {
            **original,
            "dlq_error": "tests.events.test_consumer.Flaky raised ValueError",
            "dlq_group": GROUP,
            "dlq_stream": topic.key,
            "dlq_id": entry_id,
            "dlq_deliveries": "5",
        }

    def test_the_failure_of_one_receiver_undoes_the_others(self, topic, consume, parcel_sent, flaky, receive):
        other = flaky()
        receive(parcel_sent, ValueError())
        topic.send(parcel_sent)
        assert consume()["dead letter"] == 1
        assert (len(other.calls), rows()) == (5, (0, 0))

    def test_a_failure_that_propagates_is_a_failure_of_the_entry(self, topic, consume, parcel_sent, flaky):
        parcel_sent.allow_send_event_failure()
        flaky(failures=1)
        topic.send(parcel_sent)
        assert consume() == {"processed": 1, "failure": 1, "error": 1}
        assert rows() == (1, 1)

    @pytest.mark.django_db(transaction=True)
    def test_a_failure_after_the_commit_is_not_repeated(self, topic, consume, parcel_sent):
        calls = []

        def receiver(attempt, **kwargs):
            calls.append(attempt)
            Group.objects.create(name="it")
            transaction.on_commit(lambda: 1 / 0)

        parcel_sent.connect(receiver)
        topic.send(parcel_sent)
        assert consume() == {"duplicate": 1, "failure": 1, "error": 1}
        assert (calls, rows(), topic.pending) == ([1], (1, 1), [])

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            pytest.param({"type": None}, "type: ", id="no type"),
            pytest.param({"type": b"\xff\xfe"}, "type: ", id="type is no text"),
            pytest.param({"id": "marker"}, "id: ", id="bad id"),
            pytest.param({"time": "marker"}, "time: ", id="bad time"),
            pytest.param({"time": "2024-01-02T03:04:05"}, "time: ", id="naive time"),
            pytest.param({"minorversion": "marker"}, "minorversion: ", id="bad number"),
            pytest.param({"source": "x" * 256}, "source: ", id="source too long"),
            pytest.param({"event_data": None}, "event_data: ", id="no payload"),
            pytest.param({"event_data": b""}, "event_data: ", id="empty payload"),
            pytest.param({"event_data": b"\x08mark"}, "", id="cut payload"),
        ],
    )
    def test_an_unusable_entry_is_a_dead_letter_at_once(
        self, topic, consume, parcel_sent, flaky, caplog, changes, reason
    ):
        receiver = flaky()
        topic.send(parcel_sent, **changes)
        topic.send(parcel_sent, attempt=2)
        assert consume() == {"processed": 1, "dead letter": 1, "error": 1}
        assert receiver.calls == [2]
        [letter] = topic.dead_letters
        assert letter["dlq_deliveries"] == "1"
        assert reason in letter["dlq_error"]
        assert "mark" not in letter["dlq_error"]
        assert "mark" not in caplog.text
        assert topic.pending == []

    @pytest.mark.rule("events.consumer.error_limit")
    def test_too_many_errors_in_a_row_end_the_consumer(self, topic, settings, parcel_sent, flaky):
        settings.EVENT_BUS_REDIS_CONSUMER_CONSECUTIVE_ERRORS_LIMIT = 2
        flaky(failures=9)
        entry_id = topic.send(parcel_sent)
        with pytest.raises(TooManyErrors, match="2 errors"):
            topic.consumer().consume_indefinitely()
        assert topic.pending == [(entry_id, 2)]

    def test_no_line_quotes_payload_or_error(self, topic, consume, parcel_sent, flaky, caplog):
        caplog.set_level(logging.DEBUG)
        flaky(failures=6)
        topic.send(parcel_sent)
        topic.send(parcel_sent)
        consume()
        assert "Flaky raised ValueError" in caplog.text
        assert f"{topic.key}: processed." in caplog.text
        assert "marker" not in caplog.text


class TestPending:
    """Entries that a consumer was handed and did not acknowledge, because it ended."""

    def hand_out(self, topic, *, to, times=1):
        """Read everything under a consumer's name, as one that is killed then does."""
        topic.consumer()._group.ensure()
        topic.redis.xreadgroup(GROUP, to, {topic.key: ">"})
        for _ in range(times - 1):
            topic.redis.xreadgroup(GROUP, to, {topic.key: "0"})

    def test_its_own_come_first(self, topic, consume, parcel_sent, flaky):
        receiver = flaky()
        topic.send(parcel_sent, attempt=1)
        topic.send(parcel_sent, attempt=2)
        self.hand_out(topic, to="one")
        topic.send(parcel_sent, attempt=3)
        assert consume() == {"processed": 3}
        assert (receiver.calls, topic.pending) == ([1, 2, 3], [])

    def test_one_that_was_handled_already_is_acknowledged(self, topic, consume, parcel_sent, flaky):
        receiver = flaky()
        topic.send(parcel_sent)
        consume()
        topic.redis.xgroup_setid(topic.key, GROUP, "0-0")
        self.hand_out(topic, to="one", times=9)
        assert consume() == {"duplicate": 1}
        assert (len(receiver.calls), topic.pending, topic.dead_letters) == (1, [], [])

    def test_one_that_was_trimmed_away_is_acknowledged_and_hides_nothing(self, topic, consume, parcel_sent, flaky):
        receiver = flaky()
        first = topic.send(parcel_sent, attempt=1)
        topic.send(parcel_sent, attempt=2)
        self.hand_out(topic, to="one")
        topic.redis.xdel(topic.key, first)
        assert consume() == {"trimmed": 1, "processed": 1}
        assert (receiver.calls, topic.pending) == ([2], [])

    def test_one_that_ended_the_consumer_each_time_is_given_up(self, topic, consume, parcel_sent, flaky):
        receiver = flaky()
        topic.send(parcel_sent, attempt=1)
        self.hand_out(topic, to="one", times=5)
        topic.send(parcel_sent, attempt=2)
        assert consume() == {"processed": 1, "dead letter": 1, "error": 1}
        assert receiver.calls == [2]
        assert topic.dead_letters[0]["dlq_deliveries"] == "5"

    @pytest.mark.parametrize(
        ("older_than", "processed"),
        [
            pytest.param(None, 0, id="too young for the settings"),
            pytest.param(0, 2, id="told to take all"),
        ],
    )
    def test_those_of_a_dead_consumer_are_taken_over(self, topic, consume, parcel_sent, flaky, older_than, processed):
        flaky()
        topic.send(parcel_sent, attempt=1)
        topic.send(parcel_sent, attempt=2)
        self.hand_out(topic, to="dead")
        assert consume(claim_msgs_older_than=older_than).get("processed", 0) == processed
        assert [deliveries for _, deliveries in topic.pending] == [1] * (2 - processed)

    def test_those_left_behind_long_enough_are_taken_over(self, topic, settings, consume, parcel_sent, flaky):
        settings.EVENTS_CONSUMER_MIN_IDLE_SECONDS = 0.001
        flaky()
        topic.send(parcel_sent)
        self.hand_out(topic, to="dead")
        assert consume() == {"claimed": 1, "processed": 1}


class TestPosition:
    def test_last_read_msg_id_moves_the_group(self, topic, consume, parcel_sent, flaky):
        receiver = flaky()
        for number in (1, 2, 3):
            topic.send(parcel_sent, attempt=number)
            if number == 2:
                second = topic.redis.xrevrange(topic.key, count=1)[0][0].decode()
        assert consume(last_read_msg_id=second) == {"processed": 1}
        assert receiver.calls == [3]

    def test_a_group_that_is_gone_is_made_again(self, topic, settings, consume, parcel_sent, flaky):
        receiver = flaky()
        topic.send(parcel_sent, attempt=1)
        consume()
        topic.redis.delete(topic.key)
        topic.send(parcel_sent, attempt=2)
        assert consume() == {"processed": 1}
        assert receiver.calls == [1, 2]


class TestReplies:
    @pytest.mark.parametrize("protocol", [2, 3])
    def test_both_protocols_of_redis_are_understood(self, topic, settings, consume, parcel_sent, flaky, protocol):
        settings.EVENT_BUS_REDIS_CONNECTION_URL = f"{topic.url}?protocol={protocol}"
        receiver = flaky(failures=1)
        topic.send(parcel_sent, attempt=1)
        topic.send(parcel_sent, attempt=2)
        assert consume()["processed"] == 2
        assert (receiver.calls, topic.pending) == ([1, 1, 2], [])


class TestSwitches:
    def test_a_consumer_that_is_switched_off_says_so_and_returns(self, topic, settings, parcel_sent, caplog):
        settings.EVENT_BUS_REDIS_CONSUMERS_ENABLED = False
        topic.send(parcel_sent)
        topic.consumer().consume_indefinitely()
        assert "EVENT_BUS_REDIS_CONSUMERS_ENABLED" in caplog.text

    def test_the_setting_makes_it(self, topic):
        consumer = make_single_consumer(topic=topic.name, group_id=GROUP, check_backlog=True)
        assert consumer.consumer_name.startswith(f"{GROUP}.")
