"""REST endpoints. Each reads like the list of its checks in program enrollments contract 6, in the same order."""

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.conf import conf
from program_enrollments.constants import ProgramOperationStatuses
from program_enrollments.rest_api.base import RegistrarView
from program_enrollments.rest_api.pagination import RowPagination
from program_enrollments.rest_api.v1.serializers import (
    KnownStudentRowSerializer,
    ProgramEnrollmentRowSerializer,
    ProgramEnrollmentSerializer,
    as_request,
    named_students,
    rows_of,
)


class ProgramEnrollmentsView(RegistrarView):
    """The students of a program: read page by page, enrolled and changed in batches."""

    pagination_class = RowPagination

    def get(self, request: Request, program_uuid: str) -> Response:
        rows = api.fetch_program_enrollments(self.program.uuid).select_related("user")
        if request.query_params.get("include_unkeyed", "").lower() != "true":
            rows = rows.keyed()
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(ProgramEnrollmentSerializer(page, many=True).data)

    def post(self, request: Request, program_uuid: str) -> Response:
        return self._write(request, create=True, update=False)

    def patch(self, request: Request, program_uuid: str) -> Response:
        return self._write(request, create=False, update=True)

    def put(self, request: Request, program_uuid: str) -> Response:
        return self._write(request, create=True, update=True)

    def _write(self, request: Request, *, create: bool, update: bool) -> Response:
        body: Any = request.data
        if (asked := named_students(body)) > conf.MAX_WRITE_RECORDS:
            return Response(
                f"{asked} students were sent; the limit is {conf.MAX_WRITE_RECORDS} in one request.",
                status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
            )
        rows = rows_of(body, ProgramEnrollmentRowSerializer if create else KnownStudentRowSerializer)
        results = api.write_program_enrollments(
            self.program.uuid, [as_request(row) for row in rows], create=create, update=update
        )
        all_good = status.HTTP_200_OK if update else status.HTTP_201_CREATED
        return answer(results, errors=ProgramOperationStatuses.ERRORS, all_good=all_good)


def answer(results: dict[str, str], *, errors: tuple[str, ...], all_good: int) -> Response:
    """Answer what became of each student; the status tells whether of all, some or none what was asked."""
    if not results:
        return Response(status=status.HTTP_204_NO_CONTENT)
    failed = sum(result in errors for result in results.values())
    if not failed:
        return Response(results, status=all_good)
    mixed = failed < len(results)
    return Response(results, status=status.HTTP_207_MULTI_STATUS if mixed else status.HTTP_422_UNPROCESSABLE_ENTITY)
