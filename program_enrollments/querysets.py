"""Reading verbs of the tables, in words that a registrar would understand."""

from collections.abc import Collection, Iterable
from typing import Any, Self
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Lower

from program_enrollments.constants import ProgramCourseEnrollmentStatuses
from program_enrollments.student_keys import folded
from program_enrollments.types import CourseKeyOrText


class ProgramEnrollmentQuerySet(models.QuerySet[Any]):
    """Program enrollments."""

    def in_program(self, program_uuid: UUID) -> Self:
        return self.filter(program_uuid=program_uuid)

    def of_students(self, keys: Iterable[str]) -> Self:
        """Return the rows of these student keys, without regard to case."""
        return self.filter(external_user_key_folded__in={folded(key) for key in keys})

    def realized(self) -> Self:
        """Return the rows that have an account."""
        return self.filter(user__isnull=False)

    def waiting(self) -> Self:
        """Return the rows that have no account yet."""
        return self.filter(user__isnull=True)

    def keyed(self) -> Self:
        """Return the rows that name the student by a key of the institution."""
        return self.filter(external_user_key__isnull=False)


class ProgramCourseEnrollmentQuerySet(models.QuerySet[Any]):
    """Enrollments in course runs through programs."""

    def in_run(self, course_key: CourseKeyOrText) -> Self:
        return self.filter(course_key=course_key)

    def of_students(self, keys: Iterable[str]) -> Self:
        """Return the rows of these student keys, without regard to case."""
        return self.filter(program_enrollment__external_user_key_folded__in={folded(key) for key in keys})

    def active(self) -> Self:
        return self.filter(status=ProgramCourseEnrollmentStatuses.ACTIVE)

    def inactive(self) -> Self:
        return self.filter(status=ProgramCourseEnrollmentStatuses.INACTIVE)

    def realized(self) -> Self:
        """Return the rows of learners who have an account."""
        return self.filter(program_enrollment__user__isnull=False)

    def waiting(self) -> Self:
        """Return the rows of learners who have no account yet."""
        return self.filter(program_enrollment__user__isnull=True)


class ExternalIdentityQuerySet(models.QuerySet[Any]):
    """Accounts' keys at institutions."""

    def of_students(self, keys: Iterable[str]) -> Self:
        """Return the identities with these keys, without regard to case."""
        return self.filter(external_key_folded__in={folded(key) for key in keys})


class ProgramQuerySet(models.QuerySet[Any]):
    """Programs of the local catalog."""

    def of_type(self, program_type: str) -> Self:
        """Return the programs of a type, whose case does not matter."""
        return self.alias(lowered_type=Lower("type")).filter(lowered_type=program_type.lower())

    def with_facts(self) -> Self:
        """Add `owner`, the short name of the organization that owns it or None, and `has_active_curriculum`."""
        authors = _model("ProgramOrganization").objects.filter(program=OuterRef("pk")).order_by("position", "pk")
        curricula = _model("Curriculum").objects.filter(program=OuterRef("pk"), is_active=True)
        return self.annotate(
            owner=Subquery(authors.values("organization__short_name")[:1]), has_active_curriculum=Exists(curricula)
        )

    def that_list(self, course_key: CourseKeyOrText) -> Self:
        """Return the programs that list the run themselves; nested programs are not looked into."""
        courses = _model("CatalogCourseRun").objects.filter(key=course_key).values("course")
        return self.filter(
            Q(pk__in=_model("ProgramCourse").objects.filter(course__in=courses).values("program"))
            | Q(pk__in=current_curricula().filter(curriculum_courses__course__in=courses).values("program"))
        )

    def around(self, program_uuids: Collection[UUID]) -> Self:
        """Return the programs in whose curriculum one of these is nested."""
        return self.filter(
            pk__in=current_curricula().filter(curriculum_programs__program__in=program_uuids).values("program")
        )

    def nested_in(self, program_uuids: Collection[UUID]) -> Self:
        """Return the programs in the curricula of these."""
        return self.filter(inside__curriculum__in=current_curricula().filter(program__in=program_uuids))


class CatalogCourseRunQuerySet(models.QuerySet[Any]):
    """Course runs of the local catalog."""

    def listed_by(self, program_uuids: Collection[UUID]) -> Self:
        """Return the runs that these programs list themselves; nested programs are not looked into."""
        return self.filter(
            Q(course__in=_model("ProgramCourse").objects.filter(program__in=program_uuids).values("course"))
            | Q(course__curriculum_courses__curriculum__in=current_curricula().filter(program__in=program_uuids))
        ).distinct()


def current_curricula() -> models.QuerySet[Any]:
    """Return the curricula that count: of each program the first active one."""
    curricula = _model("Curriculum").objects
    earlier = curricula.filter(program=OuterRef("program"), is_active=True).filter(
        Q(position__lt=OuterRef("position")) | Q(position=OuterRef("position"), pk__lt=OuterRef("pk"))
    )
    rows: models.QuerySet[Any] = curricula.filter(~Exists(earlier), is_active=True)
    return rows


def _model(name: str) -> Any:
    """Return a model of this app, all of which are loaded only after this module."""
    return apps.get_model("program_enrollments", name)
