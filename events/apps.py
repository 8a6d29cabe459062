"""The events app."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """Public events, their registry and the way they leave this service."""

    name = "events"
    verbose_name = "Events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Complete the registry, register the checks and listen to the outbox."""
        from events import checks, handlers  # models are loaded only now
        from events.tooling import load_all_signals

        checks.register()
        load_all_signals()
        handlers.connect()
