"""What enrolling in a course means, for everybody (enrollment contract 10.7)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from enrollment import api
from enrollment.conf import conf
from enrollment.errors import CourseNotFoundError
from enrollment.rest_api.base import EnrollmentApiView
from enrollment.rest_api.throttling import CourseDetailsThrottle


class CourseDetailsView(EnrollmentApiView):
    """Dates and modes of a course. Nobody is asked who they are."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_classes: Any = (CourseDetailsThrottle,)

    def get(self, request: Request, course_id: str) -> Response:
        include_expired = bool(request.query_params.get("include_expired"))  # `0` and `false` are texts too
        try:
            details = api.get_course_enrollment_details(course_id, include_expired=include_expired)
        except CourseNotFoundError as exc:
            raise CourseNotFoundError(f"No course found for course ID '{course_id}'.") from exc
        seconds = int(conf.COURSE_DETAILS_CACHE_TIMEOUT.total_seconds())
        return Response(details, headers={"Cache-Control": f"max-age={seconds}"})
