"""How addresses look. The slash at the end is optional, without a redirect: a redirected POST arrives as a GET."""

from typing import Any

from django.urls import URLPattern, re_path
from rest_framework.views import APIView

USERNAME = r"(?P<username>[\w .@_+-]+)"
COURSE_ID = r"(?P<course_id>[^/+]+(?:/|\+)[^/+]+(?:/|\+)[^/?]+)"


def route(pattern: str, view: type[APIView], name: str, **options: Any) -> URLPattern:
    """Return the pattern of a view's address, with and without a slash at the end."""
    return re_path(rf"^{pattern}/?$", view.as_view(**options), name=name)
