"""The rows of large files that this app applies: one kind of job, many enrollments."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from coursecredit.errors import DomainError
from enrollment import api
from enrollment.errors import InvalidJob, MalformedItemError
from enrollment.jobs import Row, RowResult, register
from enrollment.types import BulkOutcome, StateDict

ENROLLMENTS = "enrollments"

FIELDS = ("username", "email", "course_id", "mode", "is_active", "enrollment_attributes")
ATTRIBUTES = (
    "order:order_number",
    "order:date_placed",
    "order:order_id",
    "order:line_item_id",
    "order:source_system",
    "credit:provider_id",
)
"""Attributes in known use have a column each; others go into `enrollment_attributes`."""
OPTIONS = ("force_enrollment", "invite_unknown")
TRUTHS = {"": None, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class EnrollmentRows:
    """Each row is an item of `enrollment.api.enroll_in_bulk`."""

    columns: Collection[str] = (*FIELDS, *ATTRIBUTES)
    result_columns: Sequence[str] = ("mode_before", "active_before", "mode_after", "active_after")

    def check(self, parameters: Mapping[str, Any], columns: Collection[str] | None) -> None:
        if unknown := sorted(set(parameters) - set(OPTIONS)):
            raise InvalidJob(f"Unknown parameters: {', '.join(unknown)}. There are: {', '.join(OPTIONS)}.")
        if wrong := [name for name, value in parameters.items() if not isinstance(value, bool | None)]:
            raise InvalidJob(f"These parameters must be true or false: {', '.join(wrong)}.")
        if columns is not None and ("course_id" not in columns or {"username", "email"}.isdisjoint(columns)):
            raise InvalidJob("The file needs the column course_id, and username or email.")

    def process(
        self, rows: Sequence[Row], *, parameters: Mapping[str, Any], requested_by: int | None, dry_run: bool
    ) -> list[RowResult]:
        items: list[Any] = [_item(row.values) for row in rows]
        wanted = [item for item in items if not isinstance(item, DomainError)]
        try:
            outcomes = iter(
                api.enroll_in_bulk(
                    wanted,
                    requested_by=requested_by,
                    force_enrollment=bool(parameters.get("force_enrollment")),
                    invite_unknown=bool(parameters.get("invite_unknown")),
                    dry_run=dry_run,
                )
            )
        except DomainError as exc:
            return [_refused(exc) for _ in rows]
        return [_refused(item) if isinstance(item, DomainError) else _result(next(outcomes)) for item in items]


def register_kinds() -> None:
    """Have this app's rows applied from files."""
    register(ENROLLMENTS, EnrollmentRows())


def _item(values: Mapping[str, Any]) -> dict[str, Any] | DomainError:
    """Return a row as an item. JSON lines have its types already; in CSV all is text."""
    try:
        item = {name: _plain(values[name]) for name in FIELDS if name in values}
        item["is_active"] = _truth(item.get("is_active"))
        item["enrollment_attributes"] = _attributes(values, item.get("enrollment_attributes"))
    except MalformedItemError as exc:
        return exc
    return item


def _plain(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _truth(value: Any) -> Any:
    """Return what a text says; anything else is judged as in a bulk call."""
    return TRUTHS.get(value.lower(), value) if isinstance(value, str) else value


def _attributes(values: Mapping[str, Any], given: Any) -> Any:
    """Return the attributes of a row's columns and of its list; None if it has neither."""
    if isinstance(given, str):
        given = _parsed(given) if given else None
    named = [
        dict(zip(("namespace", "name"), column.split(":"), strict=True), value=_plain(values[column]))
        for column in ATTRIBUTES
        if values.get(column) not in (None, "")
    ]
    if not named or not isinstance(given, list | None):
        return given
    return [*(given or ()), *named]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise MalformedItemError("`enrollment_attributes` must be a JSON list of namespace, name and value.") from exc


def _result(outcome: BulkOutcome) -> RowResult:
    if outcome["error"] is not None:
        return RowResult(ok=False, code=outcome["error"]["error_code"], message=outcome["error"]["message"])
    before, after = outcome["before"], outcome["after"]
    details = {**_told(before, "before"), **_told(after, "after")}
    return RowResult(ok=True, code="invited" if outcome["invited"] else _what_happened(before, after), details=details)


def _what_happened(before: StateDict | None, after: StateDict | None) -> str:
    was, now = before is not None and before["is_active"], after is not None and after["is_active"]
    if was != now:
        return "enrolled" if now else "unenrolled"
    return "unchanged" if before == after else "changed"


def _told(state: StateDict | None, moment: str) -> dict[str, str]:
    if state is None:
        return {}
    return {f"mode_{moment}": state["mode"], f"active_{moment}": "true" if state["is_active"] else "false"}


def _refused(exc: DomainError) -> RowResult:
    return RowResult(ok=False, code=exc.code, message=str(exc))
