"""Sessions used from pages of neighbour sites, such as a shop under the same domain (enrollment contract 10.2).

A page there cannot read our CSRF cookie. So it gets the token in one more cookie, for the domain that both share, and
a call from there passes the CSRF check with that token. What a neighbour may do so is what learners' endpoints offer;
`CSRF_TRUSTED_ORIGINS` would let it call the whole site.
"""

from collections import defaultdict
from functools import cached_property
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.cache import patch_vary_headers
from django.utils.http import is_same_domain
from rest_framework.authentication import CSRFCheck
from rest_framework.request import Request
from rest_framework.response import Response

from enrollment.conf import conf


class NeighbourlyCsrfCheck(CSRFCheck):
    """The CSRF check, for which also the origins of neighbours are trusted."""

    @cached_property
    def csrf_trusted_origins_hosts(self) -> list[str]:
        return [*super().csrf_trusted_origins_hosts, *(urlsplit(origin).netloc.lstrip("*") for origin in _neighbours())]

    @cached_property
    def allowed_origins_exact(self) -> set[str]:
        return super().allowed_origins_exact | {origin for origin in _neighbours() if "*" not in origin}

    @cached_property
    def allowed_origin_subdomains(self) -> defaultdict[str, list[str]]:
        hosts = defaultdict(list, {scheme: list(hosts) for scheme, hosts in super().allowed_origin_subdomains.items()})
        for origin in _neighbours():
            if "*" in origin:
                hosts[urlsplit(origin).scheme].append(urlsplit(origin).netloc.lstrip("*"))
        return hosts


def is_from_neighbour(request: HttpRequest) -> bool:
    """Return whether a page of a neighbour made the call, over HTTPS at either end."""
    if not request.is_secure():
        return False
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return False
    return page.scheme == "https" and any(
        is_same_domain(page.netloc, urlsplit(origin).netloc.lstrip("*")) for origin in _neighbours()
    )


def set_csrf_cookie(request: Request, response: Response) -> None:
    """Give the token to a page of a neighbour, in the cookie that settings name."""
    if not is_from_neighbour(request._request):
        return
    get_token(request._request)
    response.set_cookie(
        conf.CROSS_DOMAIN_CSRF_COOKIE_NAME,
        request._request.META["CSRF_COOKIE"],
        max_age=conf.CSRF_COOKIE_AGE,
        domain=conf.CROSS_DOMAIN_CSRF_COOKIE_DOMAIN,
        secure=True,
        samesite="Lax",
    )
    patch_vary_headers(response, ("Cookie", "Referer"))


def _neighbours() -> list[str]:
    """Return the origins that are trusted, none unless the whole of it is configured."""
    is_complete = conf.CROSS_DOMAIN_CSRF_COOKIE_NAME and conf.CROSS_DOMAIN_CSRF_COOKIE_DOMAIN
    return list(conf.CROSS_DOMAIN_CSRF_ORIGINS) if is_complete else []
