"""Rows for tests of enrollment and of the apps above it."""

import factory
from django.contrib.auth import get_user_model
from factory.django import DjangoModelFactory

from enrollment import models
from enrollment.choices import ModeSlug


class UserFactory(DjangoModelFactory):
    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"learner{n:06}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    first_name = "Robin"
    last_name = factory.Sequence(lambda n: f"Example{n}")
    password = factory.django.Password("secret")


class LearnerProfileFactory(DjangoModelFactory):
    class Meta:
        model = models.LearnerProfile

    user = factory.SubFactory(UserFactory)
    name = "Robin Q. Example"
    mailing_address = "1 Example Street"
    country = "DE"


class CourseFactory(DjangoModelFactory):
    class Meta:
        model = models.Course

    id = factory.Sequence(lambda n: f"course-v1:edX+Demo{n:06}+2026_T1")
    display_name = "Demonstration"


class CourseModeFactory(DjangoModelFactory):
    class Meta:
        model = models.CourseMode

    course = factory.SubFactory(CourseFactory)
    mode_slug = ModeSlug.AUDIT.value
    mode_display_name = factory.LazyAttribute(lambda mode: mode.mode_slug.capitalize())
    min_price = factory.LazyAttribute(lambda mode: 49 if mode.mode_slug in {"verified", "professional"} else 0)


class CourseEnrollmentFactory(DjangoModelFactory):
    class Meta:
        model = models.CourseEnrollment

    user = factory.SubFactory(UserFactory)
    course = factory.SubFactory(CourseFactory)
    mode = ModeSlug.AUDIT.value


class CourseEnrollmentAllowedFactory(DjangoModelFactory):
    class Meta:
        model = models.CourseEnrollmentAllowed

    email = factory.Sequence(lambda n: f"invited{n:06}@example.com")
    course_id = factory.Sequence(lambda n: f"course-v1:edX+Invited{n:06}+2026_T1")


class CourseAccessRoleFactory(DjangoModelFactory):
    class Meta:
        model = models.CourseAccessRole

    user = factory.SubFactory(UserFactory)
    org = "edX"
    role = "staff"
