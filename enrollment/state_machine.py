"""What a request for an enrollment means, given what is stored (enrollment contract 6). Pure: values in, values out.

Nothing here knows rows, backends or HTTP, so one request and a thousand at once are decided by the same rules:

```
decision = decide(Stored("audit", is_active=True), mode="verified", is_active=None, privileged=True)
```

Read a decision from top to bottom, and stop where something refuses:

1. `decide` itself refuses what contradicts itself, or lacks attributes, by raising.
2. `mode_check` says whether the mode must be one that the course offers, and whether one that has expired will do. For
   an `ADD` without a mode, first choose the mode for learners who name none; it is checked all the same.
3. `action` says what is to be written:
   `KEEP`: nothing; the stored record is the answer.
   `UPDATE`: the stored row takes `mode` and `is_active`; None leaves either. Nobody's access is checked.
   `ADD`: there has to be an account and, if any access is required, a course. `requires_open` asks for an enrollment
   window or an invitation, `requires_seat` for a seat under the cap. Then the row, new or inactive, takes `mode`
   (None: the one chosen) and `is_active`. A row that stays inactive requires neither.
4. `takes_extras` says whether attributes, cohort and e-mail preference that came with the request are stored too.

A decision is about the state it was given: decide under the row's lock, and again if a rival's row turns up.
"""

from collections.abc import Collection
from enum import Enum

from attrs import frozen

from enrollment.choices import REQUIRED_ATTRIBUTES
from enrollment.errors import EnrollmentAttributesMissingError, EnrollmentModeMismatchError
from enrollment.types import AttributeDict


class Action(Enum):
    """What is to be written."""

    KEEP = "keep"
    UPDATE = "update"
    ADD = "add"


class ModeCheck(Enum):
    """Which modes of the course will do."""

    ANY = "any"
    """No look is taken: the mode is not named, or stored already."""
    OFFERED = "offered"
    EXPIRED_TOO = "expired too"


@frozen
class Stored:
    """An enrollment as it is."""

    mode: str
    is_active: bool


@frozen
class Decision:
    """What a request means; the module's docstring tells how to read it."""

    action: Action
    mode: str | None
    is_active: bool | None
    mode_check: ModeCheck
    takes_extras: bool
    requires_open: bool = False
    requires_seat: bool = False


def decide(
    stored: Stored | None,
    *,
    mode: str | None,
    is_active: bool | None,
    privileged: bool,
    server_request: bool = False,
    force: bool = False,
    attributes: Collection[AttributeDict] | None = None,
    strict_attributes: bool = False,
) -> Decision:
    """Return what a request means.

    Args:
        stored: the enrollment, or None.
        mode: the mode that is asked for, or None.
        is_active: the activity that is asked for, or None.
        privileged: it comes from a trusted server or from global staff.
        server_request: it comes from a trusted server, which may move enrollments to expired modes.
        force: global staff ask to pass over closed enrollment and expired modes.
        attributes: those that came with the request, well formed.
        strict_attributes: `ENROLLMENT_STRICT_MODE_ATTRIBUTES`.

    Raises:
        EnrollmentModeMismatchError: an active enrollment would leave and move to another mode in one step.
        EnrollmentAttributesMissingError: the mode needs attributes that are not among those given.
    """
    moves = stored is not None and mode is not None and stored.mode != mode
    switches = stored is not None and is_active is not None and stored.is_active != is_active
    expired_will_do = is_active is False or force
    if stored is not None and privileged and (moves or switches):
        if moves and switches and is_active is False:
            raise EnrollmentModeMismatchError
        if attributes or strict_attributes:
            _require_attributes(mode, attributes or ())
        return _update(mode, is_active, expired_will_do=expired_will_do or server_request)
    if stored is not None and (stored.is_active or (is_active is False and (privileged or mode == stored.mode))):
        # Who is enrolled and repeats the request is answered, whatever has become of the course meanwhile.
        check = _offered(expired_will_do) if moves else ModeCheck.ANY
        return _keep(check, takes_extras=privileged or not stored.is_active)
    if strict_attributes:
        _require_attributes(mode, attributes or ())
    stays_inactive = stored is not None and is_active is False
    return Decision(
        action=Action.ADD,
        mode=mode,
        is_active=is_active is not False,
        mode_check=_offered(expired_will_do),
        takes_extras=True,
        requires_open=not (stays_inactive or force),
        requires_seat=not stays_inactive,
    )


def _update(mode: str | None, is_active: bool | None, *, expired_will_do: bool) -> Decision:
    return Decision(
        action=Action.UPDATE,
        mode=mode,
        is_active=is_active,
        mode_check=ModeCheck.ANY if mode is None else _offered(expired_will_do),
        takes_extras=True,
    )


def _keep(check: ModeCheck, *, takes_extras: bool) -> Decision:
    return Decision(action=Action.KEEP, mode=None, is_active=None, mode_check=check, takes_extras=takes_extras)


def _offered(expired_will_do: bool) -> ModeCheck:
    return ModeCheck.EXPIRED_TOO if expired_will_do else ModeCheck.OFFERED


def _require_attributes(mode: str | None, attributes: Collection[AttributeDict]) -> None:
    required = REQUIRED_ATTRIBUTES.get(mode or "", [])
    given = {f"{attribute['namespace']}:{attribute['name']}" for attribute in attributes}
    if not given.issuperset(required):
        raise EnrollmentAttributesMissingError(
            f"The {mode} mode needs enrollment attributes that are missing; required: {', '.join(required)}."
        )
