# ruff: noqa: N802  # a property is named like its setting
"""Typed settings of the enrollment app (enrollment contract 13), read at every use."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from coursecredit.conf import AppSettings

MODE_DEFAULTS: dict[str, Any] = {
    "slug": "audit",
    "name": "Audit",
    "min_price": 0,
    "suggested_prices": "",
    "currency": "usd",
    "expiration_datetime": None,
    "description": None,
    "sku": None,
    "bulk_sku": None,
    "android_sku": None,
    "ios_sku": None,
}

ENROLLMENT_MODES: dict[str, dict[str, Any]] = {
    slug: {"id": number, "slug": slug, "display_name": display_name, "min_price": min_price}
    for slug, number, display_name, min_price in (
        ("audit", 1, "Audit", 0),
        ("verified", 2, "Verified", 1),
        ("professional", 3, "Professional", 1),
        ("no-id-professional", 4, "No-Id-Professional", 0),
        ("credit", 5, "Credit", 0),
        ("honor", 6, "Honor", 0),
        ("masters", 7, "Master's", 0),
        ("executive-education", 8, "Executive Education", 1),
        ("unpaid-executive-education", 9, "Unpaid Executive Education", 0),
        ("paid-executive-education", 10, "Paid Executive Education", 1),
        ("unpaid-bootcamp", 11, "Unpaid Bootcamp", 0),
        ("paid-bootcamp", 12, "Paid Bootcamp", 1),
    )
}

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parsed_rate(rate: str) -> tuple[int, int]:
    """Return how many requests in how many seconds a rate such as `40/minute` allows.

    Raises:
        ValueError: it is no rate.
    """
    limit, _, period = rate.partition("/")
    if not limit.isdecimal() or period[:1] not in SECONDS:
        raise ValueError(f"{rate!r} is no rate such as '40/minute'.")
    return int(limit), SECONDS[period[0]]


class EnrollmentSettings(AppSettings):
    """One property per setting."""

    prefix = "ENROLLMENT_"

    @property
    def DATA_API(self) -> str:
        """Dotted path of the module that stores enrollments."""
        path: str = self._get("DATA_API", "enrollment.data")
        return path

    @property
    def COURSE_DETAILS_CACHE_TIMEOUT(self) -> timedelta:
        """How long course details may be served from the cache; published in seconds, 60 by default."""
        return self._duration("ENROLLMENT_COURSE_DETAILS_CACHE_TIMEOUT", 60, unit=timedelta(seconds=1))

    @property
    def PORTS(self) -> Mapping[str, Any]:
        """Port name to the dotted path of a class; hook names map to a list of paths."""
        ports: Mapping[str, Any] = self._get("PORTS", {})
        return ports

    @property
    def AUTO_ENROLL_PENDING(self) -> bool:
        """Whether a confirmed account is enrolled where its e-mail address was invited."""
        return bool(self._get("AUTO_ENROLL_PENDING", True))

    @property
    def DEFAULT_MODE_WHEN_ALL_EXPIRED(self) -> bool:
        """Whether a course whose modes have all expired offers the default mode."""
        return bool(self._get("DEFAULT_MODE_WHEN_ALL_EXPIRED", True))

    @property
    def STRICT_MODE_ATTRIBUTES(self) -> bool:
        """Whether attributes that a mode requires are also required when none are given, and on create."""
        return bool(self._get("STRICT_MODE_ATTRIBUTES", False))

    @property
    def AUTHENTICATION_CLASSES(self) -> list[str] | None:
        """Dotted paths of the REST API's authenticators; None means the project's."""
        classes: list[str] | None = self._get("AUTHENTICATION_CLASSES", None)
        return classes

    @property
    def THROTTLE_RATES(self) -> Mapping[str, str]:
        """Requests allowed per caller: `user` and `staff`."""
        return {"user": "40/minute", "staff": "120/minute", **self._get("THROTTLE_RATES", {})}

    @property
    def COURSE_DETAIL_RATE(self) -> str:
        """Requests for public course details allowed per caller."""
        rate: str = self._get("COURSE_DETAIL_RATE", "40/minute")
        return rate

    @property
    def THROTTLING_ENABLED(self) -> bool:
        """Whether callers are throttled; off for load tests."""
        return bool(self._get("THROTTLING_ENABLED", True))

    @property
    def USERNAME_FILTER_PATTERN(self) -> str:
        """Regular expression of the usernames that list filters take."""
        pattern: str = self._get("USERNAME_FILTER_PATTERN", r"[A-Za-z0-9_-]{2,30}")
        return pattern

    @property
    def API_KEYS(self) -> Sequence[str]:
        """Keys of trusted servers (`EDX_API_KEY`, one or a list); an empty one counts as unset."""
        keys: str | Sequence[str] | None = self._get_site("EDX_API_KEY", None)
        return [key for key in ([keys] if isinstance(keys, str) else keys or []) if key]

    @property
    def CROSS_DOMAIN_CSRF_ORIGINS(self) -> Sequence[str]:
        """Neighbour sites whose pages may use sessions here, as in `CSRF_TRUSTED_ORIGINS`; with the next two set."""
        origins: Sequence[str] = self._get_site("CROSS_DOMAIN_CSRF_ORIGINS", ())
        return origins

    @property
    def CROSS_DOMAIN_CSRF_COOKIE_NAME(self) -> str:
        """The cookie in which neighbour sites read the CSRF token."""
        return str(self._get_site("CROSS_DOMAIN_CSRF_COOKIE_NAME", ""))

    @property
    def CROSS_DOMAIN_CSRF_COOKIE_DOMAIN(self) -> str:
        """The domain that we share with neighbour sites."""
        return str(self._get_site("CROSS_DOMAIN_CSRF_COOKIE_DOMAIN", ""))

    @property
    def CSRF_COOKIE_AGE(self) -> int | None:
        """Django's setting: seconds, or None for as long as the browser runs."""
        age: int | None = self._get_site("CSRF_COOKIE_AGE", None)
        return age

    @property
    def COURSE_MODE_DEFAULTS(self) -> Mapping[str, Any]:
        """The mode that a course without modes offers."""
        return {**MODE_DEFAULTS, **self._get_site("COURSE_MODE_DEFAULTS", {})}

    @property
    def COURSE_ENROLLMENT_MODES(self) -> Mapping[str, Mapping[str, Any]]:
        """Mode slug to id, slug, display name and lowest price."""
        modes: Mapping[str, Mapping[str, Any]] = self._get_site("COURSE_ENROLLMENT_MODES", ENROLLMENT_MODES)
        return modes

    @property
    def COURSE_MODE_EXPIRATION_WINDOW(self) -> timedelta:
        """How long before the end of a course the upgrade closes; published in days, 10 by default."""
        return self._duration("COURSE_MODE_EXPIRATION_WINDOW_DAYS", 10, unit=timedelta(days=1))

    @property
    def COURSES_INVITE_ONLY(self) -> bool:
        """Whether every course takes invited learners only."""
        return bool(self._get_site("COURSES_INVITE_ONLY", False))

    @property
    def DISABLE_ALLOWED_ENROLLMENT_IF_ENROLLMENT_CLOSED(self) -> bool:
        """Whether an invitation stops working outside the enrollment window."""
        return bool(self._get_site("DISABLE_ALLOWED_ENROLLMENT_IF_ENROLLMENT_CLOSED", False))

    @property
    def PROCTORING_BACKENDS(self) -> Mapping[str, Any]:
        """Options of proctoring providers, by name."""
        backends: Mapping[str, Any] = self._get_site("PROCTORING_BACKENDS", {})
        return backends

    @property
    def ENABLE_SPECIAL_EXAMS(self) -> bool:
        """Whether proctored exams are in use."""
        return bool(self._get_site("ENABLE_SPECIAL_EXAMS", False))

    @property
    def JOB_MAX_BYTES(self) -> int:
        """Size of the largest file that a job takes; 100 MB by default."""
        return self._count("ENROLLMENT_JOB_MAX_BYTES", 100 * 2**20)

    @property
    def JOB_MAX_ROWS(self) -> int:
        """Number of rows that a job takes."""
        return self._count("ENROLLMENT_JOB_MAX_ROWS", 500_000)

    @property
    def JOB_CHUNK_ROWS(self) -> int:
        """Rows that a job applies in one transaction, from 1 to 1,000."""
        count = self._count("ENROLLMENT_JOB_CHUNK_ROWS", 1000)
        return min(max(count, 1), 1000)

    @property
    def JOB_LEASE(self) -> timedelta:
        """How long a job is left alone after its worker's last sign of life; published in seconds, 60 by default."""
        lease = self._duration("ENROLLMENT_JOB_LEASE_SECONDS", 60, unit=timedelta(seconds=1))
        if not lease:
            raise ImproperlyConfigured("ENROLLMENT_JOB_LEASE_SECONDS must be more than 0: a turn is as long.")
        return lease

    @property
    def JOB_RETENTION(self) -> timedelta:
        """How long the files of a job are kept, from its start; published in days, 30 by default."""
        return self._duration("ENROLLMENT_JOB_RETENTION_DAYS", 30, unit=timedelta(days=1))


conf = EnrollmentSettings()
