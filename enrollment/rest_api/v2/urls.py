"""Addresses below `/api/enrollment/v2/`, each with a slash at the end (enrollment contract 16)."""

from django.urls import path, re_path

from enrollment.rest_api.routes import COURSE_ID, USERNAME
from enrollment.rest_api.v2.admin_list import EnrollmentAdminListView
from enrollment.rest_api.v2.courses import CourseDetailsView
from enrollment.rest_api.v2.enrollments import EnrollmentListView, EnrollmentView
from enrollment.rest_api.v2.invitations import InvitationView
from enrollment.rest_api.v2.roles import RolesView
from enrollment.rest_api.v2.unenroll import UnenrollmentView

app_name = "v2"

urlpatterns = [
    path("enrollment/", EnrollmentListView.as_view(), name="enrollment"),
    path("enrollment/unenroll/", UnenrollmentView.as_view(), name="unenrollment"),
    path("enrollment/enrollment_allowed/", InvitationView.as_view(), name="invitations"),
    path("enrollments/", EnrollmentAdminListView.as_view(), name="enrollments"),
    re_path(rf"^enrollments/{USERNAME},{COURSE_ID}/$", EnrollmentView.as_view(), name="enrollment_of"),
    re_path(rf"^courses/{COURSE_ID}/$", CourseDetailsView.as_view(), name="course"),
    path("roles/", RolesView.as_view(), name="roles"),
]
