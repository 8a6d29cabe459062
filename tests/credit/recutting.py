"""All ways to read a signed text, which neither separates nor escapes its pairs (credit contract 3.3)."""

import re
from collections.abc import Collection, Iterator

CALLBACK_KEYS = ("request_uuid", "status", "timestamp")
REQUEST_KEYS = (
    "course_completion_timestamp",
    "course_num",
    "course_org",
    "course_run",
    "enrollment_timestamp",
    "final_grade",
    "request_uuid",
    "timestamp",
    "user_country",
    "user_email",
    "user_full_name",
    "user_mailing_address",
    "user_username",
)


def readings(text: str, keys: Collection[str]) -> Iterator[dict[str, str]]:
    """Yield every parameter set with exactly these keys, whatever its values, that has this signed text."""
    first, *others = sorted(keys)
    if text.startswith(f"{first}:"):
        for values in _cuts(text.removeprefix(f"{first}:"), others):
            yield dict(zip([first, *others], values, strict=True))


def _cuts(text: str, keys: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield every way to cut a text into a value, `key:`, a value, `key:`, … and a last value."""
    if not keys:
        yield (text,)
        return
    marker = f"{keys[0]}:"
    at = text.find(marker)
    while at >= 0:
        for values in _cuts(text[at + len(marker) :], keys[1:]):
            yield (text[:at], *values)
        at = text.find(marker, at + 1)


def is_well_formed_callback(params: dict[str, str]) -> bool:
    """Tell whether the values have the form of a decision: more than the endpoint takes, which looks at the clock."""
    return (
        params["request_uuid"].strip() != ""
        and params["status"] in ("approved", "rejected")
        and re.fullmatch("-?[0-9]+", params["timestamp"]) is not None
    )
