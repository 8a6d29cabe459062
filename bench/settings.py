"""The service as production runs it, but for what only production has: TLS, its secrets and its providers."""

import os

from settings.test import *  # noqa: F403

DEBUG = False
ROOT_URLCONF = "bench.urls"
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES["default"] |= {"CONN_MAX_AGE": 60}  # noqa: F405
CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": os.environ.get("BENCH_SECRET", "")}
FEATURES = {"ENABLE_CREDIT_ELIGIBILITY": True}
