"""Web addresses that staff typed: which of them a page may show, and how a policy names where they lead."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

HOST = re.compile(r"[A-Za-z0-9._-]+")


def origins(addresses: Iterable[str]) -> list[str]:
    """Return the origins of web addresses, each once; what is no web address has none."""
    return sorted({origin for address in addresses if (origin := origin_of(address))})


def origin_of(address: str) -> str:
    """Return `https://host:port` of a web address as a policy can name it, or an empty text."""
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:  # of which Unicode errors are a kind
        return ""
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(host):
        return ""
    return f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")


def web_address(address: str) -> str:
    """Return the address if it is one that a page may link to, or an empty text."""
    return address if origin_of(address) else ""
