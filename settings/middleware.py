"""What happens around every request: its id, its line in the log, and what a browser may load into its page."""

import logging
import re
import time
from collections.abc import Callable
from uuid import uuid4

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from coursecredit.charsets import makes_text
from settings.logs import route

GetResponse = Callable[[HttpRequest], HttpResponseBase]

REQUEST_ID_HEADER = "X-Request-ID"
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)

log = logging.getLogger("settings.requests")


def request_ids(get_response: GetResponse) -> GetResponse:
    """Bind the caller's `X-Request-ID`, or a new one if it does not suit, to all log lines, and answer it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        offered = request.headers.get(REQUEST_ID_HEADER, "")
        request_id = offered if REQUEST_ID.fullmatch(offered) else uuid4().hex
        # Until the response has been sent: Django logs errors after the last middleware. See settings.logs.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = get_response(request)
        response[REQUEST_ID_HEADER] = request_id
        return response

    return middleware


def request_log(get_response: GetResponse) -> GetResponse:
    """Write one line per request. It names the route: the path itself may hold usernames."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        response = get_response(request)
        milliseconds = round((time.perf_counter() - start) * 1000, 1)
        log.info("%s %s %s", request.method, route(request), response.status_code, extra={"milliseconds": milliseconds})
        return response

    return middleware


def request_figures(get_response: GetResponse) -> GetResponse:
    """Count requests, and how long they take."""
    # Only now: Django's checks import every middleware, in the worker too before it says where figures are shared.
    from settings.metrics import count_request

    def middleware(request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        response = get_response(request)
        count_request(request.method, route(request), response.status_code, time.perf_counter() - start)
        return response

    return middleware


def text_charsets(get_response: GetResponse) -> GetResponse:
    """Read bodies as UTF-8 if they name a charset that makes no text: Django takes every codec of Python's for one."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.encoding is not None and not makes_text(request.encoding):
            request.encoding = "utf-8"
        return get_response(request)

    return middleware


def content_security_policy(get_response: GetResponse) -> GetResponse:
    """Let pages load nothing but our own files, unless the view says otherwise."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        is_debug_page = settings.DEBUG and response.status_code in (404, 500)  # Django's, with scripts inside
        if not is_debug_page:
            response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response

    return middleware
