"""Typed settings: one subclass per app is the only place there that reads `django.conf.settings`."""

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

CENTURY = timedelta(days=36525).total_seconds()


class AppSettings:
    """Settings of one app, read at use so that `override_settings` just works.

    A subclass has one documented property per setting. `_get` adds the app's prefix; `_get_site` reads a name that
    is published without it.
    """

    prefix: ClassVar[str]

    def _get(self, name: str, default: Any) -> Any:
        return self._get_site(f"{self.prefix}{name}", default)

    def _get_site(self, name: str, default: Any) -> Any:
        return getattr(settings, name, default)

    def _duration(self, name: str, default: float, *, unit: timedelta) -> timedelta:
        """Read a number of `unit`s, published under its whole name, as a duration."""
        value = self._get_site(name, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value * unit.total_seconds() < CENTURY:
            raise ImproperlyConfigured(f"{name} must be a number from 0 to less than a century, not {value!r}.")
        duration: timedelta = value * unit
        return duration

    def _count(self, name: str, default: int) -> int:
        """Read a whole number that is not negative, published under its whole name."""
        value = self._get_site(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ImproperlyConfigured(f"{name} must be a whole number, not negative, not {value!r}.")
        return value
