"""What holds for every payload, and for whatever else comes along (events contract 10)."""

import io

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import avro
from events.exceptions import EventDeserializationError
from events.tooling import OpenEdxPublicSignal
from tests.events.payload_strategies import payloads, plain
from tests.events.records import DESCRIBED, example

pytestmark = pytest.mark.database("sqlite")  # nothing here uses one, so once is enough

DISTINCT = {
    next(iter(signal.init_data.values())): signal
    for signal in OpenEdxPublicSignal.all_events()
    if signal.module.startswith("events.") and avro.is_fit_for_bus(signal)
}
"""One signal for each payload class that travels."""

each_signal = pytest.mark.parametrize("signal", DISTINCT.values(), ids=[cls.__name__ for cls in DISTINCT])


def valid_payloads(signal: OpenEdxPublicSignal) -> list[bytes]:
    ((argument, cls),) = signal.init_data.items()
    golden = [bytes.fromhex(vector["hex"]) for vector in DESCRIBED[cls.__name__].get("vectors", [])]
    return [avro.encode(signal, {argument: example(cls)}), *golden]


@st.composite
def mutated(draw: st.DrawFn, valid: list[bytes]) -> bytes:
    """Change a few bytes of something valid: replaced, inserted, removed, cut or repeated."""
    raw = bytearray(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        stop = draw(st.integers(start, min(len(raw), start + 4)))
        raw[start:stop] = draw(st.binary(max_size=4) | st.sampled_from([b"\xff" * 9 + b"\x01", b"\x80" * 12, b"\x01"]))
    return bytes(raw)


@each_signal
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_payload_comes_back_equal_and_another_implementation_agrees(signal, data):
    ((argument, cls),) = signal.init_data.items()
    payload = data.draw(payloads(cls))
    raw = avro.encode(signal, {argument: payload})
    assert avro.decode(signal, raw) == {argument: payload}

    schema = fastavro.parse_schema(avro.schema(signal))
    assert fastavro.schemaless_reader(io.BytesIO(raw), schema, None) == {argument: plain(payload)}
    written = io.BytesIO()
    fastavro.schemaless_writer(written, schema, {argument: sorted_maps(plain(payload))})
    assert written.getvalue() == raw


@each_signal
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_bytes_give_a_value_or_our_error(signal, data):
    raw = data.draw(st.binary(max_size=200) | mutated(valid_payloads(signal)))
    try:
        decoded = avro.decode(signal, raw)
    except EventDeserializationError:
        return
    again = avro.encode(signal, decoded)
    assert avro.encode(signal, avro.decode(signal, again)) == again


def sorted_maps(value):
    """Return plain data with its maps in the order in which we write them."""
    if isinstance(value, dict):
        return {key: sorted_maps(value[key]) for key in sorted(value)}
    return value
