"""Tools for tests of code that sends or receives events: ours and yours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, overload
from unittest import TestCase

import attrs
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from events import outbox
from events.tooling import OpenEdxPublicSignal
from events.types import Emission

if TYPE_CHECKING:
    TestCaseMixin = TestCase
else:
    TestCaseMixin = object


@contextmanager
def captured_events() -> Iterator["CapturedEvents"]:
    """Record the events that are sent inside the block, from any thread and to any database.

    ```
    with captured_events() as events:
        enroll(learner, course)
    assert [event.event_type for event in events] == ["org.openedx.learning.course.enrollment.created.v1"]
    assert events[0].data["enrollment"].mode == "audit"
    ```

    Each event has `signal`, `event_type`, `metadata` and `data`, the arguments by name. An event counts from the
    moment it is sent, so a test in a transaction that never commits (Django's `TestCase`, pytest-django's `db`) needs
    no commit. It stops counting when its transaction, or a savepoint around it, is rolled back inside the block;
    what happens after the block changes nothing. Events of disabled signals are not sent, and events that came from
    another service are not ours: neither is recorded. Receivers run as ever.

    One limit: if a non-robust on-commit callback raises, Django drops the callbacks registered after it, and events
    of that transaction that were sent later are missing here too.
    """
    events = CapturedEvents()
    outbox.observers.append(events._record)
    try:
        yield events
    finally:
        outbox.observers.remove(events._record)
        events._settle()


class CapturedEvents(Sequence[Emission]):
    """The events that have been sent and not undone, in order; compares equal to a list of them."""

    def __init__(self) -> None:
        self._captures: list[_Capture] = []

    @overload
    def __getitem__(self, index: int) -> Emission: ...

    @overload
    def __getitem__(self, index: slice) -> list[Emission]: ...

    def __getitem__(self, index: int | slice) -> Emission | list[Emission]:
        return list(self)[index]

    def __iter__(self) -> Iterator[Emission]:
        return (capture.emission for capture in self._standing())

    def __len__(self) -> int:
        return len(self._standing())

    def __eq__(self, other: object) -> bool:
        return list(self) == (list(other) if isinstance(other, CapturedEvents) else other)

    __hash__ = None  # type: ignore[assignment]  # as a list

    def __repr__(self) -> str:
        return repr(list(self))

    def _record(self, emissions: Sequence[Emission], using: str) -> None:
        connection = transaction.get_connection(using)
        for emission in emissions:
            capture = _Capture(emission, connection)
            self._captures.append(capture)
            outbox.after_commit(capture, using=using, robust=True)

    def _standing(self) -> "list[_Capture]":
        connections = {capture.connection for capture in self._captures}
        waiting = {id(call) for connection in connections for _, call, *_ in connection.run_on_commit}
        return [capture for capture in self._captures if capture.is_settled or id(capture) in waiting]

    def _settle(self) -> None:
        self._captures = self._standing()
        for capture in self._captures:
            capture()


@attrs.define(eq=False)
class _Capture:
    """An event and its own on-commit callback: Django drops the callbacks of what is rolled back."""

    emission: Emission
    connection: BaseDatabaseWrapper
    is_settled: bool = False

    def __call__(self) -> None:
        self.is_settled = True


class EventsIsolationMixin:
    """Class methods for test classes that choose which events are sent."""

    @classmethod
    def disable_all_events(cls) -> None:
        """Make sending any event do nothing."""
        for signal in OpenEdxPublicSignal.all_events():
            signal.disable()

    @classmethod
    def enable_all_events(cls) -> None:
        """Let every event be sent."""
        for signal in OpenEdxPublicSignal.all_events():
            signal.enable()

    @classmethod
    def enable_events_by_type(cls, *event_types: str) -> None:
        """Let events of these types be sent.

        Raises:
            ValueError: a type is unknown; the text lists the known ones. Nothing has changed.
        """
        for signal in _signals(event_types):
            signal.enable()

    @classmethod
    def allow_send_events_failure(cls, *event_types: str) -> None:
        """Let the failures of these types' receivers reach the sender.

        Raises:
            ValueError: a type is unknown; the text lists the known ones. Nothing has changed.
        """
        for signal in _signals(event_types):
            signal.allow_send_event_failure()


class OpenEdxEventsTestMixin(EventsIsolationMixin, TestCaseMixin):
    """A test class in which only the listed events are sent, and their receivers' failures fail the test.

    Afterwards every signal is enabled or not, and lets failures through or not, as it was before. Among the bases it
    stands before `TestCase`, which does not pass `setUpClass` on.
    """

    ENABLED_OPENEDX_EVENTS: ClassVar[Sequence[str]] = []
    _switches: ClassVar[dict[OpenEdxPublicSignal, tuple[bool, bool]]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls._switches = _switches()
        try:
            cls.disable_all_events()
            cls.enable_events_by_type(*cls.ENABLED_OPENEDX_EVENTS)
            cls.allow_send_events_failure(*cls.ENABLED_OPENEDX_EVENTS)
        except ValueError:
            _restore_switches(cls._switches)  # unittest does not tear down what it could not set up
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        _restore_switches(cls._switches)
        super().tearDownClass()


class FreezeSignalCacheMixin(TestCaseMixin):
    """A test class whose own signals are forgotten afterwards. Among the bases it stands before `TestCase`."""

    _registry: ClassVar[dict[str, OpenEdxPublicSignal]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls._registry = _registry()

    @classmethod
    def tearDownClass(cls) -> None:
        _restore_registry(cls._registry)
        super().tearDownClass()


@contextmanager
def isolated_registry() -> Iterator[None]:
    """Undo, after the block, what it did to signals: made, enabled or disabled them, let failures through or not."""
    registry, switches = _registry(), _switches()
    try:
        yield
    finally:
        _restore_registry(registry)
        _restore_switches(switches)


def _registry() -> dict[str, OpenEdxPublicSignal]:
    return dict(OpenEdxPublicSignal._mapping)


def _restore_registry(registry: dict[str, OpenEdxPublicSignal]) -> None:
    OpenEdxPublicSignal._mapping.clear()
    OpenEdxPublicSignal._mapping.update(registry)


def _switches() -> dict[OpenEdxPublicSignal, tuple[bool, bool]]:
    return {signal: (signal._is_enabled, signal._failures_propagate) for signal in OpenEdxPublicSignal.all_events()}


def _restore_switches(switches: dict[OpenEdxPublicSignal, tuple[bool, bool]]) -> None:
    for signal, (is_enabled, failures_propagate) in switches.items():
        signal._is_enabled, signal._failures_propagate = is_enabled, failures_propagate


def _signals(event_types: Sequence[str]) -> list[OpenEdxPublicSignal]:
    known = {signal.event_type: signal for signal in OpenEdxPublicSignal.all_events()}
    unknown = sorted(set(event_types) - set(known))
    if unknown:
        raise ValueError(f"Unknown event types: {', '.join(unknown)}. Known are: {', '.join(sorted(known))}.")
    return [known[event_type] for event_type in event_types]
