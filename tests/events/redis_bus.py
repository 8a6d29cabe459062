"""A topic on a real Redis, written to as other services do, and what its group has done with it."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import redis

from events.avro import encode
from events.bus.redis import RedisEventConsumer
from events.data import EventsMetadata
from events.headers import entry_fields
from events.tooling import OpenEdxPublicSignal
from tests.events.parcels import Parcel

GROUP = "readers"


class Topic:
    """One stream under a key that nobody else uses."""

    def __init__(self, url: str) -> None:
        self.name = "parcels"
        self.prefix = f"test-{uuid4().hex}"
        self.url = url
        self.redis = redis.Redis.from_url(url)

    @property
    def key(self) -> str:
        return f"{self.prefix}-{self.name}"

    @property
    def settings(self) -> dict[str, Any]:
        """What a site with this topic has set, with waits that a test can wait for."""
        return {
            "EVENT_BUS_REDIS_CONNECTION_URL": self.url,
            "EVENT_BUS_TOPIC_PREFIX": self.prefix,
            "EVENT_BUS_CONSUMER": "events.bus.redis.RedisEventConsumer",
            "EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT": 0.2,
            "EVENT_BUS_REDIS_CONSUMER_POLL_FAILURE_SLEEP": 0.01,
            "EVENTS_CONSUMER_BACKOFF_SECONDS": 0.01,
            "EVENTS_CONSUMER_BACKOFF_MAX_SECONDS": 0.05,
        }

    def consumer(self, **options: Any) -> RedisEventConsumer:
        return RedisEventConsumer(self.name, GROUP, **options)

    def send(self, signal: OpenEdxPublicSignal, *, attempt: int = 1, **changes: str | bytes | None) -> str:
        """Write one entry; `changes` replace fields, or with None leave them out. Returns its id in the stream."""
        payload = encode(signal, {"parcel": Parcel("marker-in-the-payload"), "attempt": attempt})
        fields = {**dict(entry_fields(EventsMetadata(signal.event_type), payload)), **changes}
        return self.write({name: value for name, value in fields.items() if value is not None})

    def write(self, fields: Mapping[str, Any]) -> str:
        return self.redis.xadd(self.key, dict(fields)).decode()

    @property
    def pending(self) -> list[tuple[str, int]]:
        """Ids with their number of deliveries, of what was handed out and not acknowledged."""
        found = self.redis.xpending_range(self.key, GROUP, min="-", max="+", count=1000)
        return [(entry["message_id"].decode(), entry["times_delivered"]) for entry in found]

    @property
    def dead_letters(self) -> list[dict[str, str]]:
        letters = self.redis.xrange(f"{self.key}.dlq.{GROUP}")
        return [
            {name.decode(): value.decode(errors="replace") for name, value in fields.items()} for _, fields in letters
        ]

    def delete(self) -> None:
        for key in self.redis.scan_iter(f"{self.prefix}*"):
            self.redis.delete(key)
        self.redis.close()


def text_of(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode(errors="replace") for name, value in fields.items()}
