# ruff: noqa: N802  # a property is named like its setting
"""Settings of the events app, read when used; nothing else here reads `django.conf.settings`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from coursecredit.conf import AppSettings

DISTRIBUTION = "course-credit"
"""The name under which this package is installed."""

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
MODES = ("outbox", "on-commit")
ON_ENCODING_ERROR = ("raise", "log")

GREATEST_BATCH = 10_000
"""Events that a relay can send at a time: SQLite takes 32,766 parameters for a statement, and a row needs three."""


class EventsSettings(AppSettings):
    """One property per setting, under the setting's published name, or that name without `EVENTS_`."""

    prefix = "EVENTS_"

    @property
    def SERVICE_NAME(self) -> str:
        """The emitting service in an event's `source`; without `EVENTS_SERVICE_NAME` that is `SERVICE_VARIANT`."""
        name: str | None = self._get("SERVICE_NAME", None) or self._get_site("SERVICE_VARIANT", None)
        return name or "SERVICE_NAME_UNSET"

    @property
    def DEBUG(self) -> bool:
        """Django's own switch: while it is on, the first failing receiver stops the sender."""
        return bool(self._get_site("DEBUG", False))

    # --- the bus

    @property
    def EVENT_BUS_PRODUCER(self) -> str | None:
        """Dotted path of a callable that makes an `EventBusProducer`; None: events stay within the process."""
        return self._dotted_path("EVENT_BUS_PRODUCER")

    @property
    def EVENT_BUS_CONSUMER(self) -> str | None:
        """Dotted path of what makes an `EventBusConsumer` of a topic and a group; None: nothing can be consumed."""
        return self._dotted_path("EVENT_BUS_CONSUMER")

    @property
    def EVENT_BUS_PRODUCER_CONFIG(self) -> Mapping[str, Any]:
        """Event type to topic to `event_key_field`, `enabled`, and perhaps `mode` and `redact_pii`."""
        config: Mapping[str, Any] = self._get_site("EVENT_BUS_PRODUCER_CONFIG", {})
        return config

    @property
    def EVENT_BUS_PRODUCER_MODE(self) -> str:
        """How events leave where a topic does not say: `outbox`, or `on-commit` (at once and at most once)."""
        return self._one_of("EVENT_BUS_PRODUCER_MODE", MODES)

    @property
    def EVENT_BUS_TOPIC_PREFIX(self) -> str:
        """The environment's name, which with a hyphen begins every stream key; "" for none."""
        return self._get_site("EVENT_BUS_TOPIC_PREFIX", None) or ""

    # --- the outbox

    @property
    def EVENTS_MAX_PAYLOAD_BYTES(self) -> int:
        """Length of the longest payload that is sent."""
        return self._count("EVENTS_MAX_PAYLOAD_BYTES", 65536)

    @property
    def EVENTS_OUTBOX_ON_ENCODING_ERROR(self) -> str:
        """What happens to an event that cannot be encoded: `raise`, or `log` and keep a dead row without payload."""
        return self._one_of("EVENTS_OUTBOX_ON_ENCODING_ERROR", ON_ENCODING_ERROR)

    @property
    def EVENTS_OUTBOX_POLL_SECONDS(self) -> timedelta:
        """How long a relay that has found nothing waits before it looks again; published in seconds."""
        return self._duration("EVENTS_OUTBOX_POLL_SECONDS", 5, unit=SECOND)

    @property
    def EVENTS_OUTBOX_BATCH(self) -> int:
        """How many events a relay sends at a time."""
        batch = self._count("EVENTS_OUTBOX_BATCH", 200)
        if batch > GREATEST_BATCH:
            raise ImproperlyConfigured(f"EVENTS_OUTBOX_BATCH must be {GREATEST_BATCH} at most, not {batch}.")
        return batch

    @property
    def EVENTS_OUTBOX_LEASE_SECONDS(self) -> timedelta:
        """How long a relay may take for a batch before another tries; published in seconds."""
        return self._duration("EVENTS_OUTBOX_LEASE_SECONDS", 60, unit=SECOND)

    @property
    def EVENTS_OUTBOX_MAX_ATTEMPTS(self) -> int:
        """How often the bus may refuse an event before it is given up."""
        return self._count("EVENTS_OUTBOX_MAX_ATTEMPTS", 10)

    @property
    def EVENTS_OUTBOX_RETENTION_DAYS(self) -> timedelta:
        """How long what has been sent is kept; published in days."""
        return self._duration("EVENTS_OUTBOX_RETENTION_DAYS", 7, unit=DAY)

    # --- the consumer

    @property
    def EVENTS_CONSUMER_MAX_DELIVERIES(self) -> int:
        """How often an event that receivers fail at is delivered before it becomes a dead letter."""
        return self._count("EVENTS_CONSUMER_MAX_DELIVERIES", 5)

    @property
    def EVENTS_CONSUMER_BACKOFF_SECONDS(self) -> timedelta:
        """How long the consumer waits after a failure; doubled with each further one; published in seconds."""
        return self._duration("EVENTS_CONSUMER_BACKOFF_SECONDS", 1, unit=SECOND)

    @property
    def EVENTS_CONSUMER_BACKOFF_MAX_SECONDS(self) -> timedelta:
        """The longest such wait; published in seconds."""
        return self._duration("EVENTS_CONSUMER_BACKOFF_MAX_SECONDS", 60, unit=SECOND)

    @property
    def EVENTS_CONSUMER_CLAIM_SECONDS(self) -> timedelta:
        """How often the consumer looks for what dead consumers of its group have left; published in seconds."""
        return self._duration("EVENTS_CONSUMER_CLAIM_SECONDS", 60, unit=SECOND)

    @property
    def EVENTS_CONSUMER_MIN_IDLE_SECONDS(self) -> timedelta:
        """After how long another consumer's entry counts as left behind; published in seconds."""
        return self._duration("EVENTS_CONSUMER_MIN_IDLE_SECONDS", 300, unit=SECOND)

    @property
    def EVENTS_CONSUMER_RETENTION_DAYS(self) -> timedelta:
        """How long it is remembered which events were handled: longer than any may be delivered again; in days."""
        return self._duration("EVENTS_CONSUMER_RETENTION_DAYS", 30, unit=DAY)

    # --- Redis Streams

    @property
    def EVENT_BUS_REDIS_CONNECTION_URL(self) -> str | None:
        """Address of the server, `redis://…` or `rediss://…`, with its password if it has one; None: no server."""
        url: str | None = self._get_site("EVENT_BUS_REDIS_CONNECTION_URL", None)
        return url or None

    @property
    def EVENT_BUS_REDIS_STREAM_MAX_LEN(self) -> int | None:
        """About how many entries a stream keeps; None: all, until somebody trims it."""
        length: int | None = self._get_site("EVENT_BUS_REDIS_STREAM_MAX_LEN", 10_000)
        if length is not None and not _is_count(length):
            raise ImproperlyConfigured(
                f"EVENT_BUS_REDIS_STREAM_MAX_LEN must be a whole number above 0, or None, not {length!r}."
            )
        return length

    @property
    def EVENT_BUS_REDIS_AUDIT_LOGGING_ENABLED(self) -> bool:
        """Whether each entry that is written or read leaves a line in the log, without its payload."""
        return bool(self._get_site("EVENT_BUS_REDIS_AUDIT_LOGGING_ENABLED", True))

    @property
    def EVENT_BUS_REDIS_EXTRA_FIELDS(self) -> bool:
        """Whether entries also carry `specversion`, `datacontenttype` and `eventkey`, which stock readers ignore."""
        return bool(self._get_site("EVENT_BUS_REDIS_EXTRA_FIELDS", False))

    @property
    def EVENT_BUS_REDIS_CONSUMERS_ENABLED(self) -> bool:
        """Whether consumers run; otherwise they say so and end at once."""
        return bool(self._get_site("EVENT_BUS_REDIS_CONSUMERS_ENABLED", True))

    @property
    def EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT(self) -> timedelta:
        """How long the consumer waits for entries before it asks again; published in seconds."""
        return self._duration("EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT", 60, unit=SECOND)

    @property
    def EVENT_BUS_REDIS_CONSUMER_POLL_FAILURE_SLEEP(self) -> timedelta:
        """How long the consumer waits before it connects again; doubled with each failure; published in seconds."""
        return self._duration("EVENT_BUS_REDIS_CONSUMER_POLL_FAILURE_SLEEP", 1.0, unit=SECOND)

    @property
    def EVENT_BUS_REDIS_CONSUMER_CONSECUTIVE_ERRORS_LIMIT(self) -> int | None:
        """After how many errors in a row the consumer ends; None: never."""
        limit: int | None = self._get_site("EVENT_BUS_REDIS_CONSUMER_CONSECUTIVE_ERRORS_LIMIT", None)
        if limit is not None and not _is_count(limit):
            raise ImproperlyConfigured(
                "EVENT_BUS_REDIS_CONSUMER_CONSECUTIVE_ERRORS_LIMIT must be a whole number above 0, or None, "
                f"not {limit!r}."
            )
        return limit

    def _count(self, name: str, default: int) -> int:
        count = self._get_site(name, default)
        if not _is_count(count):
            raise ImproperlyConfigured(f"{name} must be a whole number above 0, not {count!r}.")
        return int(count)

    def _one_of(self, name: str, words: tuple[str, ...]) -> str:
        word = self._get_site(name, words[0])
        if word not in words:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(words)}, not {word!r}.")
        return str(word)

    def _dotted_path(self, name: str) -> str | None:
        path = self._get_site(name, None)
        if path is not None and not isinstance(path, str):
            raise ImproperlyConfigured(f"{name} must be a dotted path, not {type(path).__name__}.")
        return path or None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


conf = EventsSettings()
