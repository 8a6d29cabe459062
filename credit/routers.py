"""Routing of viewsets."""

from typing import Any

from rest_framework import routers


class SimpleRouter(routers.SimpleRouter):
    """A router that uses the viewset's `lookup_value_regex` in its URLs, whatever REST framework would make of it.

    Course keys need that: their legacy form contains slashes.
    """

    def get_lookup_regex(self, viewset: Any, lookup_prefix: str = "") -> str:
        """Return the part of the URL pattern that finds one object."""
        return f"(?P<{lookup_prefix}{viewset.lookup_field}>{viewset.lookup_value_regex})"
