"""Rows for tests of program enrollments."""

from uuid import UUID, uuid4

import factory
from factory.django import DjangoModelFactory

from program_enrollments import models
from program_enrollments.constants import ProgramCourseEnrollmentStatuses, ProgramEnrollmentStatuses
from tests.enrollment.factories import UserFactory


class OrganizationFactory(DjangoModelFactory):
    class Meta:
        model = models.Organization
        django_get_or_create = ("short_name",)

    short_name = "HogwartsX"


class IdentityProviderFactory(DjangoModelFactory):
    class Meta:
        model = models.IdentityProvider

    slug = factory.Sequence(lambda n: f"hogwarts-{n:06}")
    organization = factory.SubFactory(OrganizationFactory)
    display_name = "Hogwarts"


class ExternalIdentityFactory(DjangoModelFactory):
    class Meta:
        model = models.ExternalIdentity

    user = factory.SubFactory(UserFactory)
    provider = factory.SubFactory(IdentityProviderFactory)
    external_key = factory.Sequence(lambda n: f"student-{n:06}")


class ProgramFactory(DjangoModelFactory):
    """A program of HogwartsX with one active curriculum; `runs` are the keys of the course runs in it."""

    class Meta:
        model = models.Program
        skip_postgeneration_save = True

    title = "Magical Computing"
    type = "Masters"
    marketing_slug = "magical-computing"

    @factory.post_generation
    def owner(self, create, short_name, **kwargs):
        organization = OrganizationFactory(short_name=short_name or "HogwartsX")
        models.ProgramOrganization.objects.create(program=self, organization=organization)

    @factory.post_generation
    def runs(self, create, keys, **kwargs):
        curriculum = CurriculumFactory(program=self)
        for key in keys or ():
            course = CatalogCourseRunFactory(key=key).course
            models.CurriculumCourse.objects.create(curriculum=curriculum, course=course)


class CurriculumFactory(DjangoModelFactory):
    class Meta:
        model = models.Curriculum

    program = factory.SubFactory(ProgramFactory)


class CatalogCourseFactory(DjangoModelFactory):
    class Meta:
        model = models.CatalogCourse

    key = factory.Sequence(lambda n: f"HogwartsX+Course{n:06}")


class CatalogCourseRunFactory(DjangoModelFactory):
    class Meta:
        model = models.CatalogCourseRun

    key = factory.Sequence(lambda n: f"course-v1:HogwartsX+Course{n:06}+2026")
    course = factory.SubFactory(CatalogCourseFactory)


class ProgramEnrollmentFactory(DjangoModelFactory):
    """A student who waits for an account."""

    class Meta:
        model = models.ProgramEnrollment

    external_user_key = factory.Sequence(lambda n: f"student-{n:06}")
    program_uuid = factory.LazyFunction(uuid4)
    curriculum_uuid = UUID(int=7)
    status = ProgramEnrollmentStatuses.ENROLLED


class ProgramCourseEnrollmentFactory(DjangoModelFactory):
    class Meta:
        model = models.ProgramCourseEnrollment

    program_enrollment = factory.SubFactory(ProgramEnrollmentFactory)
    course_key = factory.Sequence(lambda n: f"course-v1:HogwartsX+Course{n:06}+2026")
    status = ProgramCourseEnrollmentStatuses.ACTIVE
