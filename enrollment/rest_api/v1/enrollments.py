"""One enrollment, the list of somebody's, and the request for one (enrollment contract 10.4 to 10.6)."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from enrollment import api
from enrollment.keys import course_id_of
from enrollment.rest_api.base import EnrollmentApiView


class EnrollmentView(EnrollmentApiView):
    """One enrollment, active or not."""

    accepts_inactive_users = True

    def get(self, request: Request, course_id: str, username: str | None = None) -> Response:
        if username is None:
            username = self.own_username
        if username != self.own_username and not self.is_privileged:
            return Response(status=status.HTTP_404_NOT_FOUND)  # whether or not there is anything to hide
        course_id = course_id_of(course_id)
        return Response(None if username is None else api.get_enrollment(username, course_id))


class EnrollmentListView(EnrollmentApiView):
    """Somebody's enrollments, oldest first, and the request for another."""

    accepts_inactive_users = True

    def get(self, request: Request) -> Response:
        username = request.query_params.get("user", self.own_username)
        return Response([] if username is None else api.get_enrollments(username))
