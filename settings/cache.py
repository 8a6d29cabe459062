"""A Redis cache without which the service is slower, and nothing else."""

import logging
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

LIMITS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}  # seconds

log = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache that misses, logs and waits little when the server is down, full or slow.

    What could not be deleted may be read again once the server is back, until it times out. `KEY_PREFIX` is to be set.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": {**LIMITS, **params.get("OPTIONS", {})}})

    def add(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with _Forgiving("add"):
            return bool(super().add(key, value, timeout, version))
        return False

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        with _Forgiving("get"):
            return super().get(key, default, version)
        return default

    def set(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        with _Forgiving("set"):
            super().set(key, value, timeout, version)

    def touch(self, key: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with _Forgiving("touch"):
            return bool(super().touch(key, timeout, version))
        return False

    def delete(self, key: Any, version: int | None = None) -> bool:
        with _Forgiving("delete"):
            return bool(super().delete(key, version))
        return False

    def has_key(self, key: Any, version: int | None = None) -> bool:
        with _Forgiving("has_key"):
            return bool(super().has_key(key, version))
        return False

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        with _Forgiving("incr"):
            return int(super().incr(key, delta, version))
        raise ValueError("The key was not found.")  # as without the key

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        with _Forgiving("get_many"):
            return dict(super().get_many(keys, version))
        return {}

    def set_many(
        self, data: dict[Any, Any], timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[Any]:
        with _Forgiving("set_many"):
            return list(super().set_many(data, timeout, version))
        return list(data)

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        with _Forgiving("delete_many"):
            super().delete_many(keys, version)

    def clear(self) -> None:
        """Delete this site's keys: under the same number a server may keep queues and streams."""
        with _Forgiving("clear"):
            client = self._cache.get_client(None, write=True)
            for key in client.scan_iter(match=f"{self.key_prefix}:*", count=1000):
                client.delete(key)


class _Forgiving:
    """Ends its block at a failure of the server, with one line in the log."""

    def __init__(self, method: str) -> None:
        self._method = method

    def __enter__(self) -> None:
        """Watch the block."""

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(exc, RedisError | OSError):
            return False
        # The message may name the server's address and password, keys and values are nobody's business either.
        log.warning("The cache failed in %s (%s).", self._method, type(exc).__name__)
        return True
