"""The tests' settings.

`DATABASE_URL` chooses the database, in-memory SQLite without it; `TEST_REDIS_URL` a server for the cache, the process's
memory without it.
"""

import os

from settings.base import *  # noqa: F403
from settings.databases import database
from settings.environment import Environment
from settings.keys import jwt_auth, new_signing_key

env = Environment()

SECRET_KEY = "only for tests"  # noqa: S105
DATABASES = {"default": database(env.str("DATABASE_URL", default="sqlite://:memory:"))}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if env.str("TEST_REDIS_URL", default=""):
    CACHES = {"default": {**env.cache_server("TEST_REDIS_URL"), "KEY_PREFIX": f"test-{os.getpid()}"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_BROKER_URL = "memory://"
JWT_AUTH = jwt_auth(new_signing_key(), issuer="https://credit.example.edu/oauth2", audience="course-credit")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "bulk_jobs": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
