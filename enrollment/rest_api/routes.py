"""How addresses look. The slash at the end is optional, without a redirect: a redirected POST arrives as a GET."""

from typing import Any

from django.urls import URLPattern, re_path
from rest_framework.views import APIView

from enrollment.conf import conf


def username() -> str:
    """Return the pattern of a username, as the group `username`."""
    return _named("username", conf.USERNAME_PATTERN)


def course_id() -> str:
    """Return the pattern of a course key, as the group `course_id`."""
    return _named("course_id", conf.COURSE_ID_PATTERN)


def route(pattern: str, view: type[APIView], name: str, **options: Any) -> URLPattern:
    """Return the pattern of a view's address, with and without a slash at the end."""
    return re_path(rf"^{pattern}/?$", view.as_view(**options), name=name)


def _named(name: str, pattern: str) -> str:
    # Open edX's own settings of these names have the group in them.
    return pattern if f"(?P<{name}>" in pattern else f"(?P<{name}>{pattern})"
