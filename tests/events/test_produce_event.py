"""`manage.py produce_event`: one event, straight to the bus (events contract 14)."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from events.data import EventsMetadata
from events.learning.data import CourseData, CourseEnrollmentData, UserData, UserPersonalData
from events.learning.signals import COURSE_ENROLLMENT_CREATED
from events.models import OutboxEvent
from events.ports import EventBusProducer, get_producer
from tests.events.outboxes import MEMORY, bus
from tests.events.redis_bus import Topic
from tests.support import service_url

pytestmark = pytest.mark.rule("events.commands")

SIGNAL = "events.learning.signals.COURSE_ENROLLMENT_CREATED"
TOPIC = "learning-course-enrollment-lifecycle"
KEY_FIELD = "enrollment.course.course_key"
ENROLLMENT = {
    "user": {"id": 7, "is_active": True, "pii": {"username": "marker", "email": "marker@example.org"}},
    "course": {"course_key": "course-v1:Org+C101+2024", "start": "2024-01-02T03:04:05+01:00"},
    "mode": "verified",
    "is_active": False,
    "creation_date": "2024-01-02T03:04:05.678901+00:00",
    "created_by": None,
}


@pytest.fixture(autouse=True)
def _bus_in_memory(settings):
    settings.EVENT_BUS_PRODUCER = None
    settings.EVENT_BUS_PRODUCER = MEMORY


def produce(signal=SIGNAL, topic=TOPIC, key_field=KEY_FIELD, data=None, **changes):
    """Run the command; `changes` replace fields of the enrollment."""
    text = json.dumps({"enrollment": {**ENROLLMENT, **changes}}) if data is None else data
    options = ["--signal", signal, "--topic", topic, "--key-field", key_field, "--data", text]
    out = io.StringIO()
    call_command("produce_event", *options, stdout=out)
    return out.getvalue()


def test_plain_json_becomes_an_entry_as_any_producer_would_write_it():
    out = produce()
    [entry] = bus().entries
    fields = dict(entry.fields)
    assert (entry.topic, entry.key) == (TOPIC, "course-v1:Org+C101+2024")
    assert list(fields) == [
        *("type", "id", "source", "time", "minorversion", "sourcehost", "sourcelib"),
        "event_data",
    ]
    assert out == f"{fields['type']} {fields['id']} is entry 1-0.\n"


@pytest.mark.django_db
def test_what_was_sent_is_what_a_consumer_gets(settings):
    topic = Topic(service_url("redis"))
    for name, value in topic.settings.items():
        setattr(settings, name, value)
    settings.EVENT_BUS_PRODUCER = "events.bus.redis.create_producer"
    seen = []
    COURSE_ENROLLMENT_CREATED.connect(receiver := lambda **kwargs: seen.append(kwargs))
    try:
        out = produce(topic=topic.name)
        call_command("consume_events", "-t", topic.name, "-g", "readers", "--once")
    finally:
        COURSE_ENROLLMENT_CREATED.disconnect(receiver)
        topic.delete()
    [call] = seen
    sent: CourseEnrollmentData = call["enrollment"]
    metadata: EventsMetadata = call["metadata"]
    assert sent.user == UserData(7, True, UserPersonalData("marker", "marker@example.org"))
    assert isinstance(sent.course, CourseData)
    assert sent.course.start.isoformat() == "2024-01-02T02:04:05+00:00"
    assert (sent.mode, sent.is_active, sent.created_by) == ("verified", False, None)
    assert out.split()[:2] == [metadata.event_type, str(metadata.id)]


@pytest.mark.django_db
def test_neither_outbox_nor_receivers_are_asked(receive):
    receiver = receive(COURSE_ENROLLMENT_CREATED)
    try:
        produce()
    finally:
        COURSE_ENROLLMENT_CREATED.disconnect(receiver)
    assert (receiver.calls, OutboxEvent.objects.count()) == ([], 0)


def test_extra_fields_follow_if_so_wished(settings):
    settings.EVENT_BUS_REDIS_EXTRA_FIELDS = True
    produce()
    assert dict(bus().entries[0].fields)["eventkey"] == "course-v1:Org+C101+2024"


class Foreign(EventBusProducer):
    """What somebody else's package may offer: it takes objects and says nothing."""

    def __init__(self):
        self.calls = []

    def send(self, **named):
        self.calls.append(named)
        if named["topic"] == "broken":
            raise ConnectionError("marker")


def test_a_producer_from_elsewhere_is_given_objects(settings):
    settings.EVENT_BUS_PRODUCER = f"{__name__}.Foreign"
    out = produce()
    [call] = get_producer().calls
    assert call["event_data"]["enrollment"].course.course_key.org == "Org"
    assert (call["topic"], call["event_key_field"]) == (TOPIC, KEY_FIELD)
    assert out == f"{call['event_metadata'].event_type} {call['event_metadata'].id} was given to the producer.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param({"signal": "events.learning.signals.NO_SUCH"}, "--signal", id="no such signal"),
        pytest.param({"signal": "events.learning.data.UserData"}, "is no public signal", id="no signal"),
        pytest.param({"signal": "events"}, "--signal", id="no path"),
        pytest.param({"data": "{marker"}, "--data is not JSON", id="no JSON"),
        pytest.param({"data": '["marker"]'}, "--data must be a JSON object", id="a list"),
        pytest.param({"data": "{}"}, "exactly: enrollment", id="argument missing"),
        pytest.param({"data": '{"enrollment": {}, "colour": 1}'}, "exactly: enrollment", id="argument too many"),
        pytest.param({"data": '{"enrollment": {}}'}, "enrollment does not fit", id="fields missing"),
        pytest.param({"data": '{"enrollment": null}'}, "enrollment does not fit", id="null"),
        pytest.param({"colour": "marker"}, "enrollment does not fit", id="unknown field"),
        pytest.param({"mode": 1}, "enrollment.mode", id="number for text"),
        pytest.param({"mode": None}, "enrollment.mode", id="null for text"),
        pytest.param({"mode": "\ud800"}, "enrollment.mode", id="text that is no Unicode"),
        pytest.param({"is_active": "marker"}, "enrollment.is_active", id="text for a flag"),
        pytest.param({"course": {"course_key": "marker"}}, "enrollment.course.course_key", id="no key"),
        pytest.param({"course": "marker"}, "enrollment.course", id="text for a record"),
        pytest.param({"creation_date": "marker"}, "enrollment.creation_date", id="no time"),
        pytest.param({"creation_date": "2024-01-02T03:04:05"}, "enrollment.creation_date", id="naive time"),
        pytest.param({"mode": "marker" * 20_000}, "65536", id="too long"),
        pytest.param({"key_field": "enrollment.user.nick"}, "nick", id="no such key field"),
        pytest.param(
            {"signal": "events.learning.signals.FORUM_THREAD_CREATED", "data": '{"thread": {}}'},
            "other services cannot read org.openedx.learning.forum.thread.created.v1",
            id="not fit for a bus",
        ),
    ],
)
def test_a_mistake_is_told_and_not_quoted(arguments, said):
    with pytest.raises(CommandError, match=said) as refusal:
        produce(**arguments)
    assert "marker" not in str(refusal.value)
    assert bus().entries == []


@pytest.mark.parametrize(
    ("producer", "topic", "said"),
    [
        pytest.param(None, TOPIC, "EVENT_BUS_PRODUCER is not set", id="no bus"),
        pytest.param("no.such.thing", TOPIC, "EVENT_BUS_PRODUCER", id="nothing there"),
        pytest.param(f"{__name__}.Foreign", "broken", "ConnectionError", id="it failed"),
    ],
)
def test_without_a_bus_it_fails(settings, producer, topic, said):
    settings.EVENT_BUS_PRODUCER = producer
    with pytest.raises(CommandError, match=said) as refusal:
        produce(topic=topic)
    assert "marker" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda: setattr(bus(), "is_down", True), "did not reach the bus", id="down"),
        pytest.param(lambda: setattr(bus(), "refuses", lambda entry: True), "did not reach the bus", id="refused"),
    ],
)
def test_a_bus_that_does_not_take_the_event_is_a_failure(change, said):
    change()
    with pytest.raises(CommandError, match=said):
        produce()


@pytest.mark.parametrize("missing", ["--signal", "--topic", "--key-field", "--data"])
def test_every_option_is_needed(missing):
    options = {"--signal": SIGNAL, "--topic": TOPIC, "--key-field": KEY_FIELD, "--data": "{}"}
    del options[missing]
    with pytest.raises(CommandError, match=missing):
        call_command("produce_event", *(text for pair in options.items() for text in pair))
