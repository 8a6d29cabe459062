"""Metadata in the fields of a Redis Streams entry (events contract 0.11, 11, 12.1)."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import pytest

from events import headers
from events.data import EventsMetadata
from events.exceptions import EventDeserializationError
from tests.events.records import CATALOGUE

pytestmark = pytest.mark.database("sqlite")  # nothing here uses one, so once is enough

VECTOR = CATALOGUE["headers_vector"]
PAYLOAD = bytes.fromhex(CATALOGUE["examples"][0]["hex"])
METADATA = EventsMetadata(
    event_type="org.openedx.learning.course.enrollment.created.v1",
    id=UUID("b3b3981e-7544-11ea-b663-acde48001122"),
    source="openedx/lms/web",
    sourcehost="edx.devstack.lms",
    time=datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    sourcelib=(10, 5, 0),
)
GOLDEN = [
    ("type", "org.openedx.learning.course.enrollment.created.v1"),
    ("id", "b3b3981e-7544-11ea-b663-acde48001122"),
    ("source", "openedx/lms/web"),
    ("time", "2024-01-02T03:04:05.678901+00:00"),
    ("minorversion", "0"),
    ("sourcehost", "edx.devstack.lms"),
    ("sourcelib", "10.5.0"),
]
STREAM, ENTRY = "dev-learning-course-enrollment-lifecycle", "1704164645678-3"


def read(**changes: bytes | None) -> EventsMetadata:
    """Read the golden headers with some of them changed, or left out for None."""
    fields = {name.encode(): text.encode() for name, text in GOLDEN}
    fields |= {name.encode(): raw for name, raw in changes.items() if raw is not None}
    for name in [name for name, raw in changes.items() if raw is None]:
        del fields[name.encode()]
    return headers.from_fields(fields, stream=STREAM, entry_id=ENTRY)


def test_headers_are_those_of_the_contract_in_its_order():
    assert headers.to_fields(METADATA) == GOLDEN == list(VECTOR["redis_fields"].items())


def test_golden_entry_has_the_headers_and_then_the_payload():
    assert headers.entry_fields(METADATA, PAYLOAD) == [*GOLDEN, ("event_data", PAYLOAD)]
    assert len(PAYLOAD) == 104


@pytest.mark.rule("events.E20")
@pytest.mark.parametrize("key", ["course-v1:Org+C101+2024", ""])
def test_extra_fields_follow_the_payload(key):
    assert headers.entry_fields(METADATA, PAYLOAD, event_key=key)[7:] == [
        ("event_data", PAYLOAD),
        ("specversion", "1.0"),
        ("datacontenttype", "application/avro"),
        ("eventkey", key),
    ]


@pytest.mark.parametrize(
    "metadata",
    [
        METADATA,
        EventsMetadata("org.example.v1", id=uuid4(), minorversion=3, source="é", sourcehost="h", sourcelib=(1,)),
        EventsMetadata("org.example.v1", time=datetime(2024, 1, 2, tzinfo=UTC), sourcelib=(1, 2, 3, 4)),
    ],
)
def test_headers_give_the_same_metadata_again(metadata):
    fields = {name.encode(): text.encode() for name, text in headers.to_fields(metadata)}
    assert headers.from_fields(fields, stream=STREAM, entry_id=ENTRY) == metadata


def test_other_fields_are_ignored():
    assert read(event_data=b"\xff", eventkey=b"\xff", unknown=b"") == METADATA


class TestAbsentHeaders:
    """An empty value counts as absent, and what is taken instead is the same for every reader."""

    @pytest.mark.parametrize("absent", [None, b""], ids=["absent", "empty"])
    @pytest.mark.parametrize(
        ("name", "attribute", "value"),
        [
            ("id", "id", uuid5(NAMESPACE_URL, f"redis-stream:{STREAM}/{ENTRY}")),
            ("source", "source", ""),
            ("time", "time", datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)),
            ("minorversion", "minorversion", 0),
            ("sourcehost", "sourcehost", ""),
            ("sourcelib", "sourcelib", ()),
        ],
    )
    def test_value_that_is_taken(self, absent, name, attribute, value):
        assert getattr(read(**{name: absent}), attribute) == value

    @pytest.mark.parametrize("absent", [None, b""], ids=["absent", "empty"])
    def test_type_is_required(self, absent):
        with pytest.raises(EventDeserializationError, match="type: is missing"):
            read(type=absent)

    def test_time_of_an_entry_whose_writer_chose_its_id(self):
        metadata = headers.from_fields({b"type": b"org.example.v1"}, stream=STREAM, entry_id=f"{2**64 - 1}-0")
        assert metadata.time.year == 9999

    def test_ids_of_two_entries_differ(self):
        only_type = {b"type": b"org.example.v1"}
        first, second, elsewhere = (
            headers.from_fields(only_type, stream=stream, entry_id=entry).id
            for stream, entry in [(STREAM, ENTRY), (STREAM, "1704164645678-4"), ("prod-other", ENTRY)]
        )
        assert len({first, second, elsewhere}) == 3


@pytest.mark.parametrize("text", [b"2024-01-02T03:04:05.678901Z", b"2024-01-02T05:04:05.678901+02:00"])
def test_every_aware_time_is_read_into_utc(text):
    time = read(time=text).time
    assert (time, time.tzinfo) == (METADATA.time, UTC)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("type", b"\xff"),
        ("type", b"org.example\0"),
        ("type", b"a" * 256),
        ("id", b"\xff"),
        ("id", b"secret"),
        ("source", b"\xff"),
        ("source", b"secret\0"),
        ("source", b"secret" * 50),
        ("time", b"secret"),
        ("time", b"2024-01-02T03:04:05"),
        ("time", b"0001-01-01T00:00:00+01:00"),
        ("minorversion", b"secret"),
        ("minorversion", b"-1"),
        ("minorversion", b"1_0"),
        ("minorversion", b"9" * 200),
        ("sourcehost", b"\xff"),
        ("sourcelib", b"10.5.secret"),
        ("sourcelib", b"10..5"),
        ("sourcelib", b"\xd9\xa1"),  # a digit, but not of these ten
    ],
)
def test_header_that_is_not_what_it_holds_is_refused_and_not_shown(name, raw):
    with pytest.raises(EventDeserializationError, match=f"{name}: is not what this header holds") as refused:
        read(**{name: raw})
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None
