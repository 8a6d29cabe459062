"""Addresses of the first version."""

from django.urls import re_path

from program_enrollments.rest_api.v1.constants import PROGRAM_UUID_PATTERN
from program_enrollments.rest_api.v1.views import ProgramEnrollmentsView

app_name = "v1"

urlpatterns = [
    re_path(
        rf"^programs/{PROGRAM_UUID_PATTERN}/enrollments/$", ProgramEnrollmentsView.as_view(), name="program_enrollments"
    ),
]
