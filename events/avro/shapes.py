"""What the annotations of payload classes mean on the wire (events contract 4, 10.2)."""

import builtins
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID

import attrs
from ccx_keys.locator import CCXLocator
from opaque_keys import OpaqueKey
from opaque_keys.edx.keys import CourseKey, UsageKey
from opaque_keys.edx.locator import (
    LibraryCollectionLocator,
    LibraryContainerLocator,
    LibraryLocatorV2,
    LibraryUsageLocatorV2,
)

from events.avro.errors import Malformed, Unfit, Wrong

KEYS = (
    CourseKey,
    UsageKey,
    CCXLocator,
    LibraryLocatorV2,
    LibraryUsageLocatorV2,
    LibraryCollectionLocator,
    LibraryContainerLocator,
)
"""Classes of keys that may be annotations. A value may be of a subclass; each stands for a family."""

LONGEST_CACHED_KEY = 255
"""Characters; what our tables hold. Longer texts, which only strangers send, do not fill the cache."""


@attrs.frozen
class Plain:
    """A type that Avro has itself."""

    cls: type
    avro: str


@attrs.frozen
class Text:
    """A type that travels as text."""

    cls: type
    write: Callable[[Any], str]
    read: Callable[[str], Any]


@attrs.frozen
class Array:
    """A list."""

    items: Plain


@attrs.frozen
class Map:
    """A dict whose keys are text."""

    values: Plain


@attrs.frozen
class Nullable:
    """A field whose default is None."""

    of: "Shape"


@attrs.frozen
class Field:
    """A field of a record."""

    name: str
    parameter: str
    is_keyword: bool
    shape: "Shape"


@attrs.frozen
class Record:
    """An attrs class."""

    cls: type
    fields: tuple[Field, ...]


Shape: TypeAlias = Plain | Text | Array | Map | Nullable | Record

PLAIN = {
    cls: Plain(cls, avro)
    for cls, avro in {str: "string", bool: "boolean", int: "long", float: "double", bytes: "bytes"}.items()
}
IN_CONTAINERS = (str, bool, int, float)


def shape_of(annotation: Any, path: str, within: tuple[type, ...] = ()) -> Shape:
    """Return what an annotation means.

    Args:
        annotation: a class, or a list or dict with its parameters.
        path: where it stands, for the error.
        within: the classes around it.

    Raises:
        Unfit: there is no encoding for it, or none that every reader knows.
    """
    if annotation in PLAIN:
        return PLAIN[annotation]
    if annotation in TEXTS:
        return TEXTS[annotation]
    match typing.get_origin(annotation), typing.get_args(annotation):
        case builtins.list, (items,):
            return Array(_contained(items, path))
        case builtins.dict, (builtins.str, values):
            return Map(_contained(values, path))
    if isinstance(annotation, type) and attrs.has(annotation):
        return _record(annotation, path, within)
    raise Unfit(path, _why_not(annotation))


def _contained(annotation: Any, path: str) -> Plain:
    if annotation not in IN_CONTAINERS:
        raise Unfit(path, f"a list or dict cannot hold {_name(annotation)}, only str, bool, int or float")
    return PLAIN[annotation]


def _record(cls: type, path: str, within: tuple[type, ...]) -> Record:
    if cls in within:
        raise Unfit(path, f"{cls.__name__} contains itself")
    try:
        attrs.resolve_types(cls)
    except NameError as exc:
        raise Unfit(path, f"an annotation of {cls.__name__} names what cannot be found: {exc.name}") from exc
    return Record(cls, tuple(_field(field, f"{path}.{field.name}", (*within, cls)) for field in attrs.fields(cls)))


def _field(field: Any, path: str, within: tuple[type, ...]) -> Field:
    if not field.init:
        raise Unfit(path, "the constructor does not take it")
    shape = shape_of(field.type, path, within)
    return Field(
        name=field.name,
        parameter=field.alias,
        is_keyword=field.kw_only,
        shape=Nullable(shape) if field.default is None else shape,
    )


def _why_not(annotation: Any) -> str:
    if (typing.get_origin(annotation) or annotation) in (list, dict):
        return "a list must say what it holds, and a dict that its keys are str and what its values are"
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return "a union has no encoding; a field is nullable if its default is None"
    if isinstance(annotation, type) and issubclass(annotation, OpaqueKey):
        families = ", ".join(cls.__name__ for cls in KEYS)
        return f"{annotation.__name__} has no encoding; the key classes that have are {families}"
    return f"{_name(annotation)} has no encoding"


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _write_moment(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise Wrong("an aware datetime", "a naive one")
    return datetime.isoformat(moment.astimezone(UTC))  # not a subclass's own form


def _read_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise Malformed("a datetime is naive")
    return moment.astimezone(UTC)


def _key(cls: Any) -> Text:
    parse: Callable[[str], Any] = cls.from_string
    # Parsing takes longer than all the rest of a payload, and the same few keys come again and again.
    parse_cached = lru_cache(maxsize=4096)(parse)

    def read(text: str) -> Any:
        return (parse_cached if len(text) <= LONGEST_CACHED_KEY else parse)(text)

    return Text(cls, str, read)


TEXTS: dict[Any, Text] = {
    datetime: Text(datetime, _write_moment, _read_moment),
    UUID: Text(UUID, str, UUID),
    **{cls: _key(cls) for cls in KEYS},
}
