"""Payloads have exactly the bytes and schemas of the contract, and nothing is coerced (events contract 10)."""

import io
import threading
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any, Optional
from uuid import UUID

import attrs
import fastavro
import pytest
from ccx_keys.locator import CCXLocator
from django.db.models import TextChoices
from fastavro.schema import fingerprint as reference_fingerprint
from fastavro.schema import to_parsing_canonical_form
from opaque_keys.edx.keys import CourseKey, UsageKey
from opaque_keys.edx.locator import (
    CourseLocator,
    LibraryCollectionLocator,
    LibraryContainerLocator,
    LibraryLocatorV2,
    LibraryUsageLocatorV2,
)

from events import avro
from events.exceptions import EventDeserializationError, EventSerializationError
from events.learning.data import CcxCoursePassingStatusData, UserData, UserNonPersonalData
from events.learning.signals import (
    CCX_COURSE_PASSING_STATUS_UPDATED,
    COURSE_ENROLLMENT_CREATED,
    COURSE_PASSING_STATUS_UPDATED,
    USER_NOTIFICATION_REQUESTED,
)
from events.tooling import OpenEdxPublicSignal
from tests.events import stringly
from tests.events.records import CATALOGUE, DESCRIBED, OWN, built, class_named, example

pytestmark = pytest.mark.database("sqlite")  # nothing here uses one, so once is enough

TYPE = "org.example.payload.encoded.v1"
MOMENT = datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
VECTORS = [
    pytest.param(class_named(name), vector, id=f"{name} {vector['case']}")
    for name, described in DESCRIBED.items()
    for vector in described.get("vectors", [])
]
ENCODABLE = [name for name, described in DESCRIBED.items() if described.get("avro")]


class Mode(TextChoices):
    AUDIT = "audit"


class Number(IntEnum):
    ONE = 1


def signal_of(**arguments: Any) -> OpenEdxPublicSignal:
    """Return a signal whose payload is what the test is about."""
    return OpenEdxPublicSignal(TYPE, arguments)


def holding(annotation: Any, **options: Any) -> OpenEdxPublicSignal:
    """Return a signal with one argument `box`, whose only field is `value`."""
    box = attrs.make_class("Box", {"value": attrs.field(type=annotation, **options)}, frozen=True)
    return signal_of(box=box)


def boxed(signal: OpenEdxPublicSignal, value: Any) -> dict[str, Any]:
    return {"box": signal.init_data["box"](value)}


class TestGolden:
    @pytest.mark.parametrize(("cls", "vector"), VECTORS)
    def test_record_has_the_bytes_of_the_contract(self, cls, vector):
        assert avro.encode(signal_of(value=cls), {"value": built(cls, vector["record"])}).hex() == vector["hex"]

    @pytest.mark.rule("events.E19")
    @pytest.mark.parametrize(("cls", "vector"), VECTORS)
    def test_bytes_give_an_equal_object_with_its_falsy_values(self, cls, vector):
        decoded = avro.decode(signal_of(value=cls), bytes.fromhex(vector["hex"]))
        assert decoded == {"value": built(cls, vector["record"])}

    def test_there_are_two_vectors_for_each_class_that_the_reference_can_encode(self):
        assert len(VECTORS) == 2 * (30 + len(OWN["classes"]))

    @pytest.mark.parametrize("golden", CATALOGUE["examples"], ids=lambda golden: golden["event_type"])
    def test_examples_of_the_contract(self, golden):
        signal = OpenEdxPublicSignal.get_signal_by_type(golden["event_type"])
        data = {name: built(cls, golden["record"][name]) for name, cls in signal.init_data.items()}
        assert avro.encode(signal, data).hex() == golden["hex"]
        assert avro.decode(signal, bytes.fromhex(golden["hex"])) == data
        assert without_doc(avro.schema(signal)) == golden["schema"]


class TestSchema:
    @pytest.mark.parametrize("name", ENCODABLE)
    def test_class_has_the_schema_of_the_contract(self, name):
        (field,) = avro.schema(signal_of(value=class_named(name)))["fields"]
        assert field == {"name": "value", "type": DESCRIBED[name]["avro"]}

    def test_every_signal_on_the_bus_is_made_of_such_classes(self):
        ours = [signal for signal in OpenEdxPublicSignal.all_events() if signal.module.startswith("events.")]
        signals = [signal for signal in ours if avro.is_fit_for_bus(signal)]
        assert len(signals) == 46 - 8 + 13
        for signal in signals:
            ((argument, cls),) = signal.init_data.items()
            assert without_doc(avro.schema(signal)) == {
                "name": "CloudEvent",
                "type": "record",
                "namespace": signal.event_type,
                "fields": [{"name": argument, "type": DESCRIBED[cls.__name__]["avro"]}],
            }

    def test_class_that_comes_again_is_named(self):
        first, second = avro.schema(signal_of(one=UserNonPersonalData, two=UserNonPersonalData))["fields"]
        assert (first["type"]["name"], second["type"]) == ("UserNonPersonalData", "UserNonPersonalData")

    def test_schema_is_the_callers_to_change(self):
        avro.schema(COURSE_ENROLLMENT_CREATED)["fields"].clear()
        assert avro.schema(COURSE_ENROLLMENT_CREATED)["fields"] != []

    @pytest.mark.parametrize("name", ENCODABLE)
    def test_fingerprint_is_the_sha_256_of_avros_canonical_form(self, name):
        signal = signal_of(value=class_named(name))
        canonical = to_parsing_canonical_form(avro.schema(signal))
        assert avro.fingerprint(signal) == reference_fingerprint(canonical, "SHA-256")

    @pytest.mark.rule("events.E2")
    def test_annotations_may_be_strings(self):
        signal = signal_of(letter=stringly.Letter)
        data = {"letter": stringly.Letter("hello", stringly.Stamp(3), MOMENT)}
        assert avro.decode(signal, avro.encode(signal, data)) == data

    @pytest.mark.rule("events.E2")
    def test_annotation_that_names_nothing_is_said_to(self):
        with pytest.raises(EventSerializationError, match="letter: an annotation of Lost names what cannot be found"):
            avro.schema(signal_of(letter=stringly.Lost))

    @pytest.mark.rule("events.E3")
    @pytest.mark.parametrize(
        ("annotation", "why"),
        [
            (list, "must say what it holds"),
            (dict, "must say what it holds"),
            (dict[int, str], "its keys are str"),
            (list[datetime], "cannot hold datetime"),
            (list[CourseKey], "cannot hold CourseKey"),
            (list[UserData], "cannot hold UserData"),
            (list[list[int]], r"cannot hold list\[int\]"),
            (dict[str, UUID], "cannot hold UUID"),
            (int | None, "a union has no encoding"),
            (Optional[int], "a union has no encoding"),  # noqa: UP045  # the old form is another class
            (date, "date has no encoding"),
            (Decimal, "Decimal has no encoding"),
            (set, "set has no encoding"),
            (tuple, "tuple has no encoding"),
            (Mode, "Mode has no encoding"),
            (Any, "Any has no encoding"),
            (None, "None has no encoding"),
            (CourseLocator, "the key classes that have are CourseKey, UsageKey"),
        ],
    )
    def test_type_without_an_encoding_is_unfit_for_the_bus(self, annotation, why):
        signal = holding(annotation)
        assert not avro.is_fit_for_bus(signal)
        with pytest.raises(EventSerializationError, match=rf"{TYPE}: box\.value: .*{why}"):
            avro.schema(signal)
        with pytest.raises(EventSerializationError, match=why):
            avro.encode(signal, boxed(signal, None))
        with pytest.raises(EventDeserializationError, match=why):
            avro.decode(signal, b"")

    def test_class_that_contains_itself_has_no_encoding(self):
        with pytest.raises(EventSerializationError, match="Chain contains itself"):
            avro.schema(signal_of(chain=stringly.Chain))

    def test_two_classes_of_one_name_have_no_common_encoding(self):
        other = attrs.make_class("UserData", {"id": attrs.field(type=int)})
        with pytest.raises(EventSerializationError, match="UserData: several classes of the event have this name"):
            avro.schema(signal_of(one=UserData, two=other))

    def test_field_that_the_constructor_does_not_take_has_no_encoding(self):
        with pytest.raises(EventSerializationError, match=r"box\.value: the constructor does not take it"):
            avro.schema(holding(int, init=False, default=1))

    def test_event_within_a_process_cannot_be_encoded(self):
        with pytest.raises(EventSerializationError, match=r"notification_data\.context"):
            avro.encode(USER_NOTIFICATION_REQUESTED, {})


KEY = CourseKey.from_string("course-v1:Org+C101+2024")


class TestValues:
    @pytest.mark.parametrize(
        ("annotation", "value", "raw"),
        [
            (str, "", "00"),
            (str, "é✓", "0ac3a9e29c93"),
            (str, "\0", "0200"),
            (str, "a" * 64, "8001" + "61" * 64),
            (bool, False, "00"),
            (bool, True, "01"),
            (int, 0, "00"),
            (int, -1, "01"),
            (int, 63, "7e"),
            (int, -64, "7f"),
            (int, 64, "8001"),
            (int, 2**63 - 1, "feffffffffffffffff01"),
            (int, -(2**63), "ffffffffffffffffff01"),
            (float, 0.5, "000000000000e03f"),
            (float, float("inf"), "000000000000f07f"),
            (bytes, b"\xff", "02ff"),
            (UUID, UUID(int=10), "48" + b"00000000-0000-0000-0000-00000000000a".hex()),
            (datetime, datetime(2024, 1, 2, tzinfo=UTC), "32" + b"2024-01-02T00:00:00+00:00".hex()),
            (list[str], [], "00"),
            (list[str], ["a", ""], "0402610000"),
            (list[int], [64, -1], "0480010100"),
            (list[bool], [False], "020000"),
            (list[float], [0.5], "02000000000000e03f00"),
            (dict[str, str], {}, "00"),
            (dict[str, int], {"b": 1, "a": 2}, "0402610402620200"),
            (CourseKey, CourseKey.from_string("Org/C101/2024"), "1a" + b"Org/C101/2024".hex()),
            (CourseKey, CourseKey.from_string("library-v1:Org+Lib"), "24" + b"library-v1:Org+Lib".hex()),
            (CourseKey, CourseKey.from_string("ccx-v1:O+C+R+ccx@7"), "24" + b"ccx-v1:O+C+R+ccx@7".hex()),
            (CourseKey, CourseKey.from_string("course-v1:O+C+R+branch@b"), "30" + b"course-v1:O+C+R+branch@b".hex()),
            (UsageKey, UsageKey.from_string("i4x://Org/C/problem/a"), "2a" + b"i4x://Org/C/problem/a".hex()),
            (UsageKey, UsageKey.from_string("lb:Org:lib:problem:a"), "28" + b"lb:Org:lib:problem:a".hex()),
            (CCXLocator, CCXLocator.from_string("ccx-v1:O+C+R+ccx@7"), "24" + b"ccx-v1:O+C+R+ccx@7".hex()),
            (LibraryLocatorV2, LibraryLocatorV2.from_string("lib:Org:slug"), "18" + b"lib:Org:slug".hex()),
            (LibraryUsageLocatorV2, UsageKey.from_string("lb:Org:l:t:a"), "18" + b"lb:Org:l:t:a".hex()),
            (
                LibraryCollectionLocator,
                LibraryCollectionLocator.from_string("lib-collection:Org:slug:id"),
                "34" + b"lib-collection:Org:slug:id".hex(),
            ),
            (
                LibraryContainerLocator,
                LibraryContainerLocator.from_string("lct:Org:slug:unit:id"),
                "28" + b"lct:Org:slug:unit:id".hex(),
            ),
        ],
    )
    def test_value_travels_as_the_contract_says(self, annotation, value, raw):
        signal = holding(annotation)
        assert avro.encode(signal, boxed(signal, value)).hex() == raw
        decoded = avro.decode(signal, bytes.fromhex(raw))
        assert decoded == boxed(signal, value)
        assert type(decoded["box"].value) is type(value)

    def test_nan_passes(self):
        signal = holding(float)
        value = avro.decode(signal, avro.encode(signal, boxed(signal, float("nan"))))["box"].value
        assert value != value

    @pytest.mark.rule("events.E5")
    @pytest.mark.parametrize("hours", [2, -5])
    def test_time_travels_in_utc_whatever_its_zone(self, hours):
        signal = holding(datetime)
        moment = MOMENT.astimezone(timezone(timedelta(hours=hours)))
        assert avro.encode(signal, boxed(signal, moment)) == avro.encode(signal, boxed(signal, MOMENT))

    @pytest.mark.rule("events.E5")
    @pytest.mark.parametrize("text", ["2024-01-02T05:04:05.678901+02:00", "2024-01-02T03:04:05.678901Z"])
    def test_time_of_a_stranger_is_read_into_utc(self, text):
        raw = bytes([2 * len(text)]) + text.encode()
        value = avro.decode(holding(datetime), raw)["box"].value
        assert (value, value.tzinfo) == (MOMENT, UTC)

    @pytest.mark.parametrize(("annotation", "value", "plain"), [(str, Mode.AUDIT, "audit"), (int, Number.ONE, 1)])
    def test_enumeration_that_is_such_a_value_travels_as_it(self, annotation, value, plain):
        signal = holding(annotation)
        assert avro.encode(signal, boxed(signal, value)) == avro.encode(signal, boxed(signal, plain))

    def test_int_travels_as_double_where_one_is_declared(self):
        signal = holding(float)
        assert avro.encode(signal, boxed(signal, 2)) == avro.encode(signal, boxed(signal, 2.0))

    def test_fields_of_a_subclass_are_left_out(self):
        signal = signal_of(user=UserNonPersonalData)
        assert avro.encode(signal, {"user": example(UserData)}) == avro.encode(
            signal, {"user": example(UserNonPersonalData)}
        )

    def test_keyword_only_fields_and_private_names_come_back(self):
        box = attrs.make_class("Box", {"_value": attrs.field(type=int, kw_only=True)})
        signal = signal_of(box=box)
        assert avro.decode(signal, avro.encode(signal, {"box": box(value=3)})) == {"box": box(value=3)}

    @pytest.mark.rule("events.E18")
    def test_threads_that_meet_a_new_event_all_get_its_bytes(self):
        signal = signal_of(value=class_named("CourseEnrollmentData"))
        data = {"value": example(class_named("CourseEnrollmentData"))}
        start, encoded = threading.Barrier(8), []

        def encode():
            start.wait()
            encoded.append(avro.encode(signal, data))

        threads = [threading.Thread(target=encode) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(encoded) == 8
        assert len(set(encoded)) == 1


class TestStrictness:
    """A wrong value is named with its place and its type, and never shown (E1)."""

    pytestmark = pytest.mark.rule("events.E1")

    @pytest.mark.parametrize(
        ("annotation", "value", "place", "why"),
        [
            (str, 1, "", "must be str, not int"),
            (str, None, "", "must be str, not NoneType"),
            (str, b"secret", "", "must be str, not bytes"),
            (str, "secret\ud800", "", "must be text that has a UTF-8 form, not lone surrogates"),
            (int, "1", "", "must be int, not str"),
            (int, True, "", "must be int, not bool"),
            (int, 1.7, "", "must be int, not float"),
            (int, 2**63, "", "must be between -2**63 and 2**63-1, not beyond"),
            (int, -(2**63) - 1, "", "must be between -2**63 and 2**63-1, not beyond"),
            (bool, 1, "", "must be bool, not int"),
            (bool, "yes", "", "must be bool, not str"),
            (float, "1", "", "must be float, not str"),
            (float, True, "", "must be float, not bool"),
            (float, 10**400, "", "must be a number that a double can hold, not a greater one"),
            (bytes, "a", "", "must be bytes, not str"),
            (datetime, "2024-01-02", "", "must be datetime, not str"),
            (datetime, date(2024, 1, 2), "", "must be datetime, not date"),
            (datetime, datetime(2024, 1, 2), "", "must be an aware datetime, not a naive one"),  # noqa: DTZ001  # E5
            (datetime, datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), "", "OverflowError"),
            (UUID, str(UUID(int=1)), "", "must be UUID, not str"),
            (CourseKey, "course-v1:Org+C101+2024", "", "must be CourseKey, not str"),
            (CourseKey, UsageKey.from_string("i4x://O/C/p/a"), "", "must be CourseKey, not BlockUsageLocator"),
            (CCXLocator, KEY, "", "must be CCXLocator, not CourseLocator"),
            (UserData, UserNonPersonalData(7, True), "", "must be UserData, not UserNonPersonalData"),
            (list[str], ("a",), "", "must be list, not tuple"),
            (list[str], ["a", None], "[1]", "must be str, not NoneType"),
            (list[int], [1, 2, True], "[2]", "must be int, not bool"),
            (dict[str, str], [("a", "b")], "", "must be dict, not list"),
            (dict[str, str], {1: "a"}, "[key]", "must be str, not int"),
            (dict[str, str], {"secret": 1}, "[value]", "must be str, not int"),
        ],
    )
    def test_wrong_value_is_refused(self, annotation, value, place, why):
        signal = holding(annotation)
        with pytest.raises(EventSerializationError) as refused:
            avro.encode(signal, boxed(signal, value))
        text = str(refused.value)
        assert text.startswith(f"EventSerializationError {TYPE}: box.value{place}: ")
        assert why in text
        assert "secret" not in text

    def test_wrong_value_deep_inside_has_its_whole_path(self):
        enrollment = example(class_named("CourseEnrollmentData"))
        wrong = attrs.evolve(enrollment, user=attrs.evolve(enrollment.user, id="7"))
        with pytest.raises(EventSerializationError, match=r"v1: enrollment\.user\.id: must be int, not str$"):
            avro.encode(COURSE_ENROLLMENT_CREATED, {"enrollment": wrong})

    def test_wrong_value_in_a_nullable_record_has_its_whole_path(self):
        enrollment = example(class_named("CourseEnrollmentData"))
        by = UserData(7, True, attrs.evolve(enrollment.user.pii, email=None))
        with pytest.raises(EventSerializationError, match=r"enrollment\.created_by\.pii\.email: must be str, not None"):
            avro.encode(COURSE_ENROLLMENT_CREATED, {"enrollment": attrs.evolve(enrollment, created_by=by)})

    def test_subclass_of_another_shape_is_refused_in_its_bases_place(self):
        status = example(CcxCoursePassingStatusData)
        assert avro.encode(CCX_COURSE_PASSING_STATUS_UPDATED, {"course_passing_status": status})
        with pytest.raises(EventSerializationError, match=r"status\.course: must be CourseData, not Ccx"):
            avro.encode(COURSE_PASSING_STATUS_UPDATED, {"course_passing_status": status})

    @pytest.mark.parametrize(
        "data", [{}, {"enrolment": 1}, {"enrollment": 1, "more": 2}], ids=["missing", "misspelt", "one too many"]
    )
    def test_arguments_are_those_of_the_signal(self, data):
        with pytest.raises(EventSerializationError, match="must be exactly the arguments enrollment"):
            avro.encode(COURSE_ENROLLMENT_CREATED, data)

    def test_error_has_no_other_error_behind_it_that_could_show_the_payload(self):
        signal = holding(str)
        with pytest.raises(EventSerializationError) as refused:
            avro.encode(signal, boxed(signal, "secret\ud800"))
        assert (refused.value.__cause__, refused.value.__context__) == (None, None)


class TestAgainstAnotherImplementation:
    """fastavro writes what we read and reads what we write."""

    @pytest.mark.parametrize(("cls", "vector"), VECTORS)
    def test_both_ways(self, cls, vector):
        signal = signal_of(value=cls)
        schema = fastavro.parse_schema(avro.schema(signal))
        plain = fastavro.schemaless_reader(io.BytesIO(bytes.fromhex(vector["hex"])), schema, None)
        assert plain == {"value": vector["record"]}
        written = io.BytesIO()
        fastavro.schemaless_writer(written, schema, plain)
        assert avro.decode(signal, written.getvalue()) == {"value": built(cls, vector["record"])}


def without_doc(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "doc"}
