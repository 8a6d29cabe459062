"""System checks of the credit app. Messages name settings and provider ids, never keys."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Tags
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings

from coursecredit.backends import load_dotted, load_port
from credit import ports
from credit.conf import CreditSettings, conf
from credit.models import CreditProvider
from credit.signature import usable_keys

COLLATION = "utf8mb4_bin"
OF_NO_USE_AS_ZERO = {
    "CREDIT_CALLBACK_LOG_DAYS": "what became of callbacks is forgotten at once",
    "CREDIT_ELIGIBILITY_EXPIRATION_DAYS": "an eligibility has expired the moment it is earned",
    "CREDIT_EMAIL_CLAIM_SECONDS": "two workers may send the same mail",
    "CREDIT_PROVIDER_TIMESTAMP_EXPIRATION": "no callback is ever recent",
    "CREDIT_TASK_DEFAULT_RETRY_DELAY": "failed tasks are tried again without a pause",
}


def register() -> None:
    """Have Django run the checks of this module; those that read the database run with `--database` and `migrate`."""
    for check in (
        check_settings,
        check_durations,
        check_retries,
        check_ports,
        check_secret_keys,
        check_override,
        check_authentication,
    ):
        checks.register(check)
    for check_of_database in (check_collation, check_integrated_providers):
        checks.register(check_of_database, Tags.database)


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Fail for a setting that cannot be read."""
    problems: list[CheckMessage] = []
    for name, member in vars(CreditSettings).items():
        if isinstance(member, property):
            try:
                getattr(conf, name)
            except (ImproperlyConfigured, TypeError, ValueError, AttributeError) as exc:
                problems.append(checks.Error(f"The setting {name} cannot be used: {exc}", id="credit.E001"))
    return problems


def check_durations(**kwargs: Any) -> list[CheckMessage]:
    """Fail for a duration that can be read and makes no sense."""
    problems: list[CheckMessage] = [
        checks.Error(f"{name} is 0, so {consequence}.", id="credit.E006")
        for name, consequence in OF_NO_USE_AS_ZERO.items()
        if _duration(name) == timedelta(0)
    ]
    claim, wait = _duration("CREDIT_EMAIL_CLAIM_SECONDS"), conf.EMAIL_TIMEOUT
    if claim and wait is not None and claim <= wait:
        problems.append(
            checks.Warning(
                "A mail may still be on its way to the mail server when another worker sends it too.",
                hint="Make CREDIT_EMAIL_CLAIM_SECONDS several times as long as EMAIL_TIMEOUT.",
                id="credit.W005",
            )
        )
    return problems


def _duration(name: str) -> timedelta | None:
    try:
        duration: timedelta = getattr(conf, name)
    except ImproperlyConfigured:  # which is told by `check_settings`
        return None
    return duration


def check_retries(**kwargs: Any) -> list[CheckMessage]:
    """Fail if the number of retries is none."""
    try:
        retries = conf.CREDIT_TASK_MAX_RETRIES
    except (TypeError, ValueError):
        return []
    if retries >= 0:
        return []
    return [checks.Error(f"CREDIT_TASK_MAX_RETRIES is {retries}; it must not be negative.", id="credit.E007")]


def check_ports(**kwargs: Any) -> list[CheckMessage]:
    """Fail for a port that does not exist, or a class that cannot be made."""
    problems: list[CheckMessage] = []
    for name in ports.DEFAULTS:
        try:
            load_port(name, configured=conf.CREDIT_PORTS, defaults=ports.DEFAULTS, setting="CREDIT_PORTS")
        except (ImproperlyConfigured, TypeError) as exc:
            problems.append(checks.Error(f"The port {name} cannot be used: {exc}", id="credit.E002"))
    return problems


def check_override(**kwargs: Any) -> list[CheckMessage]:
    """Fail if the function that replaces ours cannot be imported."""
    path = conf.OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE
    if path is None:
        return []
    try:
        load_dotted(path, setting="OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE")
    except ImproperlyConfigured as exc:
        return [checks.Error(str(exc), id="credit.E003")]
    return []


def check_secret_keys(**kwargs: Any) -> list[CheckMessage]:
    """Fail if the keys are no dictionary; warn of entries that will never sign or verify anything."""
    configured: object = conf.CREDIT_PROVIDER_SECRET_KEYS  # whatever the host has put there
    if not isinstance(configured, Mapping):
        return [checks.Error("CREDIT_PROVIDER_SECRET_KEYS must be a dictionary.", id="credit.E004")]
    return [
        checks.Warning(
            f"CREDIT_PROVIDER_SECRET_KEYS holds something unusable for credit provider [{provider_id}].",
            hint="A key is a text of ASCII characters, not blank; use a list of such texts while keys rotate.",
            id="credit.W001",
        )
        for provider_id, keys in configured.items()
        if not _all_usable(provider_id, keys)
    ]


def _all_usable(provider_id: str, keys: Any) -> bool:
    expected = len(keys) if isinstance(keys, list | tuple) else 1
    return 0 < expected == len(usable_keys(provider_id))


def check_authentication(**kwargs: Any) -> list[CheckMessage]:
    """Warn if anonymous callers would get 403: the first authenticator has to send a challenge for a 401."""
    try:
        challenge = _first_challenge()
    except (ImproperlyConfigured, ImportError) as exc:
        return [checks.Error(f"CREDIT_AUTHENTICATION_CLASSES cannot be used: {exc}", id="credit.E005")]
    if challenge:
        return []
    return [
        checks.Warning(
            "The first authenticator of the credit API sends no WWW-Authenticate challenge.",
            hint="Put one that does, such as that of a bearer token, first in CREDIT_AUTHENTICATION_CLASSES.",
            id="credit.W002",
        )
    ]


def _first_challenge() -> str | None:
    paths = conf.CREDIT_AUTHENTICATION_CLASSES
    if paths is None:
        classes: list[Any] = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    else:
        classes = [load_dotted(path, setting="CREDIT_AUTHENTICATION_CLASSES") for path in paths]
    if not classes:
        return None
    challenge: str | None = classes[0]().authenticate_header(Request(HttpRequest()))
    return challenge


def check_collation(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of a MariaDB database in which ids, usernames and course keys that differ in case would be equal."""
    alias = router.db_for_write(CreditProvider)
    if alias not in (databases or ()) or connections[alias].vendor != "mysql":
        return []
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT @@collation_database")
        collation = cursor.fetchone()[0]
    if collation == COLLATION:
        return []
    return [
        checks.Warning(
            f"The database {alias!r} compares text by {collation}.",
            hint=f"Before the first migration, create it with CHARACTER SET utf8mb4 COLLATE {COLLATION}.",
            id="credit.W003",
        )
    ]


def check_integrated_providers(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of active providers that are to get signed requests and have no usable key."""
    alias = router.db_for_read(CreditProvider)
    if alias not in (databases or ()) or not _has_providers_table(alias):
        return []
    integrated = CreditProvider.objects.using(alias).active().filter(enable_integration=True).order_by("provider_id")
    return [
        checks.Warning(
            f"Credit provider [{provider_id}] has integration enabled and no usable shared secret.",
            hint="Add a key to CREDIT_PROVIDER_SECRET_KEYS, or disable the integration.",
            id="credit.W004",
        )
        for provider_id in integrated.values_list("provider_id", flat=True)
        if not usable_keys(provider_id)
    ]


def _has_providers_table(alias: str) -> bool:
    """Return whether the first migration has run; the checks come before it."""
    return CreditProvider._meta.db_table in connections[alias].introspection.table_names()
