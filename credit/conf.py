# ruff: noqa: N802  # a property is named like its setting
"""Settings of the credit app, read when used; nothing else here reads `django.conf.settings`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.util import find_spec
from typing import Any

from coursecredit.conf import AppSettings

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


class CreditSettings(AppSettings):
    """One property per setting, under the setting's published name."""

    prefix = "CREDIT_"

    @property
    def CREDIT_PROVIDER_SECRET_KEYS(self) -> Mapping[str, Any]:
        """Shared secrets by provider id: a text, or a list of texts while keys rotate. Never modified here."""
        keys: Mapping[str, Any] = self._get("PROVIDER_SECRET_KEYS", {})
        return keys

    @property
    def CREDIT_PROVIDER_TIMESTAMP_EXPIRATION(self) -> timedelta:
        """Greatest age, and greatest lead, of a provider's callback; published in seconds."""
        return self._duration("CREDIT_PROVIDER_TIMESTAMP_EXPIRATION", 900, unit=SECOND)

    @property
    def CREDIT_CALLBACK_LOG_DAYS(self) -> timedelta:
        """How long it is remembered what became of providers' callbacks; published in days."""
        return self._duration("CREDIT_CALLBACK_LOG_DAYS", 90, unit=DAY)

    @property
    def CREDIT_REFUSED_CALLBACKS_PER_ADDRESS(self) -> int:
        """How many refused callbacks a minute one address may send before it is told to wait; 0: any number."""
        return self._count("CREDIT_REFUSED_CALLBACKS_PER_ADDRESS", 60)

    @property
    def CREDIT_REFUSED_CALLBACKS_PER_PROVIDER(self) -> int:
        """How many refused callbacks a minute may name one provider, from all addresses together; 0: any number."""
        return self._count("CREDIT_REFUSED_CALLBACKS_PER_PROVIDER", 600)

    @property
    def CREDIT_ELIGIBILITY_EXPIRATION_DAYS(self) -> timedelta:
        """How long a new eligibility is valid; published in days."""
        return self._duration("CREDIT_ELIGIBILITY_EXPIRATION_DAYS", 365, unit=DAY)

    @property
    def CREDIT_TASK_DEFAULT_RETRY_DELAY(self) -> timedelta:
        """Wait before a failed task is tried again; published in seconds."""
        return self._duration("CREDIT_TASK_DEFAULT_RETRY_DELAY", 30, unit=SECOND)

    @property
    def CREDIT_TASK_MAX_RETRIES(self) -> int:
        """How often a failed task is tried again."""
        return int(self._get("TASK_MAX_RETRIES", 5))

    @property
    def CREDIT_NOTIFICATION_CACHE_TIMEOUT(self) -> timedelta:
        """How long the mail's template with its CSS, and its logo, are cached; published in seconds."""
        return self._duration("CREDIT_NOTIFICATION_CACHE_TIMEOUT", 18000, unit=SECOND)

    @property
    def CREDIT_EMAIL_CLAIM_SECONDS(self) -> timedelta:
        """How long one worker may take to send a mail before another may try; published in seconds."""
        return self._duration("CREDIT_EMAIL_CLAIM_SECONDS", 300, unit=SECOND)

    @property
    def CREDIT_TRACKING_PIXEL_URL(self) -> str:
        """Address of a third party's analytics image in the mail; empty: none."""
        return str(self._get("TRACKING_PIXEL_URL", ""))

    @property
    def CREDIT_HELP_LINK_URL(self) -> str:
        """Where learner views send somebody who wants help."""
        return str(self._get("HELP_LINK_URL", "#"))

    @property
    def CREDIT_PORTS(self) -> Mapping[str, str]:
        """Dotted paths of classes by port name (`credit.ports`); names left out keep their default."""
        ports: Mapping[str, str] = self._get("PORTS", {})
        return ports

    @property
    def CREDIT_AUTHENTICATION_CLASSES(self) -> Sequence[str] | None:
        """Dotted paths of the REST authenticators; None: REST framework's default list."""
        classes: Sequence[str] | None = self._get("AUTHENTICATION_CLASSES", None)
        return classes

    @property
    def CREDIT_PROVIDER_SANDBOX(self) -> bool:
        """Whether the practice university may run; by default only where `DEBUG` is on."""
        return bool(self._get("PROVIDER_SANDBOX", self._get_site("DEBUG", False)))

    @property
    def NOTIFICATION_EMAIL_CSS(self) -> str:
        """Stylesheet of the mail: an absolute path, or one inside the static-files directories."""
        return str(self._get_site("NOTIFICATION_EMAIL_CSS", "templates/credit_notifications/credit_notification.css"))

    @property
    def NOTIFICATION_EMAIL_EDX_LOGO(self) -> str:
        """Logo of the mail, PNG: an absolute path, or one inside the static-files directories."""
        default = "templates/credit_notifications/edx-logo-header.png"
        return str(self._get_site("NOTIFICATION_EMAIL_EDX_LOGO", default))

    @property
    def ENABLE_SPECIAL_EXAMS(self) -> bool:
        """Whether exam systems may use the service object."""
        return bool(self._get_site("ENABLE_SPECIAL_EXAMS", False))

    @property
    def CREDIT_RUNTIME_SERVICES(self) -> str | None:
        """Dotted path of the exam system's function that takes a service's name and the service; None: none.

        By default edx-proctoring's, where that is installed.
        """
        has_default = find_spec("edx_proctoring") is not None
        path: str | None = self._get(
            "RUNTIME_SERVICES", "edx_proctoring.runtime.set_runtime_service" if has_default else None
        )
        return path

    @property
    def ENABLE_CREDIT_ELIGIBILITY(self) -> bool:
        """Entry of that name in `FEATURES`: whether learner views show credit; REST works either way."""
        return bool(self._get_site("FEATURES", {}).get("ENABLE_CREDIT_ELIGIBILITY", False))

    @property
    def OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE(self) -> str | None:
        """Dotted path of a function that takes the original function first, then its arguments."""
        path: str | None = self._get_site("OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE", None)
        return path

    @property
    def ECOMMERCE_API_URL(self) -> str:
        """Base address of an outside commerce service."""
        return str(self._get_site("ECOMMERCE_API_URL", ""))

    @property
    def ECOMMERCE_SERVICE_WORKER_USERNAME(self) -> str:
        """The account in whose name an outside commerce service is asked."""
        return str(self._get_site("ECOMMERCE_SERVICE_WORKER_USERNAME", "ecommerce_worker"))

    @property
    def CREDIT_COMMERCE_AUTHORIZATION(self) -> str | None:
        """Dotted path of a function that takes that account's name and returns a header `Authorization`."""
        path: str | None = self._get("COMMERCE_AUTHORIZATION", None)
        return path

    @property
    def CREDIT_COMMERCE_TOKEN_URL(self) -> str:
        """Where, without such a function, tokens are to be had for the client id and secret (OAuth 2)."""
        return str(self._get("COMMERCE_TOKEN_URL", ""))

    @property
    def CREDIT_COMMERCE_CLIENT_ID(self) -> str:
        """The client id for that."""
        return str(self._get("COMMERCE_CLIENT_ID", ""))

    @property
    def CREDIT_COMMERCE_CLIENT_SECRET(self) -> str:
        """The client secret for that."""
        return str(self._get("COMMERCE_CLIENT_SECRET", ""))

    @property
    def CREDIT_COMMERCE_TIMEOUT(self) -> timedelta:
        """How long the commerce service may take to connect, to begin and to end its answer; published in seconds."""
        return self._duration("CREDIT_COMMERCE_TIMEOUT", 3, unit=SECOND)

    @property
    def CREDIT_COMMERCE_RETRIES(self) -> int:
        """How often it is asked again after a failure that may pass."""
        return self._count("CREDIT_COMMERCE_RETRIES", 1)

    @property
    def CREDIT_COMMERCE_MEMORY_SECONDS(self) -> timedelta:
        """How old its answer may be inside a transaction, where it is not asked; published in seconds."""
        return self._duration("CREDIT_COMMERCE_MEMORY_SECONDS", 86400, unit=SECOND)

    @property
    def PLATFORM_NAME(self) -> str:
        """The site's name as learners know it."""
        return str(self._get_site("PLATFORM_NAME", "Course Credit"))

    @property
    def SITE_NAME(self) -> str:
        """Host, with port if it has one, under which learners reach the site."""
        return str(self._get_site("SITE_NAME", "localhost"))

    @property
    def LANGUAGE_CODE(self) -> str:
        """The site's language: that of mails to learners whose own is not known, or not among `LANGUAGES`."""
        return str(self._get_site("LANGUAGE_CODE", "en"))

    @property
    def DEFAULT_FROM_EMAIL(self) -> str:
        """Sender of mail where the site has no `email_from_address` of its own."""
        return str(self._get_site("DEFAULT_FROM_EMAIL", "webmaster@localhost"))

    @property
    def EMAIL_TIMEOUT(self) -> timedelta | None:
        """How long Django waits for the mail server; published in seconds. None: for ever."""
        return (
            None if self._get_site("EMAIL_TIMEOUT", None) is None else self._duration("EMAIL_TIMEOUT", 0, unit=SECOND)
        )

    @property
    def AUTH_USER_MODEL(self) -> str:
        """The site's user model, for foreign keys."""
        return str(self._get_site("AUTH_USER_MODEL", "auth.User"))


conf = CreditSettings()
