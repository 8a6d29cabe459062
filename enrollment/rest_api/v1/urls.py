"""Addresses below `/api/enrollment/v1/` (enrollment contract 10.1)."""

from enrollment.rest_api.routes import COURSE_ID, USERNAME, route
from enrollment.rest_api.v1.admin_list import EnrollmentAdminListView
from enrollment.rest_api.v1.bulk import BulkEnrollmentView
from enrollment.rest_api.v1.courses import CourseDetailsView
from enrollment.rest_api.v1.enrollments import EnrollmentListView, EnrollmentView, OwnEnrollmentView
from enrollment.rest_api.v1.invitations import InvitationView
from enrollment.rest_api.v1.jobs import JobCancelView, JobDetailView, JobListView, JobResultView
from enrollment.rest_api.v1.roles import RolesView
from enrollment.rest_api.v1.unenroll import UnenrollmentView

JOB_ID = r"(?P<job_id>[^/]+)"

urlpatterns = [
    # Two parts before one: the first segment of a course key may contain a comma as well.
    route(f"enrollment/{USERNAME},{COURSE_ID}", EnrollmentView, "courseenrollment"),
    route(f"enrollment/{COURSE_ID}", OwnEnrollmentView, "courseenrollment"),
    route("enrollment", EnrollmentListView, "courseenrollments"),
    route(f"course/{COURSE_ID}", CourseDetailsView, "courseenrollmentdetails"),
    route("enrollments", EnrollmentAdminListView, "courseenrollmentsapilist"),
    route("unenroll", UnenrollmentView, "unenrollment"),
    route("roles", RolesView, "roles"),
    route("enrollment_allowed", InvitationView, "courseenrollmentallowed"),
    route("bulk", BulkEnrollmentView, "bulk_enrollment"),
    route("jobs", JobListView, "jobs"),
    route(f"jobs/{JOB_ID}", JobDetailView, "job"),
    route(f"jobs/{JOB_ID}/cancel", JobCancelView, "job_cancel"),
    route(f"jobs/{JOB_ID}/result", JobResultView, "job_result"),
]
