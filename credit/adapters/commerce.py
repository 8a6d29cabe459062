"""The providers of a course, asked of a commerce service over HTTP (credit contract 8.4).

Name it in `CREDIT_PORTS`: `{"commerce": "credit.adapters.commerce.CommerceProviders"}`.

Nobody waits for the service inside a transaction. There the last answer counts, for as long as it is remembered;
without one the providers are not known, as if the service were down. Everything that asks outside of a transaction
makes it remember: the mail, learners' pages, and the task `credit.tasks.refresh_credit_providers`.
"""

import json
import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from opaque_keys.edx.keys import CourseKey

from credit.conf import conf
from credit.models import CreditConfig

try:
    import requests

    from credit.adapters import tokens
    from credit.adapters.http import body_of
except ImportError:  # told by the system check of the ports, which makes one of the class below
    requests = None  # type: ignore[assignment]

ATTRIBUTE = "credit_provider"
PAUSE = 0.2  # seconds before another attempt, then twice that, and so on
REST = 10.0  # seconds for which nobody in this process asks a service that has failed
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})

log = logging.getLogger(__name__)
_rest_until = 0.0


class CommerceUnavailable(Exception):
    """The commerce service did not answer. The text names neither addresses nor tokens."""


class _Passing(Exception):
    """Another attempt may succeed."""


class CommerceProviders:
    """Asks `GET <ECOMMERCE_API_URL>/courses/<course>/?include_products=1`, as `CREDIT_COMMERCE_…` settings say."""

    def __init__(self) -> None:
        if requests is None:
            raise ImproperlyConfigured("The commerce adapter needs requests: pip install course-credit[adapters]")
        if not conf.ECOMMERCE_API_URL:
            raise ImproperlyConfigured("The commerce adapter needs ECOMMERCE_API_URL.")
        if conf.CREDIT_COMMERCE_AUTHORIZATION is None and not (
            conf.CREDIT_COMMERCE_TOKEN_URL and conf.CREDIT_COMMERCE_CLIENT_ID and conf.CREDIT_COMMERCE_CLIENT_SECRET
        ):
            raise ImproperlyConfigured(
                "The commerce adapter needs CREDIT_COMMERCE_AUTHORIZATION, or CREDIT_COMMERCE_TOKEN_URL, _CLIENT_ID "
                "and _CLIENT_SECRET."
            )

    def credit_provider_ids(self, course_key: CourseKey) -> list[str] | None:
        """Return the ids that the course's products name, each once; None if the service says nothing of the course.

        As old as `CreditConfig` allows, outside of a transaction; that nobody gives credit is never an old answer.
        Inside, as old as `CREDIT_COMMERCE_MEMORY_SECONDS`, and None if nothing is remembered.

        Raises:
            CommerceUnavailable: the service does not answer, or not what we understand. Not inside a transaction.
        """
        remembered = _recall(course_key)
        if transaction.get_connection().in_atomic_block:
            if remembered is None:
                log.info("The providers of course %s are not remembered and not asked for now.", course_key)
            return remembered[0] if remembered else None
        config = CreditConfig.current()
        if remembered and remembered[0] and config.is_cache_enabled and time.time() - remembered[1] < config.cache_ttl:
            return remembered[0]
        provider_ids = _provider_ids(_ask(str(course_key)))
        if provider_ids is not None:
            _remember(course_key, provider_ids)
        return provider_ids


def reset() -> None:
    """Forget the last failure and all tokens."""
    global _rest_until
    _rest_until = 0.0
    tokens.forget()


def _ask(course_id: str) -> Any:
    """Return what the service says of a course, trying again after what may pass."""
    global _rest_until
    if time.monotonic() < _rest_until:
        raise CommerceUnavailable("The commerce service has failed a moment ago.")
    problem = "nothing was tried"
    for attempt in range(1 + conf.CREDIT_COMMERCE_RETRIES):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        try:
            return _get(course_id)
        except _Passing as exc:
            problem = str(exc)
    _rest_until = time.monotonic() + REST
    raise CommerceUnavailable(f"The commerce service failed: {problem}.")


def _get(course_id: str) -> Any:
    timeout = conf.CREDIT_COMMERCE_TIMEOUT.total_seconds()
    try:
        # The library's errors quote addresses; what is raised instead does not.
        response = _send(course_id, timeout)
        if response.status_code in (401, 403) and conf.CREDIT_COMMERCE_AUTHORIZATION is None:
            tokens.forget()
            response = _send(course_id, timeout)
        body = body_of(response, timeout=timeout)
    except requests.RequestException as exc:
        raise _Passing(type(exc).__name__) from None
    except (KeyError, ValueError, AttributeError):
        raise CommerceUnavailable("No token is to be had for the commerce service.") from None
    if response.status_code in TRY_AGAIN:
        raise _Passing(f"status {response.status_code}")
    if response.status_code != 200:
        raise CommerceUnavailable(f"The commerce service answered with status {response.status_code}.")
    try:
        return json.loads(body) if body.strip() else None
    except ValueError:
        raise CommerceUnavailable("The commerce service's answer is not JSON.") from None


def _send(course_id: str, timeout: float) -> "requests.Response":
    header = tokens.authorization(timeout=timeout)

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = header
        return request

    return requests.get(
        f"{conf.ECOMMERCE_API_URL.rstrip('/')}/courses/{quote(course_id, safe='/:+')}/",
        params={"include_products": "1"},
        headers={"Accept": "application/json"},
        auth=authorize,
        timeout=timeout,
        allow_redirects=False,  # a token is for one address
        stream=True,
    )


def _provider_ids(course: Any) -> list[str] | None:
    """Return the values of the attribute over all products, each once; None for an answer that says nothing."""
    if not course:
        return None
    try:
        return list(dict.fromkeys(_values(course)))
    except (KeyError, TypeError, AttributeError):
        raise CommerceUnavailable("The commerce service's answer has another form than that of a course.") from None


def _values(course: Any) -> Iterator[str]:
    for product in course["products"]:
        for attribute in product["attribute_values"]:
            if attribute["name"] == ATTRIBUTE and isinstance(attribute["value"], str):
                yield attribute["value"]


def _recall(course_key: CourseKey) -> tuple[list[str], float] | None:
    """Return the last answer and when it came, if it is remembered."""
    try:
        entry = cache.get(_key(course_key))
    except Exception as exc:
        log.warning("The cache does not tell the providers of a course (%s).", type(exc).__name__)
        return None
    longest = conf.CREDIT_COMMERCE_MEMORY_SECONDS.total_seconds()
    return entry if isinstance(entry, tuple) and time.time() - entry[1] < longest else None


def _remember(course_key: CourseKey, provider_ids: list[str]) -> None:
    try:
        cache.set(_key(course_key), (provider_ids, time.time()), conf.CREDIT_COMMERCE_MEMORY_SECONDS.total_seconds())
    except Exception as exc:
        log.warning("The cache does not take the providers of a course (%s).", type(exc).__name__)


def _key(course_key: CourseKey) -> str:
    return f"credit.commerce.{course_key}"
