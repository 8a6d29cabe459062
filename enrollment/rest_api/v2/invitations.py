"""Invitations by e-mail address, for staff."""

from enrollment.rest_api.v1 import invitations as v1
from enrollment.rest_api.v2.base import Version2


class InvitationView(Version2, v1.InvitationView):
    """The invitations of an address: listed, made, withdrawn."""
