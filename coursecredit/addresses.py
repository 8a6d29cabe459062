"""From where a request comes, as far as that can be believed."""

from ipaddress import IPv6Address, ip_address, ip_network

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

IPV6_SITE = 64  # bits of an address that one customer of a network has, who can choose the others


def caller_address(request: Request) -> str:
    """Return the caller's address, "" if there is none.

    Addresses that the caller could have made up count only where `NUM_PROXIES` says how many proxies add theirs.
    """
    if not api_settings.NUM_PROXIES:
        return _without_port(request.META.get("REMOTE_ADDR") or "")
    return _without_port(BaseThrottle().get_ident(request) or "")


def named_address(request: Request) -> str:
    """Return the address of the client for whom a trusted caller says it speaks, else the caller's own.

    That is the first in `X-Forwarded-For` which none of our own proxies has added.
    """
    proxies: int = api_settings.NUM_PROXIES or 0
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    named = forwarded[: max(0, len(forwarded) - proxies)]
    return (_without_port(named[0].strip()) if named else "") or caller_address(request)


def site_of(address: str) -> str:
    """Return an address, and of an IPv6 address only what its network was given."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ip_network((int(parsed), IPV6_SITE), strict=False))
    return str(parsed)


def _without_port(text: str) -> str:
    host = text.partition("]")[0].lstrip("[") if text.startswith("[") else text
    return host.partition(":")[0] if host.count(":") == 1 else host
