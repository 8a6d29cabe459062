"""What goes into a chunk and what comes out of it."""

from typing import TypeAlias

from attrs import frozen

from coursecredit.errors import DomainError
from enrollment.state_machine import Stored
from enrollment.types import AttributeDict


@frozen
class Wish:
    """One item: a learner, by name or else by address, and what is wanted of the enrollment in a course."""

    username: str | None
    email: str | None
    course_id: str
    mode: str | None = None
    is_active: bool | None = None
    attributes: list[AttributeDict] | None = None
    flaw: DomainError | None = None
    """What is wrong with mode, activity or attributes; told only about learners who exist, as for a single request."""


@frozen
class Done:
    """An item that was applied: the enrollment before and after it, None while there is none."""

    before: Stored | None
    after: Stored | None
    is_invited: bool = False
    """Nobody has the address, and it has an invitation now."""


Result: TypeAlias = Done | DomainError
