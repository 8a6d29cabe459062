"""Compiles the function that turns the arguments of an event into bytes (events contract 10.3, 10.6).

The bytes grow as text whose characters stand for one byte each, because Python puts texts together fastest; ASCII,
which nearly all values are, then needs no conversion.
"""

import struct
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from events.avro.errors import Wrong
from events.avro.shapes import PLAIN, Array, Field, Map, Nullable, Plain, Record, Shape, Text
from events.avro.source import Compiled, Source

LOWEST, HIGHEST = -(2**63), 2**63 - 1
NULL, PRESENT = r"\x00", r"\x02"  # the index in a union of null and a type, as written in source
END = r"\x00"  # of an array or map


class _Longs(dict[int, str]):
    """The characters of a long: kept for small ones, made for others."""

    def __missing__(self, number: int) -> str:
        if not LOWEST <= number <= HIGHEST:
            raise Wrong("between -2**63 and 2**63-1", "beyond")
        return _long(number)


def _long(number: int) -> str:
    rest = (number << 1) ^ (number >> 63)
    characters = []
    while rest > 0x7F:
        characters.append(chr(rest & 0x7F | 0x80))
        rest >>= 7
    characters.append(chr(rest))
    return "".join(characters)


LONGS = _Longs((number, _long(number)) for number in range(-64, 1024))
pack_double = struct.Struct("<d").pack


def _characters(text: str) -> str:
    """Return text whose characters are the UTF-8 bytes of another."""
    try:
        return text.encode().decode("latin-1")
    except UnicodeEncodeError:
        raise Wrong("text that has a UTF-8 form", "lone surrogates") from None


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong("str", _type(value))
    return str.__str__(value)


def _as_long(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Wrong("int", _type(value))
    return int(value)


def _as_double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong("float", _type(value))
    try:
        return float(value)
    except OverflowError:
        raise Wrong("a number that a double can hold", "a greater one") from None


def _refuse(value: Any, expected: type) -> None:
    raise Wrong(expected.__name__, _type(value))


def _refuse_arguments(data: Mapping[str, Any], names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in data]
    unexpected = [name for name in data if name not in names]
    raise Wrong(f"exactly the arguments {', '.join(names)}", f"without {missing} and with {unexpected}")


def _type(value: Any) -> str:
    return type(value).__name__


def compile_encoder(arguments: Mapping[str, Shape]) -> Compiled:
    """Return a function from a mapping of arguments to bytes, which raises `Wrong`."""
    source = Source(
        "def run(data):",
        L=LONGS,
        characters=_characters,
        pack_double=pack_double,
        as_text=_as_text,
        as_long=_as_long,
        as_double=_as_double,
        by_key=itemgetter(0),
        refuse=_refuse,
        refuse_arguments=_refuse_arguments,
    )
    names = source.constant(tuple(arguments))
    with source.block(f"if len(data) != {len(arguments)}:"):
        source.add(f"refuse_arguments(data, {names})")
    pieces = []
    for argument, shape in arguments.items():
        with source.at(argument):
            value = source.name()
            with source.block("try:"):
                source.add(f"{value} = data[{argument!r}]")
            with source.block("except KeyError:"):
                source.add(f"refuse_arguments(data, {names})")
            pieces.append(_emit(source, shape, value))
    source.add(f'return f"{"".join(pieces)}".encode("latin-1")')
    return source.compiled()


def _emit(source: Source, shape: Shape, value: str) -> str:
    """Add lines that check a value, and return what stands for its bytes in an f-string."""
    match shape:
        case Plain():
            return _emit_plain(source, shape, value)
        case Text():
            return _emit_text(source, shape, value)
        case Record():
            return _emit_record(source, shape, value)
        case Nullable():
            return _emit_nullable(source, shape, value)
        case Array():
            return _emit_array(source, shape, value)
        case Map():
            return _emit_map(source, shape, value)


def _emit_plain(source: Source, shape: Plain, value: str) -> str:
    match shape.avro:
        case "string":
            with source.block(f"if type({value}) is not str:"):
                source.add(f"{value} = as_text({value})")
            return _emit_characters(source, value)
        case "long":
            with source.block(f"if type({value}) is not int:"):
                source.add(f"{value} = as_long({value})")
            source.add(f"{value} = L[{value}]")
        case "boolean":
            with source.block(f"if {value} is not True and {value} is not False:"):
                source.add(f"refuse({value}, bool)")
            source.add(f"{value} = '\\x01' if {value} else '\\x00'")
        case "double":
            with source.block(f"if type({value}) is not float:"):
                source.add(f"{value} = as_double({value})")
            source.add(f"{value} = pack_double({value}).decode('latin-1')")
        case _:
            with source.block(f"if not isinstance({value}, bytes):"):
                source.add(f"refuse({value}, bytes)")
            source.add(f"{value} = {value}.decode('latin-1')")
            return _with_length(value)
    return f"{{{value}}}"


def _emit_text(source: Source, shape: Text, value: str) -> str:
    cls = source.constant(shape.cls)
    with source.block(f"if not isinstance({value}, {cls}):"):
        source.add(f"refuse({value}, {cls})")
    source.add(f"{value} = {source.constant(shape.write)}({value})")
    return _emit_characters(source, value)


def _emit_characters(source: Source, value: str) -> str:
    with source.block(f"if not {value}.isascii():"):
        source.add(f"{value} = characters({value})")
    return _with_length(value)


def _with_length(value: str) -> str:
    return f"{{L[len({value})]}}{{{value}}}"


def _emit_record(source: Source, shape: Record, value: str) -> str:
    cls = source.constant(shape.cls)
    with source.block(f"if not isinstance({value}, {cls}):"):
        source.add(f"refuse({value}, {cls})")
    return "".join(_emit_field(source, field, value) for field in shape.fields)


def _emit_field(source: Source, field: Field, record: str) -> str:
    with source.at(f".{field.name}"):
        value = source.name()
        source.add(f"{value} = {record}.{field.name}")
        return _emit(source, field.shape, value)


def _emit_nullable(source: Source, shape: Nullable, value: str) -> str:
    characters = source.name()
    with source.block(f"if {value} is None:"):
        source.add(f"{characters} = '{NULL}'")
    with source.block("else:"):
        pieces = _emit(source, shape.of, value)
        source.add(f'{characters} = f"{PRESENT}{pieces}"')
    return f"{{{characters}}}"


def _emit_array(source: Source, shape: Array, value: str) -> str:
    index, item, characters = source.name(), source.name(), source.name()
    with source.block(f"if not isinstance({value}, list):"):
        source.add(f"refuse({value}, list)")
    source.add(f"{characters} = []")
    with source.block(f"for {index}, {item} in enumerate({value}):"), source.at(f"[{{{index}}}]"):
        pieces = _emit(source, shape.items, item)
        source.add(f'{characters}.append(f"{pieces}")')
    return _emit_block(source, characters)


def _emit_map(source: Source, shape: Map, value: str) -> str:
    key, item, characters = source.name(), source.name(), source.name()
    with source.block(f"if not isinstance({value}, dict):"):
        source.add(f"refuse({value}, dict)")
    with source.at("[key]"), source.block(f"for {key} in {value}:"), source.block(f"if not isinstance({key}, str):"):
        source.add(f"refuse({key}, str)")
    source.add(f"{characters} = []")
    # In the order of the keys, so that equal maps have equal bytes.
    with source.block(f"for {key}, {item} in sorted({value}.items(), key=by_key):"), source.at("[value]"):
        pieces = _emit(source, PLAIN[str], key) + _emit(source, shape.values, item)
        source.add(f'{characters}.append(f"{pieces}")')
    return _emit_block(source, characters)


def _emit_block(source: Source, characters: str) -> str:
    """All items make one block, which is left out if there are none."""
    with source.block(f"if {characters}:"):
        source.add(f"{characters} = L[len({characters})] + ''.join({characters}) + '{END}'")
    with source.block("else:"):
        source.add(f"{characters} = '{END}'")
    return f"{{{characters}}}"
