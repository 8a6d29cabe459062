"""Compiles the function that turns bytes into the arguments of an event (events contract 10.3, 10.5, 10.7).

The bytes come from other services, so nothing in them is believed: no length, count or index is used before it is
known to lie within the bytes that are left, and every item of a list or dict takes at least one of those.
"""

import copy
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from events.avro.errors import Malformed
from events.avro.shapes import PLAIN, Array, Map, Nullable, Plain, Record, Shape, Text
from events.avro.source import Compiled, Source

LONGEST_VARINT = 10  # bytes, for 64 bits
BITS = 64
unpack_double = struct.Struct("<d").unpack_from


def _long(raw: bytes, start: int) -> tuple[int, int]:
    """Return the long that begins at `start`, and where it ends."""
    rest = 0
    for count in range(LONGEST_VARINT):
        byte = raw[start + count]
        rest |= (byte & 0x7F) << (7 * count)
        if byte <= 0x7F:
            if rest >> BITS:
                break
            return (rest >> 1) ^ -(rest & 1), start + count + 1
    raise Malformed("a number has more than 64 bits")


def _block(raw: bytes, start: int) -> tuple[int, int]:
    """Return the number of items in the block of an array or map that begins at `start`, and where they begin."""
    count, start = _long(raw, start)
    if count < 0:
        count = -count
        _, start = _long(raw, start)  # the block's size, for readers that skip it
    if count > len(raw) - start:
        raise Malformed("a list or dict claims more items than there are bytes")
    return count, start


def _refuse_length() -> None:
    raise Malformed("a text claims more bytes than there are, or fewer than none")


def _refuse_boolean() -> None:
    raise Malformed("a boolean is neither 0 nor 1")


def _refuse_index() -> None:
    raise Malformed("there is no such alternative to null")


def compile_decoder(arguments: Mapping[str, Shape], defaults: Mapping[str, Any]) -> Compiled:
    """Return a function from bytes to a dict of arguments, which raises `Malformed`, among others.

    Args:
        arguments: all arguments, in order.
        defaults: what arguments that were added later are if the bytes end before them.
    """
    source = Source(
        "def run(raw):",
        long=_long,
        block=_block,
        unpack_double=unpack_double,
        refuse_length=_refuse_length,
        refuse_boolean=_refuse_boolean,
        refuse_index=_refuse_index,
        again=copy.deepcopy,
    )
    source.add("end = len(raw)", "at = 0")
    values = []
    for argument, shape in arguments.items():
        with source.at(argument):
            value = source.name()
            values.append(f"{argument!r}: {value}")
            if argument in defaults:
                with source.block("if at == end:"):
                    source.add(f"{value} = again({source.constant(defaults[argument])})")
                with source.block("else:"):
                    _read(source, shape, value)
            else:
                _read(source, shape, value)
    source.add(f"return {{{', '.join(values)}}}")
    return source.compiled()


def _read(source: Source, shape: Shape, value: str) -> None:
    """Add lines that read a value at `at` and move `at` behind it."""
    match shape:
        case Plain():
            _read_plain(source, shape, value)
        case Text():
            _read_plain(source, PLAIN[str], value)
            source.add(f"{value} = {source.constant(shape.read)}({value})")
        case Record():
            _read_record(source, shape, value)
        case Nullable():
            _read_nullable(source, shape, value)
        case Array():
            _read_array(source, shape, value)
        case Map():
            _read_map(source, shape, value)


def _read_plain(source: Source, shape: Plain, value: str) -> None:
    match shape.avro:
        case "string":
            _read_span(source, value)
            source.add(f"{value} = raw[at:stop].decode()", "at = stop")
        case "bytes":
            _read_span(source, value)
            source.add(f"{value} = raw[at:stop]", "at = stop")
        case "long":
            _read_long(source, value)
        case "boolean":
            source.add(f"{value} = raw[at]", "at += 1")
            with source.block(f"if {value} > 1:"):
                source.add("refuse_boolean()")
            source.add(f"{value} = {value} == 1")
        case _:
            source.add("stop = at + 8")
            with source.block("if stop > end:"):
                source.add("refuse_length()")
            source.add(f"({value},) = unpack_double(raw, at)", "at = stop")


def _read_long(source: Source, value: str) -> None:
    """Nearly all longs have one byte; a call for each would take most of the time."""
    source.add(f"{value} = raw[at]")
    with source.block(f"if {value} > 127:"):
        source.add(f"{value}, at = long(raw, at)")
    with source.block("else:"):
        source.add("at += 1", f"{value} = {value} >> 1 ^ -({value} & 1)")


def _read_span(source: Source, value: str) -> None:
    """Read a length and set `at` and `stop` to the borders of what has it."""
    _read_long(source, value)
    source.add(f"stop = at + {value}")
    with source.block(f"if {value} < 0 or stop > end:"):
        source.add("refuse_length()")


def _read_record(source: Source, shape: Record, value: str) -> None:
    parameters = []
    for field in shape.fields:
        with source.at(f".{field.name}"):
            read = source.name()
            _read(source, field.shape, read)
            parameters.append(f"{field.parameter}={read}" if field.is_keyword else read)
    source.add(f"{value} = {source.constant(shape.cls)}({', '.join(parameters)})")


def _read_nullable(source: Source, shape: Nullable, value: str) -> None:
    _read_long(source, value)
    with source.block(f"if {value} == 0:"):
        source.add(f"{value} = None")
    with source.block("else:"):
        with source.block(f"if {value} != 1:"):
            source.add("refuse_index()")
        _read(source, shape.of, value)


def _read_array(source: Source, shape: Array, value: str) -> None:
    item = source.name()
    source.add(f"{value} = []")
    with _items(source):
        _read(source, shape.items, item)
        source.add(f"{value}.append({item})")


def _read_map(source: Source, shape: Map, value: str) -> None:
    key, item = source.name(), source.name()
    source.add(f"{value} = {{}}")
    with _items(source):
        _read(source, PLAIN[str], key)
        _read(source, shape.values, item)
        source.add(f"{value}[{key}] = {item}")


@contextmanager
def _items(source: Source) -> Iterator[None]:
    """Repeat what is added inside for each item of each block."""
    with source.block("while True:"):
        source.add("count, at = block(raw, at)")
        with source.block("if not count:"):
            source.add("break")
        with source.block("for _ in range(count):"), source.at("[]"):
            yield
