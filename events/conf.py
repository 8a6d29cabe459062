"""Settings of the events app."""

from coursecredit.conf import AppSettings

DISTRIBUTION = "course-credit"
"""The name under which this package is installed."""


class EventsSettings(AppSettings):
    """Read at use."""

    prefix = "EVENTS_"

    @property
    def SERVICE_NAME(self) -> str:  # noqa: N802  # a setting's published name
        """The emitting service in an event's `source`; without `EVENTS_SERVICE_NAME` that is `SERVICE_VARIANT`."""
        name: str | None = self._get("SERVICE_NAME", None) or self._get_site("SERVICE_VARIANT", None)
        return name or "SERVICE_NAME_UNSET"

    @property
    def DEBUG(self) -> bool:  # noqa: N802  # a setting's published name
        """Django's own switch: while it is on, the first failing receiver stops the sender."""
        return bool(self._get_site("DEBUG", False))


conf = EventsSettings()
