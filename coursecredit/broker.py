"""The one way tasks are put on the broker: a hurry-up that never slows or fails the caller.

What must happen is a row first, and a periodic sweep finds it. So publishing is tried once, waits at most
`TIMEOUT` seconds for each answer, asks for no confirmation, and after a failure rests for `PAUSE` seconds in this
process.
"""

import logging
import os
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from celery import Task
from celery.result import AsyncResult
from django.db import DEFAULT_DB_ALIAS, transaction
from kombu import Connection

TIMEOUT = 0.2  # seconds
PAUSE = 5.0  # seconds

log = logging.getLogger(__name__)
_rest_until = 0.0
_idle: deque[Connection] = deque()
_inherited: list[Connection] = []


class DiscreetTask(Task[..., Any]):
    """A task whose arguments may name a learner: logs, monitors and error reports see a placeholder instead."""

    def apply_async(self, *args: Any, **options: Any) -> AsyncResult[Any]:
        """Publish the task, as `delay` and retries do too."""
        hidden = {"argsrepr": "(not shown)", "kwargsrepr": "(not shown)"}
        return super().apply_async(*args, **{**options, **hidden})


def enqueue(task: Task[..., Any], *args: Any) -> bool:
    """Ask a worker to run a task now; return whether the broker took it. Never raises.

    Arguments are ids and plain values: they are stored on the broker and may be repeated. Inside a transaction use
    `enqueue_on_commit`, or the worker may look before there is something to see.
    """
    global _rest_until
    if time.monotonic() < _rest_until:
        return False
    connection: Connection | None = None
    try:
        connection = _take_connection(task)
        options: dict[str, Any] = {"connection": connection, "retry": False, "ignore_result": True}
        task.apply_async(args, **options)
    except Exception as exc:
        _rest_until = time.monotonic() + PAUSE
        _drop(connection)
        # The exception's text may name the broker's address and password.
        log.warning("The broker did not take %s (%s); the periodic sweep will.", task.name, type(exc).__name__)
        return False
    if connection is not None:
        _idle.append(connection)
    return True


def enqueue_on_commit(task: Task[..., Any], *args: Any, using: str = DEFAULT_DB_ALIAS) -> None:
    """Enqueue after the current transaction commits: once, however often it is asked for inside.

    Outside a transaction this is `enqueue`. A rollback, also of just the savepoint around the call, forgets it.
    """
    nudge = _Nudge(task, args)
    # Every entry left belongs to savepoints that are over or still around us: it runs whenever ours would.
    pending = (callback for _, callback, *_ in transaction.get_connection(using).run_on_commit)
    if not any(isinstance(callback, _Nudge) and callback == nudge for callback in pending):
        transaction.on_commit(nudge, using=using, robust=True)


def reset() -> None:
    """Forget the last failure and close idle connections."""
    global _rest_until
    _rest_until = 0.0
    while _idle:
        _drop(_idle.pop())


@dataclass
class _Nudge:
    """An on-commit callback that can be recognised among the others of its transaction."""

    task: Task[..., Any]
    args: tuple[Any, ...]
    # Only where a test runs callbacks of a transaction that goes on does a nudge stay listed after its run.
    done: bool = field(default=False, init=False)

    def __call__(self) -> None:
        self.done = True
        enqueue(self.task, *self.args)


def _take_connection(task: Task[..., Any]) -> Connection | None:
    """Return a connection that nobody else uses, with short time-outs that workers' connections do not have."""
    if task.app.conf.task_always_eager:
        return None
    try:
        return _idle.pop()
    except IndexError:
        connection: Connection = task.app.connection_for_write(connect_timeout=TIMEOUT)
    connection.transport_options = {**(connection.transport_options or {}), **_limits(connection)}
    return connection


def _limits(connection: Connection) -> dict[str, Any]:
    """Return the transport options, by kind of broker, that bound every wait; without retries for all."""
    match connection.get_transport_cls().driver_type:
        case "amqp":
            waits = {"confirm_publish": False, "read_timeout": TIMEOUT, "write_timeout": TIMEOUT}
        case "redis":
            waits = {"socket_connect_timeout": TIMEOUT, "socket_timeout": TIMEOUT}
        case _:
            waits = {}
    return {**waits, "max_retries": 0}


def _drop(connection: Connection | None) -> None:
    """Close without a farewell, for which a blocked broker would let us wait."""
    if connection is None:
        return
    try:
        connection.collect()
    except Exception as exc:
        log.debug("A broken broker connection did not close (%s).", type(exc).__name__)


def _leave_connections_to_parent() -> None:
    """Keep, unused, what a fork copied: collecting it would shut the parent's sockets."""
    _inherited.extend(_idle)
    _idle.clear()


os.register_at_fork(after_in_child=_leave_connections_to_parent)
