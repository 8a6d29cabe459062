"""System checks: settings that would fail at the first request, and databases that compare text loosely."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from enrollment import ports
from enrollment.errors import EnrollmentApiLoadError


@register()
def check_ports(**kwargs: Any) -> list[CheckMessage]:
    """Load every port and hook that `ENROLLMENT_PORTS` names."""
    try:
        ports.load_all()
    except ImproperlyConfigured as exc:
        return [
            Error(str(exc), hint="Name dotted paths of classes, by the port names in the docs.", id="enrollment.E001")
        ]
    return []


@register()
def check_data_api(**kwargs: Any) -> list[CheckMessage]:
    """Load the module that `ENROLLMENT_DATA_API` names."""
    try:
        ports.data_api()
    except EnrollmentApiLoadError as exc:
        return [Error(f"ENROLLMENT_DATA_API: cannot import {str(exc)!r}.", id="enrollment.E002")]
    return []


@register(Tags.database)
def check_collation(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of MariaDB databases in which usernames or course keys that differ in case are the same."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        if connections[alias].vendor == "mysql" and not _collation(alias).endswith("_bin"):
            messages.append(
                Warning(
                    f"The database {alias!r} compares text without regard to case.",
                    hint="Create it with CHARACTER SET utf8mb4 COLLATE utf8mb4_bin.",
                    id="enrollment.W001",
                )
            )
    return messages


def _collation(alias: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT @@collation_database")
        return str(cursor.fetchone()[0])
