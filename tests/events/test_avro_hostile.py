"""Bytes of strangers give a value or our error, whatever they are (events contract 10.3, 10.5)."""

import tracemalloc

import pytest

from events import avro
from events.exceptions import EventDeserializationError
from events.learning.data import UserNonPersonalData
from events.learning.signals import COURSE_ENROLLMENT_CREATED
from events.tooling import OpenEdxPublicSignal
from tests.events.records import BASIC_TYPES, CATALOGUE
from tests.events.test_avro import TYPE, holding

pytestmark = pytest.mark.database("sqlite")  # nothing here uses one, so once is enough

ENROLLMENT = bytes.fromhex(CATALOGUE["examples"][0]["hex"])
PLENTY = 2**16


def value_of(annotation, raw: str):
    return avro.decode(holding(annotation), bytes.fromhex(raw))["box"].value


@pytest.mark.parametrize(
    ("annotation", "raw", "value"),
    [
        pytest.param(list[int], "00", [], id="empty list"),
        pytest.param(list[int], "06 02 04 06 00", [1, 2, 3], id="one block"),
        pytest.param(list[int], "02 02 04 04 06 00", [1, 2, 3], id="two blocks"),
        pytest.param(list[int], "05 06 02 04 06 00", [1, 2, 3], id="block with its size in bytes"),
        pytest.param(list[int], "01 02 02 03 04 04 06 00", [1, 2, 3], id="two blocks with their sizes"),
        pytest.param(dict[str, int], "00", {}, id="empty dict"),
        pytest.param(dict[str, int], "02 0261 02 02 0262 04 00", {"a": 1, "b": 2}, id="dict in two blocks"),
        pytest.param(dict[str, int], "03 0c 0261 02 0262 04 00", {"a": 1, "b": 2}, id="dict with its size"),
        pytest.param(dict[str, int], "04 0261 02 0261 04 00", {"a": 2}, id="key that comes twice"),
        pytest.param(int, "80 00", 0, id="number with a byte too many"),
        pytest.param(str, "82 00 61", "a", id="length with a byte too many"),
    ],
)
def test_other_forms_of_the_same_value_are_read(annotation, raw, value):
    assert value_of(annotation, raw) == value


@pytest.mark.parametrize(
    ("annotation", "raw", "why"),
    [
        pytest.param(int, "", "the bytes end too early", id="nothing"),
        pytest.param(int, "80", "the bytes end too early", id="number cut"),
        pytest.param(int, "80" * 10 + "00", "more than 64 bits", id="number of eleven bytes"),
        pytest.param(int, "ff" * 9 + "02", "more than 64 bits", id="number of 65 bits"),
        pytest.param(bool, "02", "neither 0 nor 1", id="no boolean"),
        pytest.param(float, "00" * 7, "more bytes than there are", id="double cut"),
        pytest.param(str, "04 61", "more bytes than there are", id="text cut"),
        pytest.param(str, "01", "fewer than none", id="negative length"),
        pytest.param(str, "fe ff ff ff ff ff ff ff ff 01", "more bytes than there are", id="greatest length"),
        pytest.param(str, "02 ff", "UnicodeDecodeError", id="no UTF-8"),
        pytest.param(str, "06 ed a0 80", "UnicodeDecodeError", id="surrogate"),
        pytest.param(bytes, "04 61", "more bytes than there are", id="bytes cut"),
        pytest.param(list[int], "02", "more items than there are bytes", id="list cut"),
        pytest.param(list[int], "02 02", "the bytes end too early", id="list without an end"),
        pytest.param(list[bool], "fe ff ff ff ff ff ff ff ff 01", "more items", id="greatest count"),
        pytest.param(list[bool], "ff ff ff ff ff ff ff ff ff 01 00", "more items", id="lowest count"),
        pytest.param(list[bool], "01", "the bytes end too early", id="block without its size"),
        pytest.param(dict[str, int], "02 03", "fewer than none", id="key of negative length"),
    ],
)
def test_bytes_that_do_not_fit_are_refused(annotation, raw, why):
    with pytest.raises(EventDeserializationError, match=rf"{TYPE}: box\.value(\[\])?: .*{why}"):
        value_of(annotation, raw)


@pytest.mark.parametrize(
    ("index", "why"),
    [("04", "no such alternative"), ("01", "no such alternative"), ("", "end too early")],
)
def test_alternative_to_null_is_one(index, why):
    with pytest.raises(EventDeserializationError, match=why):
        avro.decode(holding(int, default=None), bytes.fromhex(index))


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("datetime", "secret", "ValueError"),
        ("datetime", "0000-01-01T00:00:00+00:00", "ValueError"),
        ("datetime", "2024-01-02T03:04:05", "a datetime is naive"),
        ("datetime", "0001-01-01T00:00:00+01:00", "OverflowError"),
        ("UUID", "secret", "ValueError"),
        ("CourseKey", "secret", "InvalidKeyError"),
        ("CourseKey", "", "InvalidKeyError"),
        ("CourseKey", "lib:Org:slug", "InvalidKeyError"),
        ("UsageKey", "course-v1:Org+C101+2024", "InvalidKeyError"),
        ("CCXLocator", "course-v1:Org+C101+2024", "InvalidKeyError"),
    ],
)
def test_text_that_is_no_such_value_is_refused_and_not_shown(kind, text, why):
    raw = bytes([2 * len(text)]) + text.encode()
    with pytest.raises(EventDeserializationError, match=rf"box\.value: {why}") as refused:
        avro.decode(holding(BASIC_TYPES[kind]), raw)
    assert "secret" not in str(refused.value)
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)


@pytest.mark.parametrize("length", range(len(ENROLLMENT)))
def test_payload_cut_anywhere_is_refused(length):
    with pytest.raises(EventDeserializationError, match="enrollment"):
        avro.decode(COURSE_ENROLLMENT_CREATED, ENROLLMENT[:length])


def test_error_names_the_place():
    wrong = ENROLLMENT.replace(b"course-v1:", b"course-v9:")
    with pytest.raises(EventDeserializationError, match=r"v1: enrollment\.course\.course_key: InvalidKeyError$"):
        avro.decode(COURSE_ENROLLMENT_CREATED, wrong)


class TestArgumentsAddedLater:
    """A reader is older or younger than the sender (E17)."""

    pytestmark = pytest.mark.rule("events.E17")
    FIRST = bytes.fromhex("0e01")  # id 7, active

    @pytest.fixture
    def grown(self) -> OpenEdxPublicSignal:
        """Return a signal to which two arguments have been appended."""
        return OpenEdxPublicSignal(
            TYPE,
            {"user": UserNonPersonalData, "tags": list[str], "by": UserNonPersonalData},
            minor_version=2,
            defaults={"tags": [], "by": UserNonPersonalData(0, False)},
        )

    @pytest.mark.parametrize(
        ("raw", "tags", "by"),
        [
            pytest.param("0e01", [], UserNonPersonalData(0, False), id="before both were added"),
            pytest.param("0e01 02026100", ["a"], UserNonPersonalData(0, False), id="before the second was"),
            pytest.param("0e01 00 1001", [], UserNonPersonalData(8, True), id="after both were"),
            pytest.param("0e01 00 1001 ff", [], UserNonPersonalData(8, True), id="after a third was"),
        ],
    )
    def test_missing_arguments_take_their_defaults_and_unknown_ones_are_ignored(self, grown, raw, tags, by):
        assert avro.decode(grown, bytes.fromhex(raw)) == {"user": UserNonPersonalData(7, True), "tags": tags, "by": by}

    @pytest.mark.parametrize("raw", ["", "0e", "0e01 02", "0e01 0202", "0e01 020261", "0e01 00 10"])
    def test_bytes_that_end_elsewhere_are_refused(self, grown, raw):
        with pytest.raises(EventDeserializationError):
            avro.decode(grown, bytes.fromhex(raw))

    def test_default_is_fresh_each_time(self, grown):
        first, second = (avro.decode(grown, self.FIRST)["tags"] for _ in range(2))
        assert first is not second

    def test_argument_without_a_default_is_required(self):
        signal = OpenEdxPublicSignal(TYPE, {"user": UserNonPersonalData, "tags": list[str]})
        with pytest.raises(EventDeserializationError, match="tags: the bytes end too early"):
            avro.decode(signal, self.FIRST)


@pytest.mark.parametrize(
    ("annotation", "raw"),
    [
        pytest.param(str, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" + b"a" * PLENTY, id="text"),
        pytest.param(list[bool], b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" + b"\0" * PLENTY, id="list"),
        pytest.param(list[str], b"\x80\x80\x04" + b"\x04" * PLENTY, id="many texts, the last cut"),
        pytest.param(dict[str, str], b"\x02\0\0" * (PLENTY // 3), id="a block for each entry"),
    ],
)
def test_memory_is_bounded_by_what_came(annotation, raw):
    signal = holding(annotation)
    avro.schema(signal)  # compiled before memory is counted
    tracemalloc.start()
    try:
        with pytest.raises(EventDeserializationError):
            avro.decode(signal, raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * len(raw)
