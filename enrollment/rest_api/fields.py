"""Reading of JSON bodies whose fields mean "not given" when they are null."""

from collections.abc import Mapping
from typing import Any

from coursecredit.errors import DomainError
from enrollment.rest_api.refusals import MalformedField


def text_in(body: Mapping[str, Any], name: str) -> str | None:
    """Return a field's text, or None if it is not given or null.

    Raises:
        MalformedField: it is something else.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise MalformedField(f"`{name}` must be text or null.")
    return value


def flag_in(body: Mapping[str, Any], name: str, refusal: type[DomainError] | None = None) -> bool | None:
    """Return a field's JSON boolean, or None if it is not given or null; texts and numbers are no booleans.

    Raises:
        MalformedField, or the refusal that is named instead: it is something else.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise (refusal or MalformedField)(f"`{name}` must be true, false or null.")
    return value


def object_in(body: Any, name: str) -> Mapping[str, Any]:
    """Return the object in a field; an empty one for anything else."""
    value = body.get(name) if isinstance(body, Mapping) else None
    return value if isinstance(value, Mapping) else {}
