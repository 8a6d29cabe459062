"""Every mistake in the bus's configuration stops the start, with its reason (events contract 13, 0.16)."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from events.bus import get_producer, make_single_consumer, merge_producer_configs
from events.exceptions import ProducerConfigurationError
from events.producer_config import key_of, topics_of, validate
from events.tooling import OpenEdxPublicSignal
from tests.events.outboxes import MEMORY
from tests.events.parcels import PARCEL

pytestmark = pytest.mark.rule("events.config")
CREATED = "org.openedx.learning.course.enrollment.created.v1"
PASSING = "org.openedx.learning.ccx.course.passing.status.updated.v1"
LINKED = "org.coursecredit.learning.program.enrollment.linked.v1"
GOOD = {"event_key_field": "enrollment.course.course_key", "enabled": True}
REDIS = {
    "EVENT_BUS_PRODUCER": "events.bus.redis.create_producer",
    "EVENT_BUS_REDIS_CONNECTION_URL": "redis://localhost/0",
}


def without(name):
    return {other: value for other, value in GOOD.items() if other != name}


MISTAKES = [
    pytest.param([], "must be a dict", id="config is no dict"),
    pytest.param({CREATED: []}, "dict of topics", id="entry is no dict"),
    pytest.param({"org.example.unknown.v1": {"t": GOOD}}, "no such event type", id="unknown event type"),
    pytest.param({CREATED: {"t": True}}, "topic 't': its configuration must be a dict", id="topic entry is no dict"),
    pytest.param({CREATED: {"": GOOD}}, "its name must be a text", id="topic without a name"),
    pytest.param({CREATED: {"t": without("event_key_field")}}, "event_key_field is missing", id="no key field"),
    pytest.param({CREATED: {"t": {**GOOD, "event_key_field": 1}}}, "event_key_field must be str", id="key no text"),
    pytest.param({CREATED: {"t": without("enabled")}}, "enabled is missing", id="no switch"),
    pytest.param({CREATED: {"t": {**GOOD, "enabled": 1}}}, "enabled must be bool, not int", id="switch is no bool"),
    pytest.param({CREATED: {"t": {**GOOD, "enabled": lambda: True}}}, "enabled must be bool", id="lazy switch"),
    pytest.param({CREATED: {"t": {**GOOD, "mode": "at-once"}}}, "mode must be one of", id="unknown mode"),
    pytest.param({CREATED: {"t": {**GOOD, "redact_pii": "yes"}}}, "redact_pii must be bool", id="redaction no bool"),
    *[
        pytest.param({event_type: {"t": {**GOOD, "event_key_field": path, **options}}}, reason, id=path)
        for event_type, path, options, reason in [
            (CREATED, "enrolment.course", {}, "no argument 'enrolment'"),
            (CREATED, "enrollment.course.key", {}, "no 'key'"),
            (CREATED, "enrollment.mode.name", {}, "no 'name'"),
            (CREATED, "enrollment.course", {}, "must lead to a text, an int, a UUID or a key"),
            (CREATED, "enrollment.is_active", {}, "must lead to a text"),
            (CREATED, "enrollment.creation_date", {}, "must lead to a text"),
            (CREATED, "enrollment.created_by.id", {}, "may be null at 'created_by'"),
            (PASSING, "course_passing_status.course.max_students_allowed", {}, "may be null at 'max_students_allowed'"),
            (LINKED, "program_enrollment.external_user_key", {}, "may be null"),
            (CREATED, "enrollment.user.pii.username", {"redact_pii": True}, "which redact_pii leaves empty"),
        ]
    ],
    *[
        pytest.param({f"org.openedx.learning.{name}.v1": {"t": {**GOOD, "event_key_field": "x"}}}, "not fit", id=name)
        for name in ("forum.thread.created", "ora.submission.created", "external_grader.score.submitted")
    ],
]


def signals():
    return {signal.event_type: signal for signal in OpenEdxPublicSignal.all_events()}


@pytest.mark.parametrize(("config", "reason"), MISTAKES)
def test_mistake_stops_the_start(settings, config, reason):
    settings.EVENT_BUS_PRODUCER = MEMORY
    settings.EVENT_BUS_PRODUCER_CONFIG = config
    with pytest.raises(SystemCheckError, match=reason):
        call_command("check", "--tag", "events")


@pytest.mark.parametrize(("config", "reason"), MISTAKES)
def test_mistake_is_an_error_that_names_the_event_type(config, reason):
    with pytest.raises(ProducerConfigurationError, match=reason) as error:
        validate(config, signals())
    assert error.value.event_type in (config or [""])


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(GOOD, id="plain"),
        pytest.param({**GOOD, "mode": "on-commit", "redact_pii": True}, id="all there is"),
        pytest.param({**GOOD, "comment": "ours"}, id="further keys"),
        pytest.param({**GOOD, "event_key_field": "enrollment.user.id"}, id="key is a number"),
        pytest.param({**GOOD, "event_key_field": "enrollment.user.pii.username"}, id="key is personal"),
        pytest.param({**GOOD, "enabled": False}, id="disabled"),
    ],
)
def test_good_configuration_starts(settings, entry):
    settings.EVENT_BUS_PRODUCER = MEMORY
    settings.EVENT_BUS_PRODUCER_CONFIG = {CREATED: {"t": entry}}
    call_command("check", "--tag", "events")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"EVENT_BUS_PRODUCER": None}, "EVENT_BUS_PRODUCER is not set", id="no producer"),
        pytest.param({"EVENT_BUS_PRODUCER": "nowhere.at.all"}, "cannot import", id="not importable"),
        pytest.param({"EVENT_BUS_PRODUCER": "builtins.dict"}, "makes no EventBusProducer", id="wrong type"),
        pytest.param({"EVENT_BUS_PRODUCER": "events.avro.encode"}, "failed", id="failing"),
        pytest.param({"EVENT_BUS_PRODUCER": 7}, "must be a dotted path", id="no text"),
        pytest.param(
            {"EVENT_BUS_PRODUCER": "events.bus.redis.create_producer"}, "EVENT_BUS_REDIS_CONNECTION_URL", id="no server"
        ),
        pytest.param({"EVENT_BUS_PRODUCER_MODE": "now"}, "EVENT_BUS_PRODUCER_MODE", id="unknown mode"),
        pytest.param({"EVENTS_OUTBOX_BATCH": 0}, "EVENTS_OUTBOX_BATCH", id="empty batches"),
        pytest.param({"EVENTS_OUTBOX_LEASE_SECONDS": "60"}, "EVENTS_OUTBOX_LEASE_SECONDS", id="no number"),
        pytest.param({"EVENTS_OUTBOX_BATCH": 10_001}, "EVENTS_OUTBOX_BATCH", id="batches beyond SQLite's parameters"),
        pytest.param(
            {**REDIS, "EVENTS_OUTBOX_LEASE_SECONDS": 25},
            "EVENTS_OUTBOX_LEASE_SECONDS is 25, but the bus may take 25 seconds for a batch",
            id="lease shorter than the bus may take",
        ),
        pytest.param(
            {**REDIS, "EVENT_BUS_REDIS_CONNECTION_URL": "redis://localhost/0?socket_timeout=20"},
            "LEASE_SECONDS is 60, but the bus may take 85 seconds",
            id="lease shorter than the address says",
        ),
        pytest.param({"EVENT_BUS_REDIS_STREAM_MAX_LEN": 0}, "STREAM_MAX_LEN", id="no room"),
        pytest.param({"EVENTS_OUTBOX_ON_ENCODING_ERROR": "pass"}, "ON_ENCODING_ERROR", id="silent loss"),
    ],
)
def test_bus_that_cannot_work_stops_the_start(settings, changes, reason):
    settings.EVENT_BUS_PRODUCER = MEMORY
    settings.EVENT_BUS_PRODUCER_CONFIG = {CREATED: {"t": GOOD}}
    for name, value in changes.items():
        setattr(settings, name, value)
    with pytest.raises(SystemCheckError, match=reason):
        call_command("check", "--tag", "events")


def test_lease_that_outlasts_the_bus_starts(settings):
    settings.EVENT_BUS_PRODUCER_CONFIG = {CREATED: {"t": GOOD}}
    for name, value in {**REDIS, "EVENTS_OUTBOX_LEASE_SECONDS": 26}.items():
        setattr(settings, name, value)
    call_command("check", "--tag", "events")


def test_without_topics_no_producer_is_needed(settings, caplog):
    settings.EVENT_BUS_PRODUCER = None
    call_command("check", "--tag", "events")
    get_producer().send(signal=None, topic="t", event_key_field="", event_data={}, event_metadata=None)
    assert "EVENT_BUS_PRODUCER is not set" in caplog.text


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param(None, "is not set", id="none"),
        pytest.param("nowhere.at.all", "cannot import", id="not importable"),
        pytest.param("builtins.dict", "makes no EventBusConsumer", id="wrong type"),
    ],
)
def test_consumer_that_cannot_be_made_is_an_error(settings, path, reason):
    settings.EVENT_BUS_CONSUMER = path
    with pytest.raises(ImproperlyConfigured, match=reason):
        make_single_consumer(topic="t", group_id="g")


def test_production_sends_every_fact_of_credit_and_enrollment():
    from settings.bus import PRODUCER_CONFIG  # only the service has it

    validate(PRODUCER_CONFIG, signals())
    ours = {name for name in signals() if name.startswith("org.coursecredit.learning.credit.")}
    assert ours <= set(PRODUCER_CONFIG)
    topics = {name: [*topics] for name, topics in PRODUCER_CONFIG.items() if ".course." in name and "enroll" in name}
    assert set(map(tuple, topics.values())) == {("learning-course-enrollment-lifecycle",)}
    assert len(topics) == 3


def test_merging_lets_overrides_win_and_changes_nothing():
    original = {"a": {"t": {"event_key_field": "x.y", "enabled": True, "mode": "outbox"}}, "b": {"t": dict(GOOD)}}
    overrides = {"a": {"t": {"enabled": False, "event_key_field": None}, "u": dict(GOOD)}, "c": {"t": dict(GOOD)}}
    copies = (repr(original), repr(overrides))
    assert merge_producer_configs(original, overrides) == {
        "a": {"t": {"event_key_field": "x.y", "enabled": False, "mode": "outbox"}, "u": GOOD},
        "b": {"t": GOOD},
        "c": {"t": GOOD},
    }
    assert (repr(original), repr(overrides)) == copies


@pytest.mark.parametrize(
    ("data", "path", "key"),
    [
        pytest.param({"a": {"b": 7}}, "a.b", "7", id="through a dict"),
        pytest.param({"parcel": PARCEL}, "parcel.label", PARCEL.label, id="through an object"),
        pytest.param({"a": ""}, "a", "", id="empty text"),
        pytest.param({"a": 0}, "a", "0", id="zero"),
        pytest.param({"a": "x" * 255}, "a", "x" * 255, id="as long as can be"),
    ],
)
def test_key_is_the_text_at_the_path(data, path, key):
    assert key_of(data, path) == key


@pytest.mark.parametrize("text", ["x" * 256, "a\0b"])
def test_key_that_does_not_fit_is_hashed(text):
    key = key_of({"a": text}, "a")
    assert len(key) == 64
    assert key == key_of({"a": text}, "a") != key_of({"a": f"{text}y"}, "a")


@pytest.mark.parametrize("path", ["parcel.size", "parcel.label.more", "other"])
def test_missing_step_is_named(path):
    with pytest.raises(ProducerConfigurationError) as error:
        key_of({"parcel": PARCEL}, path)
    assert repr(path) in str(error.value)
    assert repr(path.split(".")[-1]) in str(error.value)
    assert PARCEL.label not in str(error.value)


def test_topics_of_an_unknown_type_are_none():
    assert topics_of("org.example.unknown.v1") == ()
