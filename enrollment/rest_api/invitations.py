"""What staff say of an invitation, in JSON or in a form (enrollment contract 10.11)."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework.request import Request

from coursecredit.parsers import PARSERS, body_of
from enrollment.rest_api.base import EnrollmentApiView
from enrollment.rest_api.fields import text_in
from enrollment.rest_api.permissions import IsGlobalStaff
from enrollment.rest_api.refusals import InvalidAutoEnroll, InvitationIncomplete

FORM_FLAGS = {"true": True, "false": False}


class InvitingView(EnrollmentApiView):
    """A view about invitations: for staff, limited always, with forms as well."""

    parser_classes: Any = PARSERS
    permission_classes: Any = (IsGlobalStaff,)
    always_throttled = True

    def asked_email(self, request: Request) -> str:
        """Return the address that the query names; the caller's own without one."""
        own = "" if self.requester is None else self.requester.email
        return request.query_params.get("email", own)


def invitation_in(*sources: Mapping[str, Any]) -> tuple[str, str]:
    """Return the e-mail address and the course key of an invitation, each from the first source that has it.

    Raises:
        MalformedField: one is no text.
        InvitationIncomplete: one is missing or empty.
    """
    email, course_id = (
        next((text for source in sources if (text := text_in(source, name))), None) for name in ("email", "course_id")
    )
    if email is None or course_id is None:
        raise InvitationIncomplete
    return email, course_id


def auto_enroll_in(body: Mapping[str, Any]) -> bool:
    """Return whether the learner is to be enrolled without asking; false if nothing is said.

    Raises:
        InvalidAutoEnroll: neither a JSON boolean nor, in a form, its text.
    """
    value = body.get("auto_enroll", False)
    if isinstance(body, QueryDict) and isinstance(value, str):
        value = FORM_FLAGS.get(value.lower())
    if not isinstance(value, bool):
        raise InvalidAutoEnroll
    return value


def sources_of(request: Request) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the body, if there is one, and the query: some proxies drop the body of a DELETE."""
    return {} if request.data is None else body_of(request), request.query_params
