"""One enrollment, the list of somebody's, and the request for one (enrollment contract 10.4 to 10.6)."""

from typing import Any

from django.db import transaction
from django.utils.decorators import method_decorator
from rest_framework.request import Request
from rest_framework.response import Response

from enrollment import api
from enrollment.keys import course_id_of
from enrollment.rest_api.asking import AskingView
from enrollment.rest_api.base import LearnerView
from enrollment.rest_api.pagination import NumberedPages
from enrollment.rest_api.refusals import LearnerHidden
from enrollment.rest_api.v1.refusals import exception_handler, told_of_asking, told_of_reading
from enrollment.types import EnrollmentDict


class EnrollmentView(LearnerView):
    """One enrollment, active or not; an empty answer if there is none."""

    def get_exception_handler(self) -> Any:
        return exception_handler

    def get(self, request: Request, course_id: str, username: str) -> Response:
        if username != self.own_username and not self.is_privileged:
            raise LearnerHidden  # whether or not there is anything to hide
        return Response(self.find(username, course_id_of(course_id)))

    def find(self, username: str, course_id: str) -> EnrollmentDict | None:
        with told_of_reading(username, course_id):
            return api.get_enrollment(username, course_id)


class OwnEnrollmentView(EnrollmentView):
    """The caller's own. A server that speaks for nobody has none."""

    def get(self, request: Request, course_id: str) -> Response:  # type: ignore[override]  # the shorter address
        course_id = course_id_of(course_id)
        return Response(None if self.own_username is None else self.find(self.own_username, course_id))


# A request is one transaction of its own, which begins after the hooks and is tried again after a deadlock.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class EnrollmentListView(AskingView):
    """Somebody's enrollments, oldest first, and the request for another."""

    def get_exception_handler(self) -> Any:
        return exception_handler

    def get(self, request: Request) -> Response:
        username = request.query_params.get("user", self.own_username)
        found = self.find(username, request)
        if "page" not in request.query_params and "page_size" not in request.query_params:
            return Response(found)
        pages = NumberedPages()
        return pages.get_paginated_response(pages.paginate_queryset(found, request, view=self))

    def find(self, username: str | None, request: Request) -> list[EnrollmentDict]:
        if username is None:
            return []
        with told_of_reading(username):
            if self.requester is not None and username != self.own_username and not self.is_privileged:
                return api.get_enrollments_seen_by(self.requester, username)
            include_inactive = request.query_params.get("include_inactive", "").lower() in ("1", "true")
            return api.get_enrollments(username, include_inactive=include_inactive)

    def post(self, request: Request) -> Response:
        with told_of_asking(self):
            return Response(self.ask(request))
