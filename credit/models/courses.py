"""Courses in which credit can be earned, and who grants it."""

from typing import Any

from django.db import models
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from coursecredit.caching import CoherentCache
from coursecredit.fields import course_key_field
from credit.models.providers import CreditProvider
from credit.querysets import CreditCourseQuerySet
from credit.types import CourseKeyOrText


class CreditCourse(models.Model):
    """A course in which credit can be earned while `enabled` is set."""

    CREDIT_COURSES_CACHE_KEY = "credit.courses.set"

    course_key = course_key_field(unique=True, db_index=True)
    enabled = models.BooleanField(default=False)
    requirements_due_at = models.DateTimeField(
        null=True, editable=False, help_text=_("Since when the course has been published with requirements unread.")
    )

    objects = CreditCourseQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.course_key)

    @classmethod
    def is_credit_course(cls, course_key: CourseKeyOrText) -> bool:
        """Return whether credit can be earned in the course. Cached."""
        keys = COURSES_CACHE.get_or_build(
            lambda: {str(key) for key in cls.objects.enabled().values_list("course_key", flat=True)}
        )
        return str(course_key) in keys

    @classmethod
    def get_credit_course(cls, course_key: CourseKeyOrText) -> "CreditCourse":
        """Return the course's row.

        Raises:
            CreditCourse.DoesNotExist: there is no row, or it is not enabled.
        """
        course: CreditCourse = cls.objects.enabled().get(course_key=course_key)
        return course


class CreditCourseProvider(models.Model):
    """A provider gives credit for a course. A course without such a row gets credit from every active provider."""

    course = models.ForeignKey(CreditCourse, on_delete=models.CASCADE, related_name="course_providers")
    provider = models.ForeignKey(CreditProvider, on_delete=models.CASCADE, related_name="course_providers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["course", "provider"], name="credit_one_row_per_course_and_provider"),
        ]

    def __str__(self) -> str:
        return f"{self.course.course_key}, {self.provider.provider_id}"


COURSES_CACHE = CoherentCache(CreditCourse.CREDIT_COURSES_CACHE_KEY)


@receiver([post_save, post_delete], sender=CreditCourse)
def _course_changed(using: str, **kwargs: Any) -> None:
    COURSES_CACHE.invalidate(using=using)
