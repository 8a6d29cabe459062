"""Connections to the Redis server of the event bus."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

from events.conf import conf

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT = 5.0  # seconds
NOT_NOW = (
    "OOM",
    "LOADING",
    "READONLY",
    "MISCONF",
    "NOAUTH",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "NOREPLICAS",
    "TRYAGAIN",
    "BUSY",
    "NOPERM",
)
"""First words of replies that tell of the server's state, or of what we may do there, and not of the command."""

NOT_ALLOWED = ("The user executing the script", "ACL failure")
"""What such replies begin with after the word ERR, if the server runs a script that may not do what it wants to."""


def library() -> Any:
    """Return the package `redis`.

    Raises:
        ImproperlyConfigured: it is not installed.
    """
    try:
        import redis  # only whoever has a bus on Redis needs it
    except ImportError as exc:
        raise ImproperlyConfigured(
            "The event bus on Redis needs the package redis: install course-credit[service]."
        ) from exc
    return redis


def connect(*, connect_timeout: float = TIMEOUT, timeout: float | None = TIMEOUT) -> "Redis":
    """Return a client of the configured server. It connects when first used, and tries nothing twice.

    Args:
        connect_timeout: seconds to wait for a connection.
        timeout: seconds to wait for an answer; None: for ever. What the URL itself says wins.

    Raises:
        ImproperlyConfigured: no server is configured, or none can be, or the package `redis` is not installed.
    """
    package = library()
    if conf.EVENT_BUS_REDIS_CONNECTION_URL is None:
        raise ImproperlyConfigured("EVENT_BUS_REDIS_CONNECTION_URL is not set: it names the server of the event bus.")
    no_retry = package.retry.Retry(package.backoff.NoBackoff(), 0)
    try:
        client: Redis = package.Redis.from_url(
            conf.EVENT_BUS_REDIS_CONNECTION_URL,
            socket_connect_timeout=connect_timeout,
            socket_timeout=timeout,
            retry=no_retry,
        )
    except ValueError:
        # The exception's text may quote a part of the password.
        raise ImproperlyConfigured("EVENT_BUS_REDIS_CONNECTION_URL is no address that can be read.") from None
    return client


def stream_of(topic: str) -> str:
    """Return the key of the stream that holds a topic in this environment."""
    prefix = conf.EVENT_BUS_TOPIC_PREFIX
    return f"{prefix}-{topic}" if prefix else topic
