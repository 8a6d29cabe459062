"""How learners did in courses, as grading and certificate services last told."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from enrollment.choices import PASSING_CERTIFICATE_STATUSES


class CourseGrade(TimeStampedModel):
    """A learner's grade in one course."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="course_grades")
    course_id = models.CharField(max_length=255, db_index=True)
    percent_grade = models.FloatField(help_text=_("Fraction from 0 to 1."))
    letter_grade = models.CharField(max_length=255, blank=True)
    passed_timestamp = models.DateTimeField(null=True, blank=True, help_text=_("When the learner passed, if ever."))
    course_version = models.CharField(max_length=255, blank=True)
    grading_policy_hash = models.CharField(max_length=255, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True, help_text=_("Time of the report that this row shows."))

    class Meta:
        constraints = [
            UniqueConstraint(fields=["user", "course_id"], name="enrollment_one_grade_per_course"),
            CheckConstraint(
                condition=Q(percent_grade__gte=0) & Q(percent_grade__lte=1), name="enrollment_grade_is_a_fraction"
            ),
        ]

    def __str__(self) -> str:
        return f"grade of user {self.user_id} in {self.course_id}"

    @property
    def has_passed(self) -> bool:
        return self.passed_timestamp is not None


class CourseCertificate(TimeStampedModel):
    """A learner's certificate in one course."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="course_certificates")
    course_id = models.CharField(max_length=255, db_index=True)
    mode = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=64)
    grade = models.CharField(max_length=255, blank=True)
    download_url = models.CharField(max_length=1024, blank=True, help_text=_("Absolute, or a path on the host."))
    awarded_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was first passing."))
    reported_at = models.DateTimeField(null=True, blank=True, help_text=_("Time of the report that this row shows."))

    class Meta:
        constraints = [UniqueConstraint(fields=["user", "course_id"], name="enrollment_one_certificate_per_course")]

    def __str__(self) -> str:
        return f"certificate of user {self.user_id} in {self.course_id}"

    @property
    def is_passing(self) -> bool:
        return self.status in PASSING_CERTIFICATE_STATUSES
