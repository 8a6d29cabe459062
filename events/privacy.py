"""Whom a payload is about, and what of it is personal."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from events.avro.errors import Unfit
from events.avro.shapes import Nullable, Plain, Record, Shape, shape_of
from events.types import EventDefinition

PERSONAL = "pii"
"""The field of a user that holds name, username and e-mail address."""

PERSONAL_CLASS = "UserPersonalData"
USER_IDS = ("user_id", "lms_user_id")
USERS = ("user", "_user")

_paths: dict[EventDefinition, tuple[str, ...]] = {}


def subject_of(signal: EventDefinition, data: Mapping[str, Any]) -> int | None:
    """Return the id of the user whom a payload is about, whatever the field is called; None if there is no such field.

    Of several users that is the least deeply nested, and of those the first.
    """
    value: Any = data
    path = _paths.get(signal)
    if path is None:
        path = _paths[signal] = _path_to_subject(signal)
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else getattr(value, step, None)
    return value if isinstance(value, int) else None


def redacted(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload without names, usernames and e-mail addresses: the texts are empty, the rest is the same."""
    return {name: _without_personal_data(value) for name, value in data.items()}


def _without_personal_data(value: Any) -> Any:
    if not attrs.has(type(value)):
        return value
    if any(cls.__name__ == PERSONAL_CLASS for cls in type(value).__mro__):
        return attrs.evolve(value, **{field.alias: "" for field in attrs.fields(type(value))})
    fields = {field.alias: getattr(value, field.name) for field in attrs.fields(type(value)) if field.init}
    emptied = {name: _without_personal_data(field) for name, field in fields.items()}
    changes = {name: field for name, field in emptied.items() if field is not fields[name]}
    return attrs.evolve(value, **changes) if changes else value


def _path_to_subject(signal: EventDefinition) -> tuple[str, ...]:
    """Return the steps from a kind of event to its user's id; a path that leads nowhere if there is none."""
    level: list[tuple[tuple[str, ...], Shape]]
    try:
        level = [((name,), shape_of(annotation, name)) for name, annotation in signal.init_data.items()]
    except Unfit:
        return ("",)
    while level:
        for path, shape in level:
            steps = _steps_to_id(path[-1], shape)
            if steps:
                return (*path, *steps)
        level = [((*path, name), field) for path, shape in level for name, field in _fields(shape)]
    return ("",)


def _steps_to_id(name: str, shape: Shape) -> tuple[str, ...]:
    fields = dict(_fields(shape))
    for candidate in USER_IDS:
        if _is_int(fields.get(candidate)):
            return (candidate,)
    return ("id",) if name.endswith(USERS) and _is_int(fields.get("id")) else ()


def _fields(shape: Shape) -> Iterable[tuple[str, Shape]]:
    of = shape.of if isinstance(shape, Nullable) else shape
    return [(field.name, field.shape) for field in of.fields] if isinstance(of, Record) else []


def _is_int(shape: Shape | None) -> bool:
    of = shape.of if isinstance(shape, Nullable) else shape
    return isinstance(of, Plain) and of.cls is int
