"""Programs and their courses, on a site that keeps its catalog itself (program enrollments contract 2.4)."""

import uuid

from django.db import models
from django.db.models import Index, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from coursecredit.fields import course_key_field
from program_enrollments.models.organizations import Organization
from program_enrollments.querysets import CatalogCourseRunQuerySet, ProgramQuerySet


class CatalogCourse(models.Model):
    """A course, of which there are runs."""

    key = models.CharField(max_length=255, unique=True, help_text=_("Organization and course, such as edX+DemoX."))
    title = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class CatalogCourseRun(models.Model):
    """One run of a course."""

    key = course_key_field(unique=True)
    course = models.ForeignKey(CatalogCourse, on_delete=models.CASCADE, related_name="runs")

    objects = CatalogCourseRunQuerySet.as_manager()

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return str(self.key)


class Program(models.Model):
    """A credential made of courses. The first of its organizations owns it."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=255)
    type = models.CharField(max_length=64, help_text=_("Such as Masters or MicroMasters; case does not matter."))
    marketing_slug = models.CharField(max_length=255, blank=True)

    objects = ProgramQuerySet.as_manager()

    class Meta:
        ordering = ["title", "uuid"]

    def __str__(self) -> str:
        return self.title


class ProgramOrganization(models.Model):
    """An organization's part in a program; the lowest position owns it."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="authoring")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="authoring")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [UniqueConstraint(fields=["program", "organization"], name="program_enrollments_author_once")]

    def __str__(self) -> str:
        return f"{self.organization_id} of {self.program_id}"


class Curriculum(models.Model):
    """One version of a program's courses. The first active one counts."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4)
    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="curricula")
    is_active = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = _("curricula")
        ordering = ["position", "uuid"]
        indexes = [Index(fields=["program", "position"], name="program_enroll_curricula")]

    def __str__(self) -> str:
        return str(self.uuid)


class CurriculumCourse(models.Model):
    """A course in a curriculum."""

    curriculum = models.ForeignKey(Curriculum, on_delete=models.CASCADE, related_name="curriculum_courses")
    course = models.ForeignKey(CatalogCourse, on_delete=models.CASCADE, related_name="curriculum_courses")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [UniqueConstraint(fields=["curriculum", "course"], name="program_enrollments_course_once")]

    def __str__(self) -> str:
        return f"{self.course_id} in {self.curriculum_id}"


class CurriculumProgram(models.Model):
    """A program inside a curriculum: its runs count as those of the program around it."""

    curriculum = models.ForeignKey(Curriculum, on_delete=models.CASCADE, related_name="curriculum_programs")
    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="inside")

    class Meta:
        constraints = [UniqueConstraint(fields=["curriculum", "program"], name="program_enrollments_nested_once")]

    def __str__(self) -> str:
        return f"{self.program_id} in {self.curriculum_id}"


class ProgramCourse(models.Model):
    """A course that a program lists outside its curricula."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="program_courses")
    course = models.ForeignKey(CatalogCourse, on_delete=models.CASCADE, related_name="program_courses")

    class Meta:
        constraints = [UniqueConstraint(fields=["program", "course"], name="program_enrollments_listed_once")]

    def __str__(self) -> str:
        return f"{self.course_id} of {self.program_id}"
