"""Who told what when (events contract 5)."""

import json
import pickle
import socket
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid1
from zoneinfo import ZoneInfo

import attrs
import pytest
import time_machine

from events.data import SOURCELIB, EventsMetadata, release

TYPE = "org.openedx.learning.course.enrollment.created.v1"
MOMENT = datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
GOLDEN = EventsMetadata(
    TYPE,
    UUID("b3b3981e-7544-11ea-b663-acde48001122"),
    0,
    "openedx/lms/web",
    "edx.devstack.lms",
    MOMENT,
    (10, 5, 0),
)
GOLDEN_JSON = (
    '{"event_type": "org.openedx.learning.course.enrollment.created.v1", '
    '"id": "b3b3981e-7544-11ea-b663-acde48001122", "minorversion": 0, "source": "openedx/lms/web", '
    '"sourcehost": "edx.devstack.lms", "time": "2024-01-02T03:04:05.678901+00:00", "sourcelib": [10, 5, 0]}'
)


def test_fields_stand_in_the_order_of_the_contract():
    assert [field.name for field in attrs.fields(EventsMetadata)] == [
        "event_type", "id", "minorversion", "source", "sourcehost", "time", "sourcelib",
    ]  # fmt: skip


@pytest.mark.parametrize("given", [{}, dict.fromkeys(attrs.fields_dict(EventsMetadata).keys() - {"event_type"})])
def test_everything_but_the_type_has_a_default_and_none_asks_for_it(given):
    with time_machine.travel(MOMENT, tick=False):
        metadata = EventsMetadata(TYPE, **given)
    assert attrs.asdict(metadata) == {
        "event_type": TYPE,
        "id": metadata.id,
        "minorversion": 0,
        "source": "openedx/SERVICE_NAME_UNSET/web",
        "sourcehost": socket.gethostname(),
        "time": MOMENT,
        "sourcelib": SOURCELIB,
    }
    assert metadata.time.tzinfo is UTC


@pytest.mark.rule("events.E6")
def test_id_is_random():
    assert EventsMetadata(TYPE).id.version == 4
    assert EventsMetadata(TYPE).id != EventsMetadata(TYPE).id


def test_id_of_any_version_is_accepted():
    given = uuid1()
    assert EventsMetadata(TYPE, id=given).id == given


@pytest.mark.parametrize(
    ("service_name", "service_variant", "source"),
    [
        pytest.param("credit", "lms", "openedx/credit/web", id="own name first"),
        pytest.param(None, "lms", "openedx/lms/web", id="the variant without it"),
        pytest.param("", "lms", "openedx/lms/web", id="the variant if it is empty"),
        pytest.param(None, None, "openedx/SERVICE_NAME_UNSET/web", id="neither"),
    ],
)
def test_source_names_the_service(settings, service_name, service_variant, source):
    settings.EVENTS_SERVICE_NAME = service_name
    settings.SERVICE_VARIANT = service_variant
    assert EventsMetadata(TYPE).source == source


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_type", None),
        ("event_type", 1),
        ("id", "b3b3981e-7544-11ea-b663-acde48001122"),
        ("minorversion", "0"),
        ("source", b"openedx/lms/web"),
        ("sourcehost", 1),
        ("time", "2024-01-02T03:04:05+00:00"),
        ("time", MOMENT.date()),
        ("sourcelib", [10, 5, 0]),
        ("sourcelib", ("10", "5", "0")),
        ("sourcelib", "10.5.0"),
    ],
)
def test_value_of_another_type_is_refused(field, value):
    with pytest.raises(TypeError):
        EventsMetadata(**{"event_type": TYPE, field: value})


@pytest.mark.rule("events.E7")
@pytest.mark.parametrize(
    "zone",
    [
        pytest.param(UTC, id="UTC"),
        pytest.param(ZoneInfo("UTC"), id="UTC of another class"),
        pytest.param(ZoneInfo("America/New_York"), id="a place"),
        pytest.param(timezone(timedelta(hours=5, minutes=30)), id="an offset"),
    ],
)
def test_aware_time_is_stored_in_utc(zone):
    time = EventsMetadata(TYPE, time=MOMENT.astimezone(zone)).time
    assert time == MOMENT
    assert time.tzinfo is UTC


@pytest.mark.rule("events.E7")
@pytest.mark.parametrize(
    "time",
    [
        pytest.param(MOMENT.replace(tzinfo=None), id="naive"),
        pytest.param(datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), id="beyond the last year of UTC"),
    ],
)
def test_time_that_is_no_moment_is_refused(time):
    with pytest.raises(ValueError, match="time of an event"):
        EventsMetadata(TYPE, time=time)


def test_metadata_is_frozen():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        GOLDEN.source = "elsewhere"


def test_metadata_survives_pickling():
    assert pickle.loads(pickle.dumps(GOLDEN)) == GOLDEN


def test_metadata_can_be_copied_with_changes():
    assert attrs.evolve(GOLDEN, minorversion=1) == EventsMetadata.from_json(
        GOLDEN_JSON.replace('"minorversion": 0', '"minorversion": 1')
    )


def test_json_is_that_of_the_contract():
    assert GOLDEN.to_json() == GOLDEN_JSON
    assert EventsMetadata.from_json(GOLDEN_JSON) == GOLDEN


def test_json_data_has_id_and_time_as_text():
    assert GOLDEN.to_json_data() == {**json.loads(GOLDEN_JSON), "sourcelib": (10, 5, 0)}


@pytest.mark.rule("events.E8")
def test_minor_version_survives_json():
    metadata = EventsMetadata(TYPE, minorversion=3)
    assert EventsMetadata.from_json(metadata.to_json()) == metadata


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"event_type": "a"}', GOLDEN_JSON.replace("b3b3", "zzzz")])
def test_text_that_is_no_metadata_is_refused(text):
    with pytest.raises((KeyError, TypeError, ValueError)):
        EventsMetadata.from_json(text)


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("1.2.3", (1, 2, 3)),
        ("1.2.3rc1", (1, 2, 3)),
        ("1.2rc1", (1, 2, 0)),
        ("1.2.3.dev4+g5f", (1, 2, 3)),
        ("1.2.3.4", (1, 2, 3)),
        ("7", (7, 0, 0)),
        ("unknown", (0, 0, 0)),
    ],
)
def test_library_version_is_three_numbers(version, numbers):
    assert release(version) == numbers
