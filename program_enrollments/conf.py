# ruff: noqa: N802  # a property is named like its setting
"""Typed settings of the program enrollments app (program enrollments contract 13), read at every use.

All but a few are members of one mapping, `PROGRAM_ENROLLMENTS`.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from coursecredit.conf import AppSettings

SETTING = "PROGRAM_ENROLLMENTS"


class ProgramEnrollmentsSettings(AppSettings):
    """One property per setting."""

    prefix = SETTING

    @property
    def PORTS(self) -> Mapping[str, str]:
        """Port name to the dotted path of a class; names not given keep their default."""
        ports: Mapping[str, str] = self._member("PORTS", {})
        return ports

    @property
    def AUTHENTICATION_CLASSES(self) -> Sequence[str] | None:
        """Dotted paths of authenticators, or None for the project's."""
        paths: Sequence[str] | None = self._member("AUTHENTICATION_CLASSES", None)
        return paths

    @property
    def MAX_WRITE_RECORDS(self) -> int:
        """How many students one request may name."""
        return self._number("MAX_WRITE_RECORDS", 25)

    @property
    def PAGE_SIZE(self) -> int:
        """How many rows a page has that asks for none or nonsense."""
        return self._number("PAGE_SIZE", 100)

    @property
    def MAX_PAGE_SIZE(self) -> int:
        """How many rows a page has at most."""
        return self._number("MAX_PAGE_SIZE", 1000)

    @property
    def WAITING_EXPIRATION(self) -> timedelta:
        """How long an enrollment without account is kept; published in days as `WAITING_EXPIRATION_DAYS`."""
        return timedelta(days=self._number("WAITING_EXPIRATION_DAYS", 60))

    @property
    def INCLUDE_PII_IN_LISTS(self) -> bool:
        """Whether lists for registrars name accounts; otherwise these members are blank."""
        return bool(self._member("INCLUDE_PII_IN_LISTS", True))

    @property
    def EVENTS_INCLUDE_EXTERNAL_USER_KEY(self) -> bool:
        """Whether events tell the institutions' keys of students."""
        return bool(self._get_site("EVENTS_INCLUDE_EXTERNAL_USER_KEY", False))

    @property
    def RETIRED_KEY_SALT(self) -> str:
        """What makes the words in the place of retired keys unguessable: the last of `RETIRED_USER_SALTS`.

        A site without salts takes its `SECRET_KEY`.
        """
        salts: Sequence[str] = self._get_site("RETIRED_USER_SALTS", ())
        salt: str = salts[-1] if salts else self._get_site("SECRET_KEY", "")
        return salt

    def _member(self, name: str, default: Any) -> Any:
        mapping = self._get_site(SETTING, {})
        if not isinstance(mapping, Mapping):
            raise ImproperlyConfigured(f"{SETTING} must be a mapping, not {type(mapping).__name__}.")
        return mapping.get(name, default)

    def _number(self, name: str, default: int) -> int:
        value = self._member(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ImproperlyConfigured(f"{SETTING}[{name!r}] must be a whole number from 1, not {value!r}.")
        return value


conf = ProgramEnrollmentsSettings()
