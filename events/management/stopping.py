"""A clean stop: what is in hand is finished first."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any


@contextmanager
def until_asked_to_stop() -> Iterator[Event]:
    """Give an event that SIGTERM and SIGINT set, and put their former handlers back afterwards."""
    stop = Event()

    def ask(number: int, frame: Any) -> None:
        stop.set()

    former = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
