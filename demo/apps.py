"""The demo as an app, so that `manage.py` finds its command."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The sample site. It has no tables."""

    name = "demo"
