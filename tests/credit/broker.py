"""What has been put on the tests' own broker, which is in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import current_app

from coursecredit import broker


@dataclass(frozen=True)
class Message:
    """A task as it lies on the broker."""

    task: str
    args: list[Any]
    headers: dict[str, Any]


@contextmanager
def empty_broker() -> Iterator[Callable[[], list[Message]]]:
    """Yield a function that takes everything off the broker, on which nothing is to begin with."""
    broker.reset()
    with current_app.connection_for_read() as connection:
        queue = current_app.amqp.queues[current_app.conf.task_default_queue](connection.default_channel)
        queue.declare()
        queue.purge()

        def take() -> list[Message]:
            messages = iter(lambda: queue.get(no_ack=True), None)
            return [Message(message.headers["task"], message.payload[0], message.headers) for message in messages]

        yield take
        queue.purge()
    broker.reset()
