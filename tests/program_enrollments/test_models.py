"""The tables hold the rules, on every database (contract 2, 10)."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from program_enrollments.models import ExternalIdentity, IdentityProvider, ProgramCourseEnrollment, ProgramEnrollment
from program_enrollments.student_keys import RETIRED_PREFIX
from tests.enrollment.factories import CourseEnrollmentFactory, UserFactory
from tests.program_enrollments.factories import (
    ExternalIdentityFactory,
    IdentityProviderFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.rule("program_enrollments.models")]

RUN = "course-v1:HogwartsX+Algo+2026"


def refused(make, **values):
    with transaction.atomic(), pytest.raises(IntegrityError):
        make(**values)


def test_a_key_is_once_in_a_curriculum_whatever_its_case():
    first = ProgramEnrollmentFactory(external_user_key="Straße")
    same = {"program_uuid": first.program_uuid, "curriculum_uuid": first.curriculum_uuid}
    refused(ProgramEnrollmentFactory, external_user_key="STRASSE", **same)
    ProgramEnrollmentFactory(external_user_key="Strase", **same)


def test_an_account_is_once_in_a_curriculum():
    first = ProgramEnrollmentFactory(user=UserFactory())
    same = {"program_uuid": first.program_uuid, "curriculum_uuid": first.curriculum_uuid}
    refused(ProgramEnrollmentFactory, user=first.user, **same)
    ProgramEnrollmentFactory(user=UserFactory(), **same)


def test_an_enrollment_is_somebodys():
    refused(ProgramEnrollmentFactory, user=None, external_user_key=None)
    with pytest.raises(ValidationError, match="student key"):
        ProgramEnrollmentFactory.build(external_user_key="").clean()


def test_only_one_program_at_a_time_has_a_course_enrollment():
    enrollment = CourseEnrollmentFactory(course__id=RUN)
    active = ProgramCourseEnrollmentFactory(course_enrollment=enrollment, course_key=RUN)
    refused(ProgramCourseEnrollmentFactory, course_enrollment=enrollment, course_key=RUN)
    other = ProgramCourseEnrollmentFactory(course_enrollment=enrollment, course_key=RUN, status="inactive")
    active.status, other.status = "inactive", "active"
    active.save()
    other.save()
    assert list(ProgramCourseEnrollment.objects.active()) == [other]


def test_a_run_is_once_in_a_program_enrollment():
    row = ProgramCourseEnrollmentFactory()
    refused(ProgramCourseEnrollmentFactory, program_enrollment=row.program_enrollment, course_key=row.course_key)


def test_an_identity_is_one_account():
    identity = ExternalIdentityFactory(provider=IdentityProviderFactory(slug="hogwarts"), external_key="A1")
    assert identity.uid == "hogwarts:A1"
    refused(ExternalIdentityFactory, provider=identity.provider, external_key=" a1 ")


def test_a_provider_without_a_name_is_given_one():
    provider = IdentityProvider.objects.create(slug="hogwarts")
    assert provider.display_name.removeprefix("hogwarts-").isdigit()


def test_words_that_name_a_row_name_nobody():
    row = ProgramEnrollmentFactory(external_user_key="a1")
    run = ProgramCourseEnrollmentFactory(program_enrollment=row)
    assert (str(row), str(run)) == (f"[ProgramEnrollment id={row.pk}]", f"[ProgramCourseEnrollment id={run.pk}]")
    assert "'a1'" in repr(row)


def test_every_real_change_of_a_row_is_remembered():
    row = ProgramCourseEnrollmentFactory()
    row.save()
    row.status = "inactive"
    row.save()
    assert [past.history_type for past in row.historical_records.order_by("history_date")] == ["+", "~"]


@pytest.mark.rule("retirement")
def test_retired_keys_are_gone_from_rows_and_history(settings):
    settings.RETIRED_USER_SALTS = ["old", "new"]
    user = UserFactory()
    row = ProgramEnrollmentFactory(external_user_key="Granger")
    row.user, row.external_user_key = user, "GRANGER"
    row.save()
    other = ProgramEnrollmentFactory(user=user, external_user_key="granger")
    ProgramEnrollmentFactory(user=user, external_user_key=None)
    stranger = ProgramEnrollmentFactory(external_user_key="Granger")

    assert ProgramEnrollment.retire_user(user.pk) is True
    assert ProgramEnrollment.retire_user(user.pk) is False
    row.refresh_from_db()
    other.refresh_from_db()
    assert row.external_user_key == other.external_user_key
    assert row.external_user_key.startswith(RETIRED_PREFIX)
    past = [past.external_user_key_folded for past in row.historical_records.all()]
    assert past == [row.external_user_key] * 2
    stranger.refresh_from_db()
    assert stranger.external_user_key == "Granger"

    settings.RETIRED_USER_SALTS = ["newer"]
    another = ProgramEnrollmentFactory(user=user, external_user_key="Granger")
    ProgramEnrollment.retire_user(user.pk)
    another.refresh_from_db()
    assert another.external_user_key != row.external_user_key


def test_identities_go_with_the_account():
    user = ExternalIdentityFactory().user
    row = ProgramCourseEnrollmentFactory(program_enrollment__user=user)
    user.delete()
    assert not ExternalIdentity.objects.exists()
    assert not ProgramCourseEnrollment.objects.filter(pk=row.pk).exists()
