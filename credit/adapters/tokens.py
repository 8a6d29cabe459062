"""Who we are for a commerce service: what goes into the header `Authorization`. Nothing here is logged."""

import json
import math
import threading
import time

import requests

from coursecredit.backends import load_dotted
from credit.adapters.http import body_of
from credit.conf import conf

EARLY = 30  # seconds before its end from which a token is not used any more
DEFAULT_LIFETIME = 300  # seconds, of a token that does not tell

_lock = threading.Lock()
_kept: dict[tuple[str, str], tuple[str, float]] = {}


def authorization(*, timeout: float) -> str:
    """Return the header's value: what the site's own function gives, or a token for our client id and secret.

    Raises:
        requests.RequestException, ValueError: no token is to be had.
    """
    path = conf.CREDIT_COMMERCE_AUTHORIZATION
    if path is not None:
        issue = load_dotted(path, setting="CREDIT_COMMERCE_AUTHORIZATION")
        return str(issue(conf.ECOMMERCE_SERVICE_WORKER_USERNAME))
    key = (conf.CREDIT_COMMERCE_TOKEN_URL, conf.CREDIT_COMMERCE_CLIENT_ID)
    with _lock:
        value, good_until = _kept.get(key, ("", 0.0))
        if time.monotonic() >= good_until:
            value, lifetime = _fetch(timeout)
            _kept[key] = value, time.monotonic() + lifetime - EARLY
    return value


def forget() -> None:
    """Drop the tokens that are kept, as after one was refused."""
    with _lock:
        _kept.clear()


def _fetch(timeout: float) -> tuple[str, float]:
    """Return a new token, with its kind in front, and for how many seconds it is good."""
    response = requests.post(
        conf.CREDIT_COMMERCE_TOKEN_URL,
        data={
            "grant_type": "client_credentials",
            "client_id": conf.CREDIT_COMMERCE_CLIENT_ID,
            "client_secret": conf.CREDIT_COMMERCE_CLIENT_SECRET,
            "token_type": "jwt",
        },
        auth=_nobody,
        timeout=timeout,
        allow_redirects=False,
        stream=True,
    )
    response.raise_for_status()
    answer = json.loads(body_of(response, timeout=timeout))
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not (token and isinstance(token, str)):
        raise ValueError("The answer has no token.")
    kind = "Bearer" if str(answer.get("token_type", "")).lower() == "bearer" else "JWT"
    return f"{kind} {token}", _lifetime(answer.get("expires_in"))


def _lifetime(told: object) -> float:
    """Return for how many seconds a token is good, which an answer may tell in any way, or not at all."""
    try:
        seconds = float(told) if isinstance(told, int | float | str) and not isinstance(told, bool) else 0
    except ValueError:
        seconds = 0
    return seconds if math.isfinite(seconds) and seconds > 0 else DEFAULT_LIFETIME


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add nothing, and keep the library from taking credentials out of a file of the account's."""
    return request
