"""`consume_events`, `replay_dead_letters` and the purge of what is remembered (events contract 14, 0.12, 0.17)."""

import json
import socket
import urllib.request
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from events.management.metrics import serve_consumer_metrics
from events.models import ProcessedEvent
from events.ports import EventBusConsumer
from events.tasks import purge_processed_events
from tests.events.redis_bus import GROUP, Topic
from tests.support import service_url

pytestmark = [pytest.mark.django_db, pytest.mark.rule("events.commands")]


@pytest.fixture
def topic(settings):
    topic = Topic(service_url("redis"))
    for name, value in topic.settings.items():
        setattr(settings, name, value)
    yield topic
    topic.delete()


def consume_once(topic, **extra):
    call_command("consume_events", "-t", topic.name, "-g", GROUP, "--once", "--extra", json.dumps(extra))


def replay(topic):
    out, err = StringIO(), StringIO()
    try:
        call_command("replay_dead_letters", "--topic", topic.name, "--group", GROUP, stdout=out, stderr=err)
    except CommandError as exc:
        return out.getvalue(), err.getvalue(), str(exc)
    return out.getvalue(), err.getvalue(), None


class TestOnce:
    def test_each_event_is_tried_once_and_failures_stay_pending(self, topic, parcel_sent, receive):
        receiver = receive(parcel_sent, ValueError())
        first, second = topic.send(parcel_sent, attempt=1), topic.send(parcel_sent, attempt=2)
        consume_once(topic)
        assert [call["attempt"] for call in receiver.calls] == [1, 2]
        assert topic.pending == [(first, 1), (second, 1)]

        receiver.answer = None
        consume_once(topic, consumer_name=f"{GROUP}.other", claim_msgs_older_than=0, check_backlog=True)
        assert topic.pending == []
        assert ProcessedEvent.objects.count() == 2

    def test_runs_that_fail_as_often_as_is_allowed_end_in_a_dead_letter(self, topic, settings, parcel_sent, receive):
        settings.EVENTS_CONSUMER_MAX_DELIVERIES = 2
        receive(parcel_sent, ValueError())
        topic.send(parcel_sent)
        consume_once(topic)
        consume_once(topic)
        assert (topic.pending, len(topic.dead_letters)) == ([], 1)

    def test_a_switched_off_consumer_is_no_error(self, topic, settings, parcel_sent, receive):
        settings.EVENT_BUS_REDIS_CONSUMERS_ENABLED = False
        receiver = receive(parcel_sent)
        topic.send(parcel_sent)
        consume_once(topic)
        assert receiver.calls == []

    def test_a_server_that_does_not_answer_is_an_error(self, topic, settings):
        settings.EVENT_BUS_REDIS_CONNECTION_URL = "redis://127.0.0.1:1/0"
        with pytest.raises(CommandError, match="ConnectionError"):
            consume_once(topic)


class Foreign(EventBusConsumer):
    """What somebody else's package may offer."""

    def __init__(self, topic, group_id):
        pass

    def consume_indefinitely(self):
        raise RuntimeError("marker")


class TestErrors:
    @pytest.mark.parametrize(
        ("changes", "arguments", "said"),
        [
            pytest.param({"EVENT_BUS_CONSUMER": None}, [], "EVENT_BUS_CONSUMER", id="no consumer"),
            pytest.param({"EVENT_BUS_CONSUMER": "no.such"}, [], "EVENT_BUS_CONSUMER", id="nothing there"),
            pytest.param(
                {"EVENT_BUS_REDIS_CONNECTION_URL": None}, [], "EVENT_BUS_REDIS_CONNECTION_URL", id="no server"
            ),
            pytest.param({}, ["--extra", "[]"], "JSON object", id="extra is a list"),
            pytest.param({}, ["--extra", "{"], "not JSON", id="extra is no JSON"),
            pytest.param({}, ["--extra", '{"colour": 1}'], "takes no colour", id="unknown argument"),
            pytest.param({"EVENT_BUS_CONSUMER": f"{__name__}.Foreign"}, ["--once"], "--once", id="cannot drain"),
            pytest.param({"EVENT_BUS_CONSUMER": f"{__name__}.Foreign"}, [], "because of RuntimeError", id="it failed"),
        ],
    )
    @pytest.mark.rule("events.E25")
    def test_whatever_ends_the_consumer_by_an_error_is_told(self, topic, settings, changes, arguments, said):
        for name, value in changes.items():
            setattr(settings, name, value)
        with pytest.raises(CommandError, match=said) as caught:
            call_command("consume_events", "-t", topic.name, "-g", GROUP, *arguments)
        assert "marker" not in str(caught.value)


class TestReplay:
    def test_letters_that_succeed_are_deleted_and_others_kept(self, topic, settings, parcel_sent, receive):
        settings.EVENTS_CONSUMER_MAX_DELIVERIES = 1
        receiver = receive(parcel_sent, ValueError())
        topic.send(parcel_sent, attempt=1)
        unusable = topic.send(parcel_sent, attempt=2, time="marker")
        consume_once(topic)
        assert len(topic.dead_letters) == 2

        out, err, error = replay(topic)
        assert (out, "are kept" in error) == ("0 replayed, 2 remain.\n", True)
        assert "raised ValueError" in err
        assert "marker" not in err

        receiver.answer = None
        out, err, error = replay(topic)
        assert out == "1 replayed, 1 remain.\n"
        assert err.startswith(f"{unusable}: ")
        assert [letter["dlq_id"] for letter in topic.dead_letters] == [unusable]
        assert ProcessedEvent.objects.get().group == GROUP

    def test_an_event_that_was_handled_meanwhile_has_no_second_effect(self, topic, settings, parcel_sent, receive):
        settings.EVENTS_CONSUMER_MAX_DELIVERIES = 1
        receiver = receive(parcel_sent, ValueError())
        event_id = str(uuid4())
        topic.send(parcel_sent, id=event_id)
        consume_once(topic)
        receiver.answer = None
        topic.send(parcel_sent, id=event_id)
        consume_once(topic)
        assert replay(topic) == ("1 replayed, 0 remain.\n", "", None)
        assert len(receiver.calls) == 2

    def test_without_letters_there_is_nothing_to_do(self, topic):
        assert replay(topic) == ("0 replayed, 0 remain.\n", "", None)


def test_what_is_remembered_is_forgotten_when_nothing_can_come_again(settings):
    settings.EVENTS_CONSUMER_RETENTION_DAYS = 30
    now = timezone.now()
    for days in (31, 30.01, 29.99, 0):
        ProcessedEvent.objects.create(group=GROUP, source="lms", event_id=uuid4(), processed=now - timedelta(days=days))
    purge_processed_events()
    assert ProcessedEvent.objects.count() == 2


def test_figures_are_served(topic, parcel_sent, receive):
    receive(parcel_sent)
    topic.send(parcel_sent)
    consumer = topic.consumer()
    consumer.consume_backlog()
    topic.send(parcel_sent)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve_consumer_metrics(port, "127.0.0.1", consumer)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    samples = {
        (sample.name, sample.labels.get("outcome")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["events_consumer_entries_total", "processed"] == 1
    assert samples["events_consumer_lag", None] == 1
    assert samples["events_consumer_in_hand", None] == 0
