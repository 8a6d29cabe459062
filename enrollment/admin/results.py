"""How learners did, as other services told it: staff look, and bring in what no service tells."""

from django.contrib import admin

from coursecredit.admin.csv_files import with_csv
from enrollment.admin.parts import RuledRows
from enrollment.models import CourseCertificate, CourseGrade


class CourseGradeAdmin(RuledRows):
    list_display = ["learner", "course_id", "percent_grade", "letter_grade", "passed_timestamp", "reported_at"]
    list_display_links = ["learner", "course_id"]
    list_filter = [("passed_timestamp", admin.EmptyFieldListFilter)]
    fields = [
        "learner",
        "course_id",
        "percent_grade",
        "letter_grade",
        "passed_timestamp",
        "course_version",
        "grading_policy_hash",
        "reported_at",
        "created",
        "modified",
    ]


class CourseCertificateAdmin(RuledRows):
    list_display = ["learner", "course_id", "mode", "status", "awarded_at", "reported_at"]
    list_display_links = ["learner", "course_id"]
    fields = [
        "learner",
        "course_id",
        "mode",
        "status",
        "grade",
        "download_url",
        "awarded_at",
        "reported_at",
        "created",
        "modified",
    ]


admin.site.register(CourseGrade, with_csv(CourseGradeAdmin, "enrollment.admin.transfer.CourseGradeResource"))
admin.site.register(
    CourseCertificate, with_csv(CourseCertificateAdmin, "enrollment.admin.transfer.CourseCertificateResource")
)
