"""The caller's own roles."""

from enrollment.rest_api.v1 import roles as v1
from enrollment.rest_api.v2.base import Version2


class RolesView(Version2, v1.RolesView):
    """On which courses and organisations the caller has roles, and whether they are staff of the whole site."""
