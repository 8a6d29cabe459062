"""A small stock Open edX service: the reference's own packages, and nothing of ours but the types it may learn."""

import os

SECRET_KEY = "only for tests"
USE_TZ = True
INSTALLED_APPS = ["openedx_events", *filter(None, [os.environ.get("STOCK_APPS")])]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
SERVICE_VARIANT = "lms"
EVENT_BUS_TOPIC_PREFIX = os.environ["STOCK_PREFIX"]
EVENT_BUS_REDIS_CONNECTION_URL = os.environ["STOCK_REDIS_URL"]
EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT = 1
EVENT_BUS_PRODUCER = "edx_event_bus_redis.create_producer"
EVENT_BUS_CONSUMER = "edx_event_bus_redis.RedisEventConsumer"
