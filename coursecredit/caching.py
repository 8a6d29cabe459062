"""Cached values that stay coherent with the database (credit contract 2.9).

A value is stored together with the generation that was current before it was built. Invalidation, once the changing
transaction has committed, starts a new generation and deletes the value, so a reader that began earlier can store
its old value but nobody will take it. A cache that fails is logged and read as empty: it slows, it never breaks.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, transaction

log = logging.getLogger(__name__)
Value = TypeVar("Value")


@dataclass(frozen=True)
class CoherentCache:
    """One cached value, under one key of the default cache."""

    key: str

    def get_or_build(self, build: Callable[[], Value], *, timeout: float | None = None) -> Value:
        """Return the cached value, else what `build()` returns, stored for `timeout` seconds (None: the default).

        Inside a transaction that has called `invalidate`, the cache is neither read nor filled. One that keeps seeing
        the data of its beginning does not fill it.
        """
        if self._changed_here():
            return build()
        generation = self._generation()
        entry = self._read(self.key)
        if generation is not None and isinstance(entry, tuple) and entry[0] == generation:
            value: Value = entry[1]
            return value
        value = build()
        if generation is not None and not _reads_a_snapshot():
            self._write(self.key, (generation, value), timeout)
        return value

    def invalidate(self, *, using: str = DEFAULT_DB_ALIAS) -> None:
        """Forget the value when the current transaction commits, or at once outside of one."""
        transaction.on_commit(_Invalidation(self), using=using)

    def invalidate_now(self) -> None:
        """Forget the value; what readers build meanwhile from older data is not taken by others."""
        self._write(self._generation_key, uuid4().hex, None, forever=True)
        try:
            cache.delete(self.key)
        except Exception:
            log.exception("The cache did not delete %s.", self.key)

    @property
    def _generation_key(self) -> str:
        return f"{self.key}.generation"

    def _generation(self) -> str | None:
        generation = self._read(self._generation_key)
        if generation is None:
            try:
                cache.add(self._generation_key, uuid4().hex, None)
            except Exception:
                log.exception("The cache did not take %s.", self._generation_key)
            generation = self._read(self._generation_key)
        return generation if isinstance(generation, str) else None

    def _changed_here(self) -> bool:
        return any(callback == _Invalidation(self) for _, callback, *_ in transaction.get_connection().run_on_commit)

    def _read(self, key: str) -> Any:
        try:
            return cache.get(key)
        except Exception:
            log.exception("The cache could not be read for %s.", key)
            return None

    def _write(self, key: str, value: Any, timeout: float | None, *, forever: bool = False) -> None:
        try:
            if timeout is None and not forever:
                cache.set(key, value)
            else:
                cache.set(key, value, timeout)
        except Exception:
            log.exception("The cache did not take %s.", key)


def _reads_a_snapshot() -> bool:
    """Tell whether the open transaction may see older data than what was committed before its last statement."""
    connection = transaction.get_connection()
    if not connection.in_atomic_block or not hasattr(connection, "isolation_level"):
        return False
    level = connection.isolation_level
    name = str(getattr(level, "name", level)).lower().replace("_", " ")
    return name not in ("read committed", "read uncommitted")


@dataclass(frozen=True)
class _Invalidation:
    """An on-commit callback that can be recognised among the others of its transaction."""

    entry: CoherentCache

    def __call__(self) -> None:
        self.entry.invalidate_now()
