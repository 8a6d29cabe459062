"""One enrollment, the list of somebody's, and the request for one."""

from django.db import transaction
from django.utils.decorators import method_decorator
from rest_framework.request import Request
from rest_framework.response import Response

from enrollment.keys import course_id_of
from enrollment.rest_api.pagination import NumberedPages
from enrollment.rest_api.refusals import LearnerHidden
from enrollment.rest_api.v1 import enrollments as v1
from enrollment.rest_api.v2.base import Version2, shown


class EnrollmentView(Version2, v1.EnrollmentView):
    """One enrollment, active or not; an empty answer if there is none."""

    def get(self, request: Request, course_id: str, username: str) -> Response:
        if username != self.own_username and not self.is_privileged:
            raise LearnerHidden  # whether or not there is anything to hide
        course_id = course_id_of(course_id)
        enrollment = self.find(username, course_id)
        return Response(None if enrollment is None else shown(enrollment, request, course_id))


# As in version 1: a request is one transaction of its own, which begins after the hooks.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class EnrollmentListView(Version2, v1.EnrollmentListView):
    """Somebody's enrollments, oldest first, in pages, and the request for another."""

    def get(self, request: Request) -> Response:
        found = self.find(request.query_params.get("user", self.own_username), request)
        pages = NumberedPages()
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response([shown(enrollment, request) for enrollment in page or []])

    def post(self, request: Request) -> Response:
        return Response(self.ask(request))
