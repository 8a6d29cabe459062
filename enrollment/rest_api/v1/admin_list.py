"""Everybody's enrollments, for staff (enrollment contract 10.8)."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from coursecredit.problems import DEVELOPER_MESSAGE
from enrollment import api
from enrollment.rest_api.base import EnrollmentApiView
from enrollment.rest_api.filters import PagedEnrollmentFilter, asked_in
from enrollment.rest_api.permissions import IsGlobalStaff


class EnrollmentAdminListView(EnrollmentApiView):
    """All enrollments, active or not, newest first, page by page."""

    dialect = DEVELOPER_MESSAGE
    permission_classes: Any = (IsGlobalStaff,)

    def get(self, request: Request) -> Response:
        form = PagedEnrollmentFilter(data=asked_in(request.query_params))
        if not form.is_valid():
            raise ValidationError({"field_errors": _worded(form.errors)})
        page = api.list_enrollments(**form.wanted())
        return Response(
            {
                "next": _address(request, page.next),
                "previous": _address(request, page.previous),
                "results": page.results,
            }
        )


def _worded(errors: Any) -> dict[str, dict[str, str]]:
    return {name: {"developer_message": " ".join(map(str, texts))} for name, texts in errors.items()}


def _address(request: Request, cursor: api.Cursor | None) -> str | None:
    return None if cursor is None else replace_query_param(request.build_absolute_uri(), "cursor", str(cursor))
