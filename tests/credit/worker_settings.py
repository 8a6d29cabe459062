"""The development site in a folder of its own, with a mail server and short waits."""

import os

from settings.development import *  # noqa: F403
from settings.logs import logging_config

LOGGING = logging_config(json=False, level="DEBUG")
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ["MAIL_PORT"])
CREDIT_EMAIL_CLAIM_SECONDS = 5
CREDIT_TASK_DEFAULT_RETRY_DELAY = 1
