"""What every way of running the site shares. Nothing here is secret, and nothing reads the environment."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from settings.storages import bulk_jobs

BASE_DIR = Path(__file__).resolve().parent.parent

INSTALLED_APPS = [
    "settings",  # first: its templates replace the admin's
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "oauth2_provider",
    "simple_history",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "events",
    "enrollment",
    "program_enrollments",
    "credit",
]

MIDDLEWARE = [
    "settings.middleware.request_ids",
    "settings.middleware.text_charsets",
    "settings.middleware.content_security_policy",
    "django.middleware.security.SecurityMiddleware",
    "settings.middleware.request_log",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "settings.urls"
WSGI_APPLICATION = "settings.wsgi.application"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "credit_learner:my_credit"
LOGOUT_REDIRECT_URL = "login"
X_FRAME_OPTIONS = "DENY"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español"), ("ar", "العربية")]  # as their speakers call them
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "bulk_jobs": bulk_jobs(BASE_DIR / "var" / "jobs"),
}

# --- REST: who calls, and how the API is described

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [  # anonymous is 401, because the first one sends a challenge
        "settings.authentication.JwtAuthentication",
        "settings.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "NUM_PROXIES": 0,  # limits per address look at the connection, not at what a caller says of itself
}

ENROLLMENT_AUTHENTICATION_CLASSES = [  # whose sessions serve unconfirmed accounts and neighbour sites
    "settings.authentication.JwtAuthentication",
    "settings.authentication.BearerAuthentication",
    "enrollment.rest_api.authentication.SessionAuthentication",
]

SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Course credit",
    "DESCRIPTION": "University credit for online courses: eligibility, credit requests and providers' decisions.",
    "VERSION": version("course-credit"),
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "OAUTH2_FLOWS": ["clientCredentials"],
    "OAUTH2_TOKEN_URL": "/oauth2/access_token",
}

OAUTH2_SCOPES = {
    "read": "Read what the user may read",
    "write": "Write what the user may write",
    "email": "The user's e-mail address, in JSON Web Tokens",
    "profile": "The user's name and rank, in JSON Web Tokens",
    "user_id": "The user's id, in JSON Web Tokens",
}
OAUTH2_TOKEN_LIFETIME = 3600  # seconds
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",  # client credentials, nothing else
    "OAUTH2_VALIDATOR_CLASS": "settings.oauth.Validator",
    "SCOPES_BACKEND_CLASS": "settings.oauth.Scopes",
    "ACCESS_TOKEN_GENERATOR": "settings.oauth.access_token",
    "ACCESS_TOKEN_EXPIRE_SECONDS": OAUTH2_TOKEN_LIFETIME,
    "REFRESH_TOKEN_EXPIRE_SECONDS": OAUTH2_TOKEN_LIFETIME,  # there are none; this says so to the clean-up
    "SCOPES": OAUTH2_SCOPES,
    "DEFAULT_SCOPES": ["read", "write", "email", "profile"],
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
}
OAUTH2_RESTRICTED_CLIENTS: dict[str, list[str]] = {}  # client id: the scopes that it is restricted to

OPENEDX_TELEMETRY: list[str] = []  # of edx-drf-extensions: nothing is reported to anybody

# --- Celery: rows hold what must happen, so tasks have no results and may run twice

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "send mails that are owed": {
        "task": "credit.tasks.send_due_credit_emails",
        "schedule": 60,  # seconds
        "options": {"expires": 60},  # sweeps do not pile up while no worker runs
    },
    "go on with jobs": {
        "task": "enrollment.tasks.run_bulk_jobs",
        "schedule": 30,  # seconds
        "options": {"expires": 30},
    },
    "delete files of old jobs": {"task": "enrollment.tasks.purge_bulk_jobs", "schedule": 60 * 60},
    "forget old callbacks": {"task": "credit.tasks.purge_callback_log", "schedule": 24 * 60 * 60},
    "read requirements of published courses": {
        "task": "credit.tasks.update_due_credit_requirements",
        "schedule": 5 * 60,
        "options": {"expires": 5 * 60},
    },
    "relay events": {
        "task": "events.tasks.relay_outbox",
        "schedule": 5,  # seconds
        "options": {"expires": 5},
    },
    "delete events that were sent": {"task": "events.tasks.purge_outbox", "schedule": 60 * 60},
    "forget events that were consumed": {"task": "events.tasks.purge_processed_events", "schedule": 60 * 60},
    "delete expired tokens and sessions": {"task": "settings.celery.delete_expired", "schedule": 24 * 60 * 60},
}
