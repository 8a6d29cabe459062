"""An event type of the tests' own, and receivers that remember."""

from collections.abc import Callable
from typing import Any

import pytest

from events.testing import isolated_registry
from events.tooling import OpenEdxPublicSignal
from tests.events import outboxes
from tests.events.parcels import Parcel


@pytest.fixture(autouse=True)
def _isolated_registry():
    with isolated_registry():
        yield


@pytest.fixture
def parcel_sent() -> OpenEdxPublicSignal:
    return OpenEdxPublicSignal("org.example.parcel.sent.v1", {"parcel": Parcel, "attempt": int})


class Receiver:
    """Remembers the arguments of its calls; then returns its answer, or raises it."""

    def __init__(self, answer: object = None) -> None:
        self.answer = answer
        self.calls: list[dict[str, Any]] = []

    def __call__(self, **kwargs: Any) -> object:
        self.calls.append(kwargs)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def receive() -> Callable[..., Receiver]:
    """Connect a new receiver: `receive(signal, answer)`."""

    def connect(signal: OpenEdxPublicSignal, answer: object = None) -> Receiver:
        receiver = Receiver(answer)
        signal.connect(receiver, weak=False)
        return receiver

    return connect


@pytest.fixture
def parcels_leave(settings, parcel_sent) -> OpenEdxPublicSignal:
    """Let parcels leave by the outbox, to a new bus in memory."""
    settings.EVENT_BUS_PRODUCER = None
    settings.EVENT_BUS_PRODUCER = outboxes.MEMORY
    settings.EVENT_BUS_PRODUCER_CONFIG = outboxes.config()
    return parcel_sent
