"""System checks: settings that would fail at the first request."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from program_enrollments import ports
from program_enrollments.conf import ProgramEnrollmentsSettings, conf


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Fail for a setting that cannot be read."""
    problems: list[CheckMessage] = []
    for name, member in vars(ProgramEnrollmentsSettings).items():
        if isinstance(member, property):
            try:
                getattr(conf, name)
            except ImproperlyConfigured as exc:
                problems.append(Error(str(exc), id="program_enrollments.E001"))
    return problems


@register()
def check_ports(**kwargs: Any) -> list[CheckMessage]:
    """Load every port that `PROGRAM_ENROLLMENTS["PORTS"]` names."""
    try:
        ports.load_all()
    except ImproperlyConfigured as exc:
        return [
            Error(
                str(exc),
                hint="Name dotted paths of classes, by the port names in the docs.",
                id="program_enrollments.E002",
            )
        ]
    return []
