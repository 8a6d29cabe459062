"""How often a caller may call (enrollment contract 10.3)."""

import logging
import math
import time
from typing import Any, ClassVar

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from coursecredit.addresses import caller_address, site_of
from enrollment import ports
from enrollment.conf import conf, parsed_rate

log = logging.getLogger(__name__)


class CallerThrottle(BaseThrottle):
    """Limits each caller to so many requests in any minute, at all endpoints together; servers with a key to none.

    A cache that fails limits nobody. The caller's requests are a list of times, newest first, so that the limit
    holds for every minute and not only for those of the clock.
    """

    bucket: ClassVar[str] = "api"

    remaining = 0.0  # seconds until a request would pass

    def allow_request(self, request: Request, view: Any) -> bool:
        if not (view.always_throttled or ports.rate_limit().enabled()) or view.is_server_request:
            return True
        limit, duration = parsed_rate(self.rate_for(request))
        key, now = self.key_of(request), time.time()
        times = [moment for moment in _read(key) if now - duration < moment <= now]
        if len(times) < limit:
            _write(key, [now, *times], duration)
            return True
        self.remaining = duration - (now - times[limit - 1]) if limit else duration
        return False

    def wait(self) -> float:
        return max(1, math.ceil(self.remaining))

    def rate_for(self, request: Request) -> str:
        """Return the rate of the caller's rank."""
        is_staff = request.user.is_staff or request.user.is_superuser
        return conf.THROTTLE_RATES["staff" if is_staff else "user"]

    def key_of(self, request: Request) -> str:
        """Return the cache key of the caller's requests."""
        caller = f"user.{request.user.pk}" if request.user.is_authenticated else site_of(caller_address(request))
        return f"enrollment.throttle.{self.bucket}.{caller}"


class CourseDetailsThrottle(CallerThrottle):
    """Limits what is asked about courses, which is public and often asked from one address for many people."""

    bucket = "course"

    def rate_for(self, request: Request) -> str:
        return conf.COURSE_DETAIL_RATE


def _read(key: str) -> list[float]:
    try:
        return list(cache.get(key, ()))
    except Exception as exc:
        log.warning("The cache does not tell how often somebody called (%s).", type(exc).__name__)
        return []


def _write(key: str, times: list[float], duration: int) -> None:
    try:
        cache.set(key, times, duration)
    except Exception as exc:
        log.warning("The cache does not count calls (%s).", type(exc).__name__)
