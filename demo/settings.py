"""The development site with a practice LMS, as `python -m demo` starts it."""

from settings.development import *  # noqa: F403
from settings.development import INSTALLED_APPS, env

INSTALLED_APPS = [*INSTALLED_APPS, "demo"]
ROOT_URLCONF = "demo.urls"
SITE_NAME = env.str("DEMO_SITE_NAME", default="127.0.0.1:8000")
