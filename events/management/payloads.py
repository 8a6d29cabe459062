"""Payloads from plain JSON: keys, times and UUIDs are text there."""

from collections.abc import Mapping
from typing import Any

from events.avro.shapes import Nullable, Record, Shape, Text, shape_of
from events.exceptions import EventSerializationError
from events.types import EventDefinition


def build_payload(signal: EventDefinition, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of an event as objects.

    Raises:
        EventSerializationError: the data do not describe them; the text names the field and quotes nothing.
    """
    missing = sorted(set(signal.init_data) - set(data))
    unknown = sorted(set(data) - set(signal.init_data))
    if missing or unknown:
        listed = ", ".join(signal.init_data)
        raise EventSerializationError(signal.event_type, f"the data must be an object with exactly: {listed}.")
    payload = {}
    for name, annotation in signal.init_data.items():
        try:
            payload[name] = _built(shape_of(annotation, name), data[name], name)
        except _Misfit as exc:
            raise EventSerializationError(signal.event_type, f"{exc} does not fit.") from None
    return payload


class _Misfit(Exception):
    """A value that is not what its field holds; the text is the field's path."""


def _built(shape: Shape, value: Any, path: str) -> Any:
    match shape:
        case Nullable():
            return None if value is None else _built(shape.of, value, path)
        case Text():
            if not isinstance(value, str):
                raise _Misfit(path)
            try:
                return shape.read(value)
            except Exception:
                raise _Misfit(path) from None
        case Record():
            return _record(shape, value, path)
        case _:
            return value  # the encoder looks at these


def _record(shape: Record, value: Any, path: str) -> Any:
    if not isinstance(value, Mapping) or not set(value) <= {field.name for field in shape.fields}:
        raise _Misfit(path)
    arguments = {
        field.parameter: _built(field.shape, value[field.name], f"{path}.{field.name}")
        for field in shape.fields
        if field.name in value
    }
    try:
        return shape.cls(**arguments)
    except TypeError:
        raise _Misfit(path) from None
