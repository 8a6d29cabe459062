"""The embedded default: everything in one data folder, nothing to install, nothing to configure.

`COURSE_CREDIT_DATA_DIR` moves the folder, and all that the site keeps with it. Not for production: it shows its
errors to everybody.
"""

from pathlib import Path

from settings.base import *  # noqa: F403
from settings.base import BASE_DIR, STORAGES
from settings.bus import PRODUCER_CONFIG
from settings.databases import database
from settings.environment import Environment
from settings.keys import jwt_auth, kept_signing_key
from settings.logs import logging_config
from settings.storages import bulk_jobs

env = Environment()

DATA_DIR = Path(env.str("COURSE_CREDIT_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
MESSAGES = DATA_DIR / "broker" / "messages"
CONTROL = DATA_DIR / "broker" / "control"
for folder in (MESSAGES, CONTROL, DATA_DIR / "cache", DATA_DIR / "mail"):
    folder.mkdir(parents=True, exist_ok=True)

DEBUG = True
SECRET_KEY = "django-insecure: everybody knows the secret of the development site"  # noqa: S105
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

DATABASES = {"default": database(f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
CACHES = {
    "default": {  # shared by web, worker and commands
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA_DIR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
STORAGES = {**STORAGES, "bulk_jobs": bulk_jobs(DATA_DIR / "jobs")}
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = "credit@example.edu"

CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": str(MESSAGES),
    "data_folder_out": str(MESSAGES),
    "control_folder": str(CONTROL),
    "polling_interval": 0.1,  # seconds
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")

EVENT_BUS_PRODUCER = "events.bus.logging.create_producer"
EVENT_BUS_PRODUCER_CONFIG = PRODUCER_CONFIG  # through the outbox, as in production; the bus leads into the log

JWT_AUTH = jwt_auth(
    kept_signing_key(DATA_DIR / "signing-key.json"), issuer="http://127.0.0.1:8000/oauth2", audience="course-credit"
)
LOGGING = logging_config(json=False, level="INFO")

PLATFORM_NAME = "Course credit"
SITE_NAME = "127.0.0.1:8000"
FEATURES = {"ENABLE_CREDIT_ELIGIBILITY": True}
CREDIT_PROVIDER_SECRET_KEYS = env.json_object("CREDIT_PROVIDER_SECRET_KEYS")
