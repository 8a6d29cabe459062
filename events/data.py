"""What is known about an event beside its payload."""

import json
import re
import socket
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from uuid import UUID, uuid4

import attrs
from attrs.validators import deep_iterable, instance_of
from django.utils import timezone

from events.conf import DISTRIBUTION, conf


def release(version_text: str) -> tuple[int, int, int]:
    """Return major, minor and patch of a version; what follows the digits, such as `rc1`, is left out."""
    digits = re.match(r"\d+(\.\d+)*", version_text)
    numbers = [int(part) for part in digits[0].split(".")] if digits else []
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return major, minor, patch


SOURCELIB = release(version(DISTRIBUTION))


@attrs.frozen(init=False)
class EventsMetadata:
    """Who told what when. Two events are the same event if and only if their `source` and `id` are equal.

    Every field but the first takes its default for None.

    Attributes:
        event_type: full type, such as `org.openedx.learning.course.enrollment.created.v1`.
        id: a random UUID by default; any version is accepted.
        minorversion: counts compatible additions to the event type, from 0.
        source: the emitting service, `openedx/<service>/web`.
        sourcehost: host name of the emitting machine.
        time: when the fact became true, stored in UTC; an event about a row has the row's own time.
        sourcelib: major, minor and patch of the emitting library.

    Raises:
        TypeError: a value of another type.
        ValueError: a naive time.
    """

    event_type: str = attrs.field(validator=instance_of(str))
    id: UUID = attrs.field(validator=instance_of(UUID))
    minorversion: int = attrs.field(validator=instance_of(int))
    source: str = attrs.field(validator=instance_of(str))
    sourcehost: str = attrs.field(validator=instance_of(str))
    time: datetime = attrs.field(validator=instance_of(datetime))
    sourcelib: tuple[int, ...] = attrs.field(validator=deep_iterable(instance_of(int), instance_of(tuple)))

    def __init__(
        self,
        event_type: str,
        id: UUID | None = None,
        minorversion: int | None = None,
        source: str | None = None,
        sourcehost: str | None = None,
        time: datetime | None = None,
        sourcelib: tuple[int, ...] | None = None,
    ) -> None:
        self.__attrs_init__(
            event_type=event_type,
            id=uuid4() if id is None else id,
            minorversion=0 if minorversion is None else minorversion,
            source=f"openedx/{conf.SERVICE_NAME}/web" if source is None else source,
            sourcehost=socket.gethostname() if sourcehost is None else sourcehost,
            time=timezone.now() if time is None else _in_utc(time),
            sourcelib=SOURCELIB if sourcelib is None else sourcelib,
        )

    def to_json_data(self) -> dict[str, Any]:
        """Return the fields by name, with `id` as text and `time` as ISO text."""
        return {**attrs.asdict(self, recurse=False), "id": str(self.id), "time": self.time.isoformat()}

    def to_json(self) -> str:
        """Return JSON text from which `from_json` makes an equal object."""
        return json.dumps(self.to_json_data())

    @classmethod
    def from_json(cls, text: str) -> "EventsMetadata":
        """Return what `to_json` was called on.

        Raises:
            KeyError, TypeError, ValueError: the text is not metadata.
        """
        fields = json.loads(text)
        fields["id"] = UUID(fields["id"])
        fields["time"] = datetime.fromisoformat(fields["time"])
        fields["sourcelib"] = tuple(fields["sourcelib"])
        return cls(**fields)


def _in_utc(time: datetime) -> datetime:
    if not isinstance(time, datetime):
        raise TypeError(f"The time of an event must be a datetime, not {type(time).__name__}.")
    if timezone.is_naive(time):
        raise ValueError("The time of an event must be aware.")
    try:
        return time.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError("The time of an event must be expressible in UTC.") from exc
