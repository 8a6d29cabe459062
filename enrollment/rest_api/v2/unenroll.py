"""The end of all enrollments of an account that is being removed."""

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from coursecredit.parsers import body_of
from enrollment.rest_api.v1 import unenroll as v1
from enrollment.rest_api.v2.base import Version2


class UnenrollmentView(Version2, v1.UnenrollmentView):
    """All of an account's enrollments end, or none."""

    def post(self, request: Request) -> Response:
        if not isinstance(body_of(request).get("username"), str):
            raise ValidationError({"username": ["This field is required, as text."]})
        return super().post(request)
