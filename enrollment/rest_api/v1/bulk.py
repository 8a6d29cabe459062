"""Many enrollments in one call, for staff."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from coursecredit.addresses import caller_address
from coursecredit.parsers import body_of
from enrollment import api
from enrollment.rest_api.base import EnrollmentApiView
from enrollment.rest_api.fields import flag_in
from enrollment.rest_api.permissions import IsGlobalStaff
from enrollment.rest_api.refusals import InvalidForce, MalformedField


class BulkEnrollmentView(EnrollmentApiView):
    """Up to 1,000 requests for enrollments, each answered at its place; the API key does not help."""

    permission_classes = (IsGlobalStaff,)

    def post(self, request: Request) -> Response:
        body = body_of(request)
        items: Any = body.get("items")
        if not isinstance(items, list):
            raise MalformedField("`items` must be a list.")
        dry_run = bool(flag_in(body, "dry_run"))
        outcomes = api.enroll_in_bulk(
            items,
            requested_by=request.user.pk,
            force_enrollment=bool(flag_in(body, "force_enrollment", InvalidForce)),
            invite_unknown=bool(flag_in(body, "invite_unknown")),
            dry_run=dry_run,
            ip=caller_address(request),
            path=request.path,
        )
        failed = sum(outcome["error"] is not None for outcome in outcomes)
        return Response(
            {"dry_run": dry_run, "succeeded": len(outcomes) - failed, "failed": failed, "results": outcomes}
        )
