"""The event bus on Redis Streams. The package `redis` is needed only once a producer or consumer is made."""

from events.bus.redis.consumer import RedisEventConsumer
from events.bus.redis.producer import create_producer

__all__ = ["RedisEventConsumer", "create_producer"]
