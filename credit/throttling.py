"""The limit on what is refused at the one address that nobody has to log in for."""

import hashlib
import logging
import math
import time
from collections.abc import Iterator
from typing import Any

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from coursecredit.addresses import caller_address, site_of
from credit.conf import conf

WINDOW = 60  # seconds
NOTED_AT_ONCE = 100

log = logging.getLogger(__name__)


class RefusedCallbackThrottle(BaseThrottle):
    """Limits refused callbacks, by the caller's address and by the provider that they name.

    A message that the provider has signed, and recently, always passes and does not reach the cache. So a correct
    provider never meets the limit, and nobody can use it up for others. A cache that is gone limits nobody.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.method != "POST" or view.is_genuine(request):
            return True
        limits = {key: limit for key, limit in self._limits(request, view.kwargs["provider_id"]) if limit}
        counts = _counts(list(limits)) if limits else {}
        return all(counts.get(key, 0) < limit for key, limit in limits.items())

    def wait(self) -> float:
        """Return the seconds until the next window."""
        return max(1, math.ceil(WINDOW - time.time() % WINDOW))

    def count_refused(self, request: Request, provider_id: str) -> None:
        """Count a message that was answered with a refusal."""
        for key, limit in self._limits(request, provider_id):
            if limit:
                _increment(key)

    def count_limited(self, request: Request, provider_id: str) -> int:
        """Count a message that was told to wait; return how many of them are to be noted now.

        The first one, then as many as have come since when they are a hundred: a flood is not worth a write for each.

        Args:
            request: the message.
            provider_id: a provider that has keys, or "": a caller who makes up names gets no count for each.
        """
        count = _increment(_key("limited", f"{provider_id} {site_of(caller_address(request))}"))
        if count is None or count == 1:
            return 1
        if count % NOTED_AT_ONCE:
            return 0
        return NOTED_AT_ONCE if count > NOTED_AT_ONCE else NOTED_AT_ONCE - 1

    def _limits(self, request: Request, provider_id: str) -> Iterator[tuple[str, int]]:
        yield _key("address", site_of(caller_address(request))), conf.CREDIT_REFUSED_CALLBACKS_PER_ADDRESS
        yield _key("provider", provider_id), conf.CREDIT_REFUSED_CALLBACKS_PER_PROVIDER


def _key(kind: str, subject: str) -> str:
    """Return the cache key of a count; it tells nobody the address, and has no character that a cache refuses."""
    digest = hashlib.sha256(subject.encode(errors="replace")).hexdigest()[:32]
    return f"credit.callbacks.{kind}.{digest}.{int(time.time() // WINDOW)}"


def _counts(keys: list[str]) -> dict[str, int]:
    try:
        return dict(cache.get_many(keys))
    except Exception as exc:
        log.warning("The cache does not tell how many callbacks were refused (%s).", type(exc).__name__)
        return {}


def _increment(key: str) -> int | None:
    """Add one to a count and return it, or None if the cache does not take it."""
    try:
        return 1 if cache.add(key, 1, 2 * WINDOW) else int(cache.incr(key))
    except Exception as exc:
        log.warning("The cache does not count refused callbacks (%s).", type(exc).__name__)
        return None
