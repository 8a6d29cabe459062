"""System checks: settings that would fail at the first request, and databases that compare text loosely."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.db import connections
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from rest_framework.request import Request
from rest_framework.settings import api_settings

from coursecredit.backends import load_dotted
from enrollment import ports
from enrollment.conf import conf, parsed_rate
from enrollment.errors import EnrollmentApiLoadError
from enrollment.jobs.files import ALIAS


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
        return [Error(f"ENROLLMENT_DATA_API: cannot import {exc.data!r}.", id="enrollment.E002")]
    return []


@register()
def check_api_keys(**kwargs: Any) -> list[CheckMessage]:
    """Fail for keys of trusted servers that are no texts."""
    with suppress(TypeError):
        if all(isinstance(key, str) for key in conf.API_KEYS):
            return []
    return [Error("EDX_API_KEY must be a text, or a list of texts while keys rotate.", id="enrollment.E003")]


@register()
def check_rates(**kwargs: Any) -> list[CheckMessage]:
    """Fail for limits that cannot be read."""
    rates = {f"ENROLLMENT_THROTTLE_RATES[{rank!r}]": rate for rank, rate in conf.THROTTLE_RATES.items()}
    problems: list[CheckMessage] = []
    for setting, rate in {**rates, "ENROLLMENT_COURSE_DETAIL_RATE": conf.COURSE_DETAIL_RATE}.items():
        try:
            parsed_rate(rate)
        except (ValueError, AttributeError, TypeError):
            problems.append(
                Error(f"{setting} is {rate!r}, which is no rate such as '40/minute'.", id="enrollment.E004")
            )
    return problems


@register()
def check_authentication(**kwargs: Any) -> list[CheckMessage]:
    """Warn if anonymous callers of the endpoints would get 403: the first authenticator has to send a challenge."""
    if not _are_endpoints_mounted():
        return []
    try:
        challenge = _first_challenge()
    except (ImproperlyConfigured, ImportError) as exc:
        return [Error(f"ENROLLMENT_AUTHENTICATION_CLASSES cannot be used: {exc}", id="enrollment.E005")]
    if challenge:
        return []
    return [
        Warning(
            "The first authenticator of the enrollment API sends no WWW-Authenticate challenge.",
            hint="Put one that does, such as that of a bearer token, first in ENROLLMENT_AUTHENTICATION_CLASSES.",
            id="enrollment.W002",
        )
    ]


@register()
def check_neighbours(**kwargs: Any) -> list[CheckMessage]:
    """Fail if neighbour sites are named by halves, or without TLS."""
    given = {
        "CROSS_DOMAIN_CSRF_ORIGINS": conf.CROSS_DOMAIN_CSRF_ORIGINS,
        "CROSS_DOMAIN_CSRF_COOKIE_NAME": conf.CROSS_DOMAIN_CSRF_COOKIE_NAME,
        "CROSS_DOMAIN_CSRF_COOKIE_DOMAIN": conf.CROSS_DOMAIN_CSRF_COOKIE_DOMAIN,
    }
    missing = [setting for setting, value in given.items() if not value]
    problems: list[CheckMessage] = []
    if 0 < len(missing) < len(given):
        text = f"Neighbour sites cannot use sessions before {' and '.join(missing)} are set."
        problems.append(Error(text, hint="Set all three, or none.", id="enrollment.E006"))
    problems += [
        Error(f"CROSS_DOMAIN_CSRF_ORIGINS names {origin!r}.", hint="Origins begin with https://.", id="enrollment.E007")
        for origin in conf.CROSS_DOMAIN_CSRF_ORIGINS
        if not origin.startswith("https://")
    ]
    return problems


@register()
def check_job_settings(**kwargs: Any) -> list[CheckMessage]:
    """Read the settings of jobs, which else only a worker would do."""
    try:
        _ = (conf.JOB_LEASE, conf.JOB_RETENTION, conf.JOB_CHUNK_ROWS, conf.JOB_MAX_ROWS, conf.JOB_MAX_BYTES)
    except ImproperlyConfigured as exc:
        return [Error(str(exc), id="enrollment.E008")]
    return []


@register(deploy=True)
def check_job_storage(**kwargs: Any) -> list[CheckMessage]:
    """Warn if there is no place for the files of jobs: none can be started then."""
    if ALIAS in storages.backends:
        return []
    return [
        Warning(
            f"STORAGES names no {ALIAS!r}, so jobs on large files cannot be started.",
            hint="Name a private storage that web and workers share; docs/jobs.md shows one.",
            id="enrollment.W003",
        )
    ]


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


def _are_endpoints_mounted() -> bool:
    """Return whether the site has the REST endpoints; the app is of use without them."""
    try:
        reverse("enrollment:courseenrollments")
    except NoReverseMatch:
        return False
    return True


def _first_challenge() -> str | None:
    paths = conf.AUTHENTICATION_CLASSES
    if paths is None:
        classes: list[Any] = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    else:
        classes = [load_dotted(path, setting="ENROLLMENT_AUTHENTICATION_CLASSES") for path in paths]
    if not classes:
        return None
    challenge: str | None = classes[0]().authenticate_header(Request(HttpRequest()))
    return challenge


def _collation(alias: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT @@collation_database")
        return str(cursor.fetchone()[0])
