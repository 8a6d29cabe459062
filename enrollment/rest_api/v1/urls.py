"""Addresses below `/api/enrollment/v1/` (enrollment contract 10.1)."""

from enrollment.rest_api.routes import COURSE_ID, USERNAME, route
from enrollment.rest_api.v1.courses import CourseDetailsView
from enrollment.rest_api.v1.enrollments import EnrollmentListView, EnrollmentView, OwnEnrollmentView

urlpatterns = [
    # Two parts before one: the first segment of a course key may contain a comma as well.
    route(f"enrollment/{USERNAME},{COURSE_ID}", EnrollmentView, "courseenrollment"),
    route(f"enrollment/{COURSE_ID}", OwnEnrollmentView, "courseenrollment"),
    route("enrollment", EnrollmentListView, "courseenrollments"),
    route(f"course/{COURSE_ID}", CourseDetailsView, "courseenrollmentdetails"),
]
