"""The Avro schema of an event (events contract 10.2) and its fingerprint."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from events.avro.errors import Unfit
from events.avro.shapes import Array, Map, Nullable, Plain, Record, Shape, Text

TOP = "CloudEvent"
CANONICAL_ORDER = ("name", "type", "fields", "items", "values")


def build_schema(event_type: str, arguments: Mapping[str, Shape]) -> dict[str, Any]:
    """Return the schema of the record that holds an event's arguments.

    Raises:
        Unfit: two classes of the event have the same name.
    """
    records: dict[str, Any] = {TOP: None}
    return {
        "name": TOP,
        "type": "record",
        "namespace": event_type,
        "doc": f"The arguments of the event {event_type}.",
        "fields": [{"name": name, "type": _type(shape, records)} for name, shape in arguments.items()],
    }


def _type(shape: Shape, records: dict[str, Any]) -> Any:
    match shape:
        case Plain():
            return shape.avro
        case Text():
            return "string"
        case Array():
            return {"type": "array", "items": _type(shape.items, records)}
        case Map():
            return {"type": "map", "values": _type(shape.values, records)}
        case Nullable():
            return ["null", _type(shape.of, records)]
        case Record():
            return _record(shape, records)


def _record(shape: Record, records: dict[str, Any]) -> Any:
    """A record is written out where it comes first, and named from then on."""
    name = shape.cls.__name__
    if name in records:
        if records[name] is not shape.cls:
            raise Unfit(name, "several classes of the event have this name")
        return name
    records[name] = shape.cls
    fields = []
    for field in shape.fields:
        described = {"name": field.name, "type": _type(field.shape, records)}
        fields.append({**described, "default": None} if isinstance(field.shape, Nullable) else described)
    return {"name": name, "type": "record", "fields": fields}


def fingerprint_of(schema: Mapping[str, Any]) -> str:
    """Return the SHA-256 of Avro's canonical form of a schema of ours: what it says about bytes, and nothing else."""
    canonical = _canonical(schema, schema["namespace"])
    return hashlib.sha256(json.dumps(canonical, separators=(",", ":")).encode()).hexdigest()


def _canonical(part: Any, namespace: str) -> Any:
    if isinstance(part, list):
        return [_canonical(alternative, namespace) for alternative in part]
    if isinstance(part, str):
        return part if part in _AVROS_OWN else f"{namespace}.{part}"
    kept: dict[str, Any] = {}
    for attribute in CANONICAL_ORDER:
        if attribute == "name" and attribute in part:
            kept[attribute] = f"{namespace}.{part[attribute]}"
        elif attribute == "fields" and attribute in part:
            kept[attribute] = [
                {"name": field["name"], "type": _canonical(field["type"], namespace)} for field in part["fields"]
            ]
        elif attribute in part:
            kept[attribute] = _canonical(part[attribute], namespace)
    return kept


_AVROS_OWN = {"null", "string", "boolean", "long", "double", "bytes", "record", "array", "map"}
