"""The key of trusted servers, in the header `X-Edx-Api-Key`.

It authorises and names nobody: it works without a user as well as with one.
"""

import hmac
import logging

from rest_framework.request import Request

from coursecredit.addresses import caller_address
from enrollment import ports
from enrollment.conf import conf

HEADER = "X-Edx-Api-Key"

log = logging.getLogger(__name__)


def has_api_key(request: Request) -> bool:
    """Return whether the request carries a valid key, and note in the audit log that one was used.

    The note has the name of the route rather than the path, which may contain a username.
    """
    given = request.META.get("HTTP_X_EDX_API_KEY", "")
    if not given:
        return False
    route = getattr(request.resolver_match, "view_name", None)
    if not is_valid_key(given):
        log.warning("A wrong API key was given at %s.", route)
        return False
    ports.audit_log().log(
        "api_key_used",
        route=route,
        method=request.method,
        user_id=request.user.pk,
        remote_address=caller_address(request),
    )
    return True


def is_valid_key(given: str) -> bool:
    """Return whether a text is one of the keys, after a time that does not depend on how much of it is right."""
    octets = given.encode("latin-1", errors="replace")  # as they came: headers are read as Latin-1
    matches = [hmac.compare_digest(octets, key.encode(errors="replace")) for key in conf.API_KEYS]
    return any(matches)
