"""The events app."""

from django.apps import AppConfig

from events import checks
from events.tooling import load_all_signals


class EventsConfig(AppConfig):
    """Public events, their registry and the way they leave this service."""

    name = "events"
    verbose_name = "Events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Complete the registry and register the checks."""
        checks.register()
        load_all_signals()
