"""What stands on a real Redis after publishing (events contract 12, 0.4, 0.10)."""

import logging
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from opaque_keys.edx.keys import CourseKey

from events.bus import BusUnavailable, Entry, EntryHeld, EntryRefused
from events.bus.redis import create_producer
from events.bus.redis.producer import _result
from events.data import EventsMetadata
from events.learning.data import CourseData, CourseEnrollmentData, UserData, UserPersonalData
from events.learning.signals import COURSE_ENROLLMENT_CREATED
from tests.support import service_url

MARKER = "ada@example.org"
MOMENT = datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
METADATA = EventsMetadata(
    event_type=COURSE_ENROLLMENT_CREATED.event_type,
    id=UUID("b3b3981e-7544-11ea-b663-acde48001122"),
    source="openedx/lms/web",
    sourcehost="edx.devstack.lms",
    time=MOMENT,
    sourcelib=(10, 5, 0),
)
COURSE = CourseData(CourseKey.from_string("course-v1:Org+C101+2024"), "Intro")
USER = UserData(id=7, is_active=True, pii=UserPersonalData("ada", MARKER, "Ada L"))
ENROLLMENT = CourseEnrollmentData(USER, COURSE, "verified", True, MOMENT)
GOLDEN = bytes.fromhex(
    "0e01066164611e616461406578616d706c652e6f72670a416461204c2e636f757273652d76313a4f72672b433130312b323032340a496e74"
    "726f00001076657269666965640140323032342d30312d30325430333a30343a30352e3637383930312b30303a303000"
)
pytestmark = pytest.mark.rule("events.redis")


@pytest.fixture
def server(settings):
    """Redis, under keys of this test's own."""
    settings.EVENT_BUS_REDIS_CONNECTION_URL = service_url("redis")
    settings.EVENT_BUS_TOPIC_PREFIX = f"test-{uuid4().hex}"
    client = redis.Redis.from_url(settings.EVENT_BUS_REDIS_CONNECTION_URL)
    yield client
    for key in client.scan_iter(f"{settings.EVENT_BUS_TOPIC_PREFIX}*"):
        client.delete(key)
    client.close()


@pytest.fixture
def stream(settings, server):
    """Return the entries of a topic's stream."""
    return lambda topic="t": [fields for _, fields in server.xrange(f"{settings.EVENT_BUS_TOPIC_PREFIX}-{topic}")]


def entry(number=0, *, topic="t", key="k"):
    return Entry(topic, key, [("type", "x"), ("event_data", str(number).encode())])


def send(**changes):
    options = {
        "signal": COURSE_ENROLLMENT_CREATED,
        "topic": "t",
        "event_key_field": "enrollment.course.course_key",
        "event_data": {"enrollment": ENROLLMENT},
        "event_metadata": METADATA,
    }
    create_producer().send(**{**options, **changes})


def test_golden_entry(stream):
    send()
    assert [list(fields.items()) for fields in stream()] == [
        [
            (b"type", b"org.openedx.learning.course.enrollment.created.v1"),
            (b"id", b"b3b3981e-7544-11ea-b663-acde48001122"),
            (b"source", b"openedx/lms/web"),
            (b"time", b"2024-01-02T03:04:05.678901+00:00"),
            (b"minorversion", b"0"),
            (b"sourcehost", b"edx.devstack.lms"),
            (b"sourcelib", b"10.5.0"),
            (b"event_data", GOLDEN),
        ]
    ]


def test_extra_fields_follow_the_payload(settings, stream):
    settings.EVENT_BUS_REDIS_EXTRA_FIELDS = True
    send()
    assert list(stream()[0].items())[8:] == [
        (b"specversion", b"1.0"),
        (b"datacontenttype", b"application/avro"),
        (b"eventkey", b"course-v1:Org+C101+2024"),
    ]


def test_results_are_the_entries_ids_in_order(settings, server, stream):
    entries = [entry(n, topic=f"t{n % 2}", key=str(n % 3)) for n in range(7)]
    results = create_producer().publish(entries)
    for topic in ("t0", "t1"):
        ids = [id.decode() for id, _ in server.xrange(f"{settings.EVENT_BUS_TOPIC_PREFIX}-{topic}")]
        assert ids == [result for one, result in zip(entries, results, strict=True) if one.topic == topic]
    assert [fields[b"event_data"] for fields in stream("t1")] == [b"1", b"3", b"5"]


def test_without_prefix_the_topic_is_the_stream(settings, server):
    name = settings.EVENT_BUS_TOPIC_PREFIX
    settings.EVENT_BUS_TOPIC_PREFIX = None
    create_producer().publish([entry(topic=name)])
    assert server.xlen(name) == 1
    settings.EVENT_BUS_TOPIC_PREFIX = name  # for the clean-up


@pytest.mark.parametrize(("length", "is_trimmed"), [(100, True), (None, False)])
def test_length_of_the_stream_is_a_setting_that_is_read_when_used(settings, stream, length, is_trimmed):
    producer = create_producer()
    settings.EVENT_BUS_REDIS_STREAM_MAX_LEN = length
    producer.publish([entry(n) for n in range(500)])
    assert (len(stream()) < 500) is is_trimmed


def test_stream_that_is_none_refuses_and_holds_what_is_behind(settings, server, stream):
    server.set(f"{settings.EVENT_BUS_TOPIC_PREFIX}-wrong", "x")
    entries = [entry(0, topic="wrong"), entry(1), entry(2, topic="wrong"), entry(3, topic="wrong", key="other")]
    refused, taken, held, other = create_producer().publish(entries)
    assert isinstance(refused, EntryRefused)
    assert str(refused).startswith("WRONGTYPE")
    assert isinstance(taken, str)
    assert isinstance(held, EntryHeld)
    assert isinstance(other, EntryRefused), "of another key, so it was tried"


def test_script_that_the_server_has_forgotten_is_loaded_again(server, stream):
    producer = create_producer()
    producer.publish([entry(0)])
    server.script_flush()
    producer.publish([entry(1), entry(2, topic="u")])
    assert (len(stream()), len(stream("u"))) == (2, 1)


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        pytest.param("1-0", str, "1-0", id="taken"),
        pytest.param("", EntryHeld, "", id="held"),
        pytest.param(
            "!WRONGTYPE Operation … script: 1, on @user_script:1.", EntryRefused, "WRONGTYPE Operation …", id="7"
        ),
        pytest.param("!@user_script: 9: -OOM command not allowed", BusUnavailable, "OOM", id="6"),
        *[
            pytest.param(f"!{word} whatever script: 1", BusUnavailable, word, id=word)
            for word in ("OOM", "LOADING", "READONLY", "MISCONF", "NOAUTH", "CLUSTERDOWN", "NOPERM")
        ],
        pytest.param(
            "!ERR The user executing the script can't run this command", BusUnavailable, "NOPERM", id="no right to add"
        ),
    ],
)
def test_replies_tell_an_entrys_fault_from_the_servers(reply, kind, text):
    result = _result(reply)
    assert isinstance(result, kind)
    assert str(result) == text


def test_server_that_is_away_is_named_without_its_address(settings):
    settings.EVENT_BUS_REDIS_CONNECTION_URL = "redis://:secret@127.0.0.1:1/0"
    with pytest.raises(BusUnavailable) as error:
        create_producer().publish([entry()])
    assert "secret" not in str(error.value) + repr(error.value)
    assert "127.0.0.1" not in str(error.value)


@pytest.fixture
def account(settings, server):
    """An account of the server's that has the rights given, and no other."""
    name = f"test-{uuid4().hex}"

    def use(*rights):
        server.execute_command("ACL", "SETUSER", name, "on", ">secret", *rights)
        settings.EVENT_BUS_REDIS_CONNECTION_URL = service_url("redis").replace("//", f"//{name}:secret@")

    yield use
    server.execute_command("ACL", "DELUSER", name)


@pytest.mark.parametrize(
    ("rights", "reason"),
    [
        pytest.param(["~*", "+@all", "-xadd"], "NOPERM", id="to add"),
        pytest.param(["~other", "+@all"], "NoPermissionError", id="to this stream"),
    ],
)
def test_right_that_is_missing_counts_against_no_entry(account, rights, reason):
    account(*rights)
    [result] = create_producer().publish([entry()])
    assert (type(result), str(result)) == (BusUnavailable, reason)


def test_address_that_cannot_be_read_is_not_quoted(settings):
    settings.EVENT_BUS_REDIS_CONNECTION_URL = "redis://:sec/ret@127.0.0.1:6379/0"
    with pytest.raises(ImproperlyConfigured, match="EVENT_BUS_REDIS_CONNECTION_URL") as error:
        create_producer()
    assert "sec" not in str(error.value)
    assert error.value.__suppress_context__


@pytest.mark.parametrize("is_on", [True, False])
def test_audit_line_names_the_event_and_shows_no_payload(settings, server, caplog, is_on):
    caplog.set_level(logging.DEBUG)
    settings.EVENT_BUS_REDIS_AUDIT_LOGGING_ENABLED = is_on
    send()
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("audit")]
    assert len(lines) == is_on
    assert all(str(METADATA.id) in line and f"{settings.EVENT_BUS_TOPIC_PREFIX}-t" in line for line in lines)
    assert MARKER not in caplog.text


def test_group_lag_is_that_of_the_slowest(settings, server):
    producer = create_producer()
    producer.publish([entry(n) for n in range(3)])
    stream = f"{settings.EVENT_BUS_TOPIC_PREFIX}-t"
    server.xgroup_create(stream, "slow", id="0")
    server.xgroup_create(stream, "quick", id="$")
    assert producer.greatest_group_lag(["t", "nothing"]) == 3
