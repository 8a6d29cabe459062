"""The service behind a TLS proxy, configured by environment variables only; docs/settings.md describes each.

It does not start without its secrets, nor with such as everybody knows.
"""

from django.core.exceptions import ImproperlyConfigured

from settings.base import *  # noqa: F403
from settings.base import BASE_DIR, CELERY_BEAT_SCHEDULE, MIDDLEWARE, OAUTH2_PROVIDER, REST_FRAMEWORK
from settings.bus import producer_config
from settings.environment import Environment
from settings.keys import jwt_auth, trusted_issuer
from settings.logs import logging_config
from settings.storages import bulk_jobs

env = Environment()

SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.secrets("SECRET_KEY_FALLBACKS")

# --- the site and its proxy

SITE_NAME = env.required("SITE_NAME")
PLATFORM_NAME = env.str("PLATFORM_NAME", default="Course credit")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[SITE_NAME.partition(":")[0]])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

NUM_PROXIES = env.number("NUM_PROXIES", default=1)
REST_FRAMEWORK = {**REST_FRAMEWORK, "NUM_PROXIES": NUM_PROXIES}  # whose entries in X-Forwarded-For are believed
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # the proxy has to set it, whatever the client sent
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked inside the cluster, without TLS
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", default=365 * 24 * 60 * 60)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

MIDDLEWARE = ["settings.middleware.request_figures", *MIDDLEWARE]

STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "var" / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "bulk_jobs": bulk_jobs(env.str("BULK_JOBS_ROOT", default=str(BASE_DIR / "var" / "jobs"))),
}
after_security = MIDDLEWARE.index("django.middleware.security.SecurityMiddleware") + 1
MIDDLEWARE = [
    *MIDDLEWARE[:after_security],
    "whitenoise.middleware.WhiteNoiseMiddleware",
    *MIDDLEWARE[after_security:],
]

# --- neighbours

DATABASES = {
    "default": {**env.database("DATABASE_URL"), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True},
}
CACHES = {"default": {**env.cache_server("CACHE_URL"), "KEY_PREFIX": "course-credit"}}
CELERY_BROKER_URL = env.required("CELERY_BROKER_URL")
CELERY_BEAT_SCHEDULE_FILENAME = env.str("CELERY_BEAT_SCHEDULE_FILENAME", default="celerybeat-schedule")

mail = env.mail_server("EMAIL_URL")
EMAIL_BACKEND = mail["EMAIL_BACKEND"]
EMAIL_HOST = mail["EMAIL_HOST"]
EMAIL_PORT = mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER = mail["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.required("DEFAULT_FROM_EMAIL")

LOGGING = logging_config(json=True, level=env.str("LOG_LEVEL", default="INFO"))

# --- tokens, ours and those of a learning management system that we trust

OAUTH2_TOKEN_LIFETIME = env.number("OAUTH2_TOKEN_LIFETIME", default=3600)
OAUTH2_PROVIDER = {**OAUTH2_PROVIDER, "ACCESS_TOKEN_EXPIRE_SECONDS": OAUTH2_TOKEN_LIFETIME}
OAUTH2_RESTRICTED_CLIENTS = env.lists_of_text("OAUTH2_RESTRICTED_CLIENTS")

lms_keys = env.key_set("LMS_JWT_PUBLIC_JWK_SET")
JWT_AUTH = jwt_auth(
    env.signing_key("JWT_PRIVATE_SIGNING_JWK"),
    issuer=env.str("JWT_ISSUER", default=f"https://{SITE_NAME}/oauth2"),
    audience=env.str("JWT_AUDIENCE", default="course-credit"),
    former=env.key_set("JWT_FORMER_PUBLIC_JWK_SET"),
    outside=[trusted_issuer(env.required("LMS_JWT_ISSUER"), env.required("LMS_JWT_AUDIENCE"), lms_keys)]
    if lms_keys
    else [],
)
if not lms_keys and env.str("LMS_JWT_ISSUER", default=""):
    raise ImproperlyConfigured("LMS_JWT_ISSUER needs LMS_JWT_PUBLIC_JWK_SET: without keys nothing is trusted.")

# --- the apps

CREDIT_PROVIDER_SECRET_KEYS = env.json_object("CREDIT_PROVIDER_SECRET_KEYS")
CREDIT_PROVIDER_TIMESTAMP_EXPIRATION = env.number("CREDIT_PROVIDER_TIMESTAMP_EXPIRATION", default=900)
CREDIT_ELIGIBILITY_EXPIRATION_DAYS = env.number("CREDIT_ELIGIBILITY_EXPIRATION_DAYS", default=365)
ECOMMERCE_API_URL = env.str("ECOMMERCE_API_URL", default="")
CREDIT_COMMERCE_TOKEN_URL = env.str("CREDIT_COMMERCE_TOKEN_URL", default="")
CREDIT_COMMERCE_CLIENT_ID = env.str("CREDIT_COMMERCE_CLIENT_ID", default="")
CREDIT_COMMERCE_CLIENT_SECRET = env.str("CREDIT_COMMERCE_CLIENT_SECRET", default="")
if ECOMMERCE_API_URL:
    CREDIT_PORTS = {"commerce": "credit.adapters.commerce.CommerceProviders"}
    ask_who_gives_credit = {"task": "credit.tasks.refresh_credit_providers", "schedule": 6 * 60 * 60}
    CELERY_BEAT_SCHEDULE = {**CELERY_BEAT_SCHEDULE, "ask who gives credit": ask_who_gives_credit}
CREDIT_HELP_LINK_URL = env.str("CREDIT_HELP_LINK_URL", default="#")
ENABLE_SPECIAL_EXAMS = env.bool("ENABLE_SPECIAL_EXAMS", default=False)
FEATURES = {"ENABLE_CREDIT_ELIGIBILITY": env.bool("ENABLE_CREDIT_ELIGIBILITY", default=False)}
EDX_API_KEY = env.secrets("EDX_API_KEY")
ENROLLMENT_THROTTLE_RATES = {
    "user": env.str("ENROLLMENT_THROTTLE_USER_RATE", default="40/minute"),
    "staff": env.str("ENROLLMENT_THROTTLE_STAFF_RATE", default="120/minute"),
}
ENROLLMENT_COURSE_DETAIL_RATE = env.str("ENROLLMENT_COURSE_DETAIL_RATE", default="40/minute")
ENROLLMENT_THROTTLING_ENABLED = env.bool("ENROLLMENT_THROTTLING_ENABLED", default=True)
COURSES_INVITE_ONLY = env.bool("COURSES_INVITE_ONLY", default=False)
CROSS_DOMAIN_CSRF_ORIGINS = env.list("CROSS_DOMAIN_CSRF_ORIGINS", default=[])
CROSS_DOMAIN_CSRF_COOKIE_NAME = env.str("CROSS_DOMAIN_CSRF_COOKIE_NAME", default="")
CROSS_DOMAIN_CSRF_COOKIE_DOMAIN = env.str("CROSS_DOMAIN_CSRF_COOKIE_DOMAIN", default="")
EVENTS_SERVICE_NAME = env.str("EVENTS_SERVICE_NAME", default="course-credit")

# --- the event bus; without a server events stay within the service

EVENT_BUS_REDIS_CONNECTION_URL = env.str("EVENT_BUS_REDIS_CONNECTION_URL", default="").strip() or None
EVENT_BUS_TOPIC_PREFIX = env.str("EVENT_BUS_TOPIC_PREFIX", default="")
EVENT_BUS_REDIS_STREAM_MAX_LEN = env.number("EVENT_BUS_REDIS_STREAM_MAX_LEN", default=10_000) or None
EVENT_BUS_PRODUCER_CONFIG = {}
if EVENT_BUS_REDIS_CONNECTION_URL:
    EVENT_BUS_PRODUCER = "events.bus.redis.create_producer"
    EVENT_BUS_CONSUMER = "events.bus.redis.RedisEventConsumer"
    EVENT_BUS_PRODUCER_CONFIG = producer_config(env.json_object("EVENT_BUS_PRODUCER_CONFIG"))
