"""Everybody's enrollments, for staff."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from enrollment import api
from enrollment.api.listing import ORDERINGS
from enrollment.rest_api.base import EnrollmentApiView
from enrollment.rest_api.filters import NEWER_NAMES, EnrollmentFilter, asked_in
from enrollment.rest_api.pagination import NumberedPages
from enrollment.rest_api.permissions import IsGlobalStaff
from enrollment.rest_api.v2.base import Version2

DEPRECATED_SINCE = "@1767225600"  # 2026-01-01, as RFC 9745 writes a date


class LongNumberedPages(NumberedPages):
    """Pages of 100."""

    page_size = 100


class EnrollmentAdminListView(Version2, EnrollmentApiView):
    """All enrollments, active or not, in an order to choose, in numbered pages."""

    permission_classes: Any = (IsGlobalStaff,)

    def get(self, request: Request) -> Response:
        form = EnrollmentFilter(data=asked_in(request.query_params))
        form.is_valid(raise_exception=True)
        ordering = request.query_params.get("ordering")
        rows = api.find_enrollments(**form.wanted(), ordering=ordering if ordering in ORDERINGS else "-created")
        pages = LongNumberedPages()
        page = pages.paginate_queryset(rows, request, view=self)
        response = pages.get_paginated_response([api.listed_enrollment(row) for row in page or []])
        if not NEWER_NAMES.keys().isdisjoint(request.query_params):
            response["Deprecation"] = DEPRECATED_SINCE
        return response
