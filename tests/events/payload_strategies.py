"""Arbitrary payloads, for property tests."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import attrs
from ccx_keys.locator import CCXLocator
from hypothesis import strategies as st
from opaque_keys.edx.keys import CourseKey, UsageKey

words = st.text("abcXYZ019-_", min_size=1, max_size=12)
zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
runs = st.builds("{}+{}+{}".format, words, words, words)
old_runs = st.builds("{}/{}/{}".format, words, words, words)
courses = st.one_of(
    runs.map("course-v1:{}".format),
    old_runs,
    st.builds("library-v1:{}+{}".format, words, words),
    st.builds("ccx-v1:{}+ccx@{}".format, runs, st.integers(1, 10**6)),
)
usages = st.one_of(
    st.builds("block-v1:{}+type@{}+block@{}".format, runs, words, words),
    st.builds("i4x://{}/{}/{}/{}".format, words, words, words, words),
    st.builds("lb:{}:{}:{}:{}".format, words, words, words, words),
)
values: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=40),
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    datetime: st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones),  # noqa: DTZ001  # bounds
    UUID: st.uuids(),
    CourseKey: courses.map(CourseKey.from_string),
    UsageKey: usages.map(UsageKey.from_string),
    CCXLocator: st.builds("ccx-v1:{}+ccx@{}".format, runs, st.integers(1, 10**6)).map(CCXLocator.from_string),
    list[str]: st.lists(st.text(max_size=10), max_size=80),
    list[int]: st.lists(st.integers(-(2**63), 2**63 - 1), max_size=80),
    dict[str, str]: st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=80),
}


def payloads(cls: type) -> st.SearchStrategy[Any]:
    """Return a strategy for objects of a payload class, with null where it may be."""
    return st.builds(
        cls,
        *(
            of(field.type) if field.default is not None else st.none() | of(field.type)
            for field in attrs.fields(attrs.resolve_types(cls))
        ),
    )


def of(annotation: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for values of one field."""
    return values[annotation] if annotation in values else payloads(annotation)


def plain(value: Any) -> Any:
    """Return what a reader that knows Avro but not our classes makes of a value."""
    if attrs.has(type(value)):
        return {name: plain(getattr(value, name)) for name in attrs.fields_dict(type(value))}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, UUID | CourseKey | UsageKey) else value
