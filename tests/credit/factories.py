"""Rows of the credit app for tests."""

from datetime import UTC, datetime

import factory
from factory.django import DjangoModelFactory

from credit.choices import GRADE_NAME, GRADE_NAMESPACE, RequestStatus, RequirementStatus
from credit.models import (
    CourseExam,
    CreditConfig,
    CreditCourse,
    CreditCourseProvider,
    CreditEligibility,
    CreditProvider,
    CreditRequest,
    CreditRequirement,
    CreditRequirementStatus,
    ExamAttempt,
)
from enrollment.models import Course
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory

ISSUED_AT = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


class CreditProviderFactory(DjangoModelFactory):
    """A university that takes signed requests; tests put its key into `CREDIT_PROVIDER_SECRET_KEYS`."""

    class Meta:
        model = CreditProvider

    provider_id = factory.Sequence("university-{:06}".format)
    display_name = factory.LazyAttribute(lambda provider: f"The {provider.provider_id}")
    enable_integration = True
    provider_url = "https://credit.example.com/request"
    provider_status_url = "https://credit.example.com/status"
    provider_description = "A very good university."
    thumbnail_url = "https://credit.example.com/logo.png"


class CreditCourseFactory(DjangoModelFactory):
    """A course in which credit can be earned."""

    class Meta:
        model = CreditCourse
        django_get_or_create = ("course_key",)

    course_key = factory.Sequence("course-v1:HogwartsX+Course{:06}+1T2026".format)
    enabled = True


class CreditRequirementFactory(DjangoModelFactory):
    """The minimum grade, unless told otherwise."""

    class Meta:
        model = CreditRequirement

    course = factory.SubFactory(CreditCourseFactory)
    namespace = GRADE_NAMESPACE
    name = GRADE_NAME
    display_name = "Minimum Grade"
    criteria = factory.LazyFunction(lambda: {"min_grade": 0.8})


class CreditRequirementStatusFactory(DjangoModelFactory):
    """A learner who satisfied the minimum grade."""

    class Meta:
        model = CreditRequirementStatus

    username = "ron"
    requirement = factory.SubFactory(CreditRequirementFactory)
    status = RequirementStatus.SATISFIED
    reason = factory.LazyFunction(lambda: {"final_grade": 0.95})


class CreditEligibilityFactory(DjangoModelFactory):
    """A valid eligibility, as staff add it: no mail is owed."""

    class Meta:
        model = CreditEligibility

    username = "ron"
    course = factory.SubFactory(CreditCourseFactory)


class CreditRequestFactory(DjangoModelFactory):
    """A request that waits for its provider."""

    class Meta:
        model = CreditRequest

    username = "ron"
    course = factory.SubFactory(CreditCourseFactory)
    provider = factory.SubFactory(CreditProviderFactory)
    status = RequestStatus.PENDING
    parameters = factory.LazyFunction(lambda: {"timestamp": ISSUED_AT})


class CreditConfigFactory(DjangoModelFactory):
    """A configuration that caches for an hour."""

    class Meta:
        model = CreditConfig

    enabled = True
    cache_ttl = 3600


class CreditCourseProviderFactory(DjangoModelFactory):
    """One provider of one course."""

    class Meta:
        model = CreditCourseProvider

    course = factory.SubFactory(CreditCourseFactory)
    provider = factory.SubFactory(CreditProviderFactory)


class CourseExamFactory(DjangoModelFactory):
    """A proctored exam."""

    class Meta:
        model = CourseExam

    course_key = factory.Sequence("course-v1:HogwartsX+Course{:06}+1T2026".format)
    content_id = factory.LazyAttributeSequence(
        lambda exam, n: f"{str(exam.course_key).replace('course-v1:', 'block-v1:')}+type@sequential+block@exam{n:06}"
    )
    exam_name = "Final Exam"
    is_proctored = True


class ExamAttemptFactory(DjangoModelFactory):
    """A finished attempt."""

    class Meta:
        model = ExamAttempt

    exam = factory.SubFactory(CourseExamFactory)
    username = "ron"
    completed_at = datetime(2025, 12, 31, 12, tzinfo=UTC)


def enroll(user, credit_course, mode="verified", **state):
    """Enroll a user in a credit course, in a mode that earns credit unless told otherwise."""
    key = str(credit_course.course_key)
    course = Course.objects.filter(pk=key).first() or CourseFactory(id=key)
    return CourseEnrollmentFactory(user=user, course=course, mode=mode, **state)
