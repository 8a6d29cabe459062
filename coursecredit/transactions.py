"""Transactions that are tried again when the database had to sacrifice one of several."""

import random
import sqlite3
import time
from collections.abc import Callable
from functools import wraps
from threading import Event
from typing import ParamSpec, TypeVar

from django.db import Error, OperationalError, transaction

ATTEMPTS = 5
PAUSE = 0.025  # seconds; doubled with each attempt, of which a random part is waited
SACRIFICED_STATES = frozenset({"40P01", "40001"})  # PostgreSQL: deadlock, serialisation failure
SACRIFICED_CODE = 1213  # MariaDB: deadlock
READ_ONLY_STATE = "25006"  # PostgreSQL
READ_ONLY_CODES = frozenset({1290, 1792, 1836})  # MariaDB: server, transaction or storage is read-only

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def retried_atomic(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run the function in a transaction, from the start again after a deadlock or a serialisation failure.

    Inside somebody else's transaction it is a savepoint, and the failure is theirs: only who opened a transaction can
    repeat all of it.
    """

    @wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        may_retry = not transaction.get_connection().in_atomic_block
        committed = Event()
        attempt = 1
        while True:
            try:
                with transaction.atomic():
                    transaction.on_commit(committed.set)  # first of all: a later callback may be what fails
                    return function(*args, **kwargs)
            except OperationalError as exc:
                if not may_retry or committed.is_set() or attempt == ATTEMPTS or not was_sacrificed(exc):
                    raise
            time.sleep(random.uniform(0, PAUSE * 2**attempt))  # noqa: S311  # spreads rivals, guards nothing
            attempt += 1

    return run


def was_sacrificed(exc: OperationalError) -> bool:
    """Return whether the database undid the transaction only because of others, so that repeating it can succeed."""
    return getattr(exc.__cause__, "sqlstate", None) in SACRIFICED_STATES or exc.args[:1] == (SACRIFICED_CODE,)


def was_read_only(exc: Error) -> bool:
    """Return whether the database refused a statement because it takes none that writes, as after a failover."""
    code = getattr(exc.__cause__, "sqlite_errorcode", 0)
    return (
        getattr(exc.__cause__, "sqlstate", None) == READ_ONLY_STATE
        or bool(READ_ONLY_CODES.intersection(exc.args[:1]))
        or code & 0xFF == sqlite3.SQLITE_READONLY  # the other bits say more precisely why
    )
