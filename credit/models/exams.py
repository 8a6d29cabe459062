"""Exams and attempts: the stand-in for an exam system."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from coursecredit.fields import course_key_field
from credit.models.learners import LearnerRow
from credit.querysets import CourseExamQuerySet


class CourseExam(models.Model):
    """An exam of a course, from import or staff: the stand-in for an exam registry and for the course's blocks."""

    course_key = course_key_field(db_index=True)
    content_id = models.CharField(max_length=255, help_text=_("Text of the exam's usage key."))
    exam_name = models.CharField(max_length=255)
    is_proctored = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_practice_exam = models.BooleanField(default=False)
    block_start = models.DateTimeField(null=True, blank=True)

    objects = CourseExamQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["course_key", "content_id"], name="credit_one_exam_per_block"),
        ]

    def __str__(self) -> str:
        return self.content_id


class ExamAttempt(LearnerRow):
    """A learner's attempt at an exam; `completed_at` is None until it is handed in. Personal data."""

    exam = models.ForeignKey(CourseExam, on_delete=models.CASCADE, related_name="attempts")
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exam", "username"], name="credit_one_attempt_per_exam"),
        ]

    def __str__(self) -> str:
        return f"{self.exam_id}, {self.completed_at}"
