"""Memory that lasts as long as one request or one Celery task, and does not exist outside of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from celery.signals import task_postrun, task_prerun
from django.core.signals import request_finished, request_started

Scope = dict[str, dict[Any, Any]]

_scopes: ContextVar[tuple[Scope, ...]] = ContextVar("request_cache", default=())


def request_cache(namespace: str) -> dict[Any, Any] | None:
    """Return the current request's or task's dictionary for a namespace, or None outside of one."""
    scopes = _scopes.get()
    return scopes[-1].setdefault(namespace, {}) if scopes else None


def forget(namespace: str) -> None:
    """Drop what is remembered under a namespace: by the current task, and by the request inside which it runs."""
    for scope in _scopes.get():
        scope.pop(namespace, None)


@contextmanager
def request_scope() -> Iterator[None]:
    """Behave as inside one request: for management commands, consumers and tests."""
    token = _scopes.set((*_scopes.get(), {}))
    try:
        yield
    finally:
        _scopes.reset(token)


def _open_request(**kwargs: Any) -> None:
    _scopes.set(({},))  # whatever an earlier request on this thread has left behind


def _close_request(**kwargs: Any) -> None:
    _scopes.set(())


def _open_task(**kwargs: Any) -> None:
    _scopes.set((*_scopes.get(), {}))


def _close_task(**kwargs: Any) -> None:
    _scopes.set(_scopes.get()[:-1])


def connect() -> None:
    """Open a scope with every request and task; each app's `ready()` calls this, and a second call changes nothing."""
    for signal, receiver in (
        (request_started, _open_request),
        (request_finished, _close_request),
        (task_prerun, _open_task),
        (task_postrun, _close_task),
    ):
        signal.connect(receiver, dispatch_uid=f"coursecredit.{receiver.__name__}")
