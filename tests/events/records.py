"""Payload objects for tests, made from their classes' annotations and the catalogue of the contract."""

import json
import typing
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
from ccx_keys.locator import CCXLocator
from opaque_keys import OpaqueKey
from opaque_keys.edx.keys import CourseKey, UsageKey

CATALOGUE = json.loads((Path(__file__).parent / "event_classes.json").read_text())
OWN = CATALOGUE["project_own"]
OWN_SUBDOMAINS = ("credit", "program_enrollments")
UPSTREAM = {**CATALOGUE["classes"], **CATALOGUE["classes_added_since_the_seed"]}
DESCRIBED = {**UPSTREAM, **OWN["classes"]}
"""What the contract says about each class, by its name."""

BASIC_TYPES = {
    **{cls.__name__: cls for cls in (str, bool, int, float, dict, datetime, UUID, CourseKey, UsageKey, CCXLocator)},
    "int | None": int | None,
    "List[str]": list[str],
    "List[int]": list[int],
    "List[dict]": list[dict],
    "Dict[str, str]": dict[str, str],
}
EXAMPLES: dict[Any, Any] = {
    str: "text",
    bool: True,
    int: 7,
    float: 0.5,
    datetime: datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    UUID: UUID("b3b3981e-7544-11ea-b663-acde48001122"),
    CourseKey: CourseKey.from_string("course-v1:Org+C101+2024"),
    UsageKey: UsageKey.from_string("block-v1:Org+C101+2024+type@problem+block@abc"),
    CCXLocator: CCXLocator.from_string("ccx-v1:Org+C101+2024+ccx@7"),
    list[int]: [1, 2],
}


def module_of(name: str) -> str:
    """Return the package of a class of the contract."""
    if name in UPSTREAM:
        return UPSTREAM[name]["subdomain"]
    return "program_enrollments" if name.startswith("Program") else "credit"


@cache
def class_named(name: str) -> type:
    """Return a class of the contract."""
    return getattr(import_module(f"events.{module_of(name)}.data"), name)


def annotated(name: str) -> Any:
    """Return the type that the contract's text names."""
    if name in BASIC_TYPES:
        return BASIC_TYPES[name]
    if name.startswith("List["):
        return list[class_named(name.removeprefix("List[").removesuffix("]"))]
    return class_named(name)


CLASSES = [class_named(name) for name in DESCRIBED]


def example(cls: type) -> Any:
    """Return an object of a payload class with its required fields set."""
    return cls(
        *(
            EXAMPLES[field.type] if field.type in EXAMPLES else example(field.type)
            for field in attrs.fields(cls)
            if field.default is attrs.NOTHING
        )
    )


def built(annotation: Any, plain: Any) -> Any:
    """Return the value whose plain form, as in the contract's vectors, is given."""
    if plain is None or annotation in (str, bool, int, float):
        return plain
    if attrs.has(annotation):
        return annotation(
            **{name: built(field.type, plain[name]) for name, field in attrs.fields_dict(annotation).items()}
        )
    if typing.get_origin(annotation) in (list, dict):
        return plain
    if issubclass(annotation, OpaqueKey):
        return annotation.from_string(plain)
    return datetime.fromisoformat(plain) if annotation is datetime else annotation(plain)
