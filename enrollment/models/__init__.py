"""Tables of the enrollment app, by subject."""

from enrollment.models.courses import Course, CourseMode
from enrollment.models.enrollments import CourseEnrollment, CourseEnrollmentAttribute
from enrollment.models.invitations import CourseEnrollmentAllowed, ManualEnrollmentAudit
from enrollment.models.jobs import BulkJob, BulkJobResult
from enrollment.models.people import CourseAccessRole, EmailOptIn, LearnerProfile, RetirementRequest
from enrollment.models.results import CourseCertificate, CourseGrade

__all__ = [
    "BulkJob",
    "BulkJobResult",
    "Course",
    "CourseAccessRole",
    "CourseCertificate",
    "CourseEnrollment",
    "CourseEnrollmentAllowed",
    "CourseEnrollmentAttribute",
    "CourseGrade",
    "CourseMode",
    "EmailOptIn",
    "LearnerProfile",
    "ManualEnrollmentAudit",
    "RetirementRequest",
]
