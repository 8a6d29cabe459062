"""Shapes that the modules of this app share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import attrs

from events.data import EventsMetadata

Value = TypeVar("Value")

if TYPE_CHECKING:
    Nullable: TypeAlias = Value | None
    BareDict: TypeAlias = dict[str, Any]
else:
    BareDict = dict  # what it holds is not said, so it has no encoding

    class Nullable:
        """`Nullable[T]` is `T | None` for type checkers and plain `T` at run time.

        A payload's field may be null because its default is None (events contract 4), so its annotation, which
        encoders read, names the type alone.
        """

        def __class_getitem__(cls, item: Any) -> Any:
            return item


@attrs.frozen
class About:
    """What people should know about a kind of event; `docs/events.md` is made from it.

    Attributes:
        when: the fact, in a sentence or two.
        sender: who tells it: an app of this project by its name, or another service in words.
        topic: the topic on which it travels by convention, without prefix; "" if there is none.
        key: path to the value whose events stay in order, such as `enrollment.course.course_key`; "" if there is none.
    """

    when: str
    sender: str
    topic: str = ""
    key: str = ""


class EventDefinition(Protocol):
    """What may be known about a kind of event below the signals."""

    event_type: str
    init_data: dict[str, Any]
    minor_version: int
    defaults: dict[str, Any]


@attrs.frozen
class Emission:
    """One event on its way out of this service.

    Attributes:
        signal: the signal that was sent.
        data: the payload: the signal's arguments by name. Kept out of `repr`, because it may be personal.
        metadata: identity, source and time of the event.
    """

    signal: EventDefinition
    data: Mapping[str, Any] = attrs.field(repr=False)
    metadata: EventsMetadata

    @property
    def event_type(self) -> str:
        """The full type, such as `org.openedx.learning.course.enrollment.created.v1`."""
        return self.metadata.event_type
