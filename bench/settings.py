"""The service as production runs it, but for what only production has: TLS, its secrets and its providers."""

import os

from settings.test import *  # noqa: F403

DEBUG = False
ROOT_URLCONF = "bench.urls"
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES["default"] |= {"CONN_MAX_AGE": 60}  # noqa: F405
CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": os.environ.get("BENCH_SECRET", "")}
ENROLLMENT_THROTTLING_ENABLED = False  # the switch for load tests
FEATURES = {"ENABLE_CREDIT_ELIGIBILITY": True}

EVENT_BUS_REDIS_CONNECTION_URL = os.environ.get("BENCH_REDIS_URL") or os.environ.get("TEST_REDIS_URL")
EVENT_BUS_PRODUCER = "events.bus.redis.create_producer"
EVENT_BUS_TOPIC_PREFIX = "course-credit-bench"  # nothing else on that server is touched
EVENT_BUS_REDIS_STREAM_MAX_LEN = 1_000_000
EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT = 1
