"""Tables: defaults, constraints and the functions that the contract puts on them (credit contract 2)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from credit import models
from credit.models import (
    CourseExam,
    CreditConfig,
    CreditCourse,
    CreditEligibility,
    CreditProvider,
    CreditRequest,
    CreditRequirement,
    CreditRequirementStatus,
)
from tests.credit.factories import (
    CourseExamFactory,
    CreditConfigFactory,
    CreditCourseFactory,
    CreditCourseProviderFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
    ExamAttemptFactory,
)
from tests.enrollment.factories import UserFactory
from tests.support import statements

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNKNOWN = CourseKey.from_string("course-v1:Nowhere+X+Y")


@pytest.mark.rule("credit.provider.id")
@pytest.mark.parametrize("provider_id", ["hogwarts", "HogwartsX", "a", "42", "a-B-3", "-", "x" * 250])
def test_provider_id_takes_letters_digits_and_hyphens(provider_id):
    CreditProviderFactory.build(provider_id=provider_id).full_clean()


@pytest.mark.rule("credit.provider.id")
@pytest.mark.parametrize(
    "provider_id", ["bad_id!", "a,b", "a b", "hogwärts", "hogwarts\n", "\u0661", "a/b", "a.b", " a", "a:b", "a+b"]
)
def test_provider_id_takes_nothing_else(provider_id):
    with pytest.raises(ValidationError) as caught:
        CreditProviderFactory.build(provider_id=provider_id).full_clean()
    assert [error.code for error in caught.value.error_dict["provider_id"]] == ["invalid_provider_id"]


@pytest.mark.rule("credit.comparison")
def test_ids_usernames_and_keys_that_differ_in_case_are_different():
    CreditProviderFactory(provider_id="hogwarts")
    CreditProviderFactory(provider_id="Hogwarts")
    lower = CreditCourseFactory(course_key="course-v1:hogwarts+x+y")
    upper = CreditCourseFactory(course_key="course-v1:HOGWARTS+X+Y")
    CreditEligibilityFactory(username="ron", course=lower)
    CreditEligibilityFactory(username="Ron", course=lower)
    assert CreditProvider.get_credit_provider("HOGWARTS") is None
    assert CreditCourse.get_credit_course("course-v1:HOGWARTS+X+Y") == upper
    assert not CreditEligibility.is_user_eligible_for_credit(upper.course_key, "ron")
    assert not CreditEligibility.is_user_eligible_for_credit(lower.course_key, "RON")


def test_a_provider_has_the_contracts_defaults():
    provider = CreditProvider.objects.create(provider_id="hogwarts", display_name="Hogwarts")
    provider.refresh_from_db()
    assert provider.active
    assert not provider.enable_integration
    assert provider.fulfillment_instructions is None
    assert provider.as_dict() == {
        "id": "hogwarts",
        "display_name": "Hogwarts",
        "url": "",
        "status_url": "",
        "description": "",
        "enable_integration": False,
        "fulfillment_instructions": None,
        "thumbnail_url": "",
    }
    assert (provider.eligibility_email_message, provider.receipt_email_message) == ("", "")


def test_inactive_providers_are_not_found():
    CreditProviderFactory(provider_id="durmstrang", active=False)
    assert CreditProvider.get_credit_provider("durmstrang") is None
    assert CreditProvider.get_credit_providers() == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, ["beauxbatons", "hogwarts"]),
        ([], ["beauxbatons", "hogwarts"]),
        (["hogwarts", "unknown"], ["hogwarts"]),
        (["hogwarts", "beauxbatons"], ["beauxbatons", "hogwarts"]),
        (["unknown"], []),
    ],
)
def test_providers_are_listed_by_id_and_chosen_by_id(wanted, found):
    CreditProviderFactory(provider_id="hogwarts")
    CreditProviderFactory(provider_id="beauxbatons")
    CreditProviderFactory(provider_id="durmstrang", active=False)
    assert [provider["id"] for provider in CreditProvider.get_credit_providers(wanted)] == found


def test_credit_courses_are_known_by_key_and_by_text():
    CreditCourseFactory(course_key="course-v1:a+b+c")
    CreditCourseFactory(course_key="a/b/c")
    CreditCourseFactory(course_key="course-v1:a+b+disabled", enabled=False)
    for text in ("course-v1:a+b+c", "a/b/c"):
        assert CreditCourse.is_credit_course(text)
        assert CreditCourse.is_credit_course(CourseKey.from_string(text))
        assert str(CreditCourse.get_credit_course(CourseKey.from_string(text))) == text
    for text in ("course-v1:a+b+disabled", "course-v1:a+b+unknown"):
        assert not CreditCourse.is_credit_course(text)
        with pytest.raises(CreditCourse.DoesNotExist):
            CreditCourse.get_credit_course(CourseKey.from_string(text))


def test_texts():
    course = CreditCourseFactory(course_key="course-v1:a+b+c")
    provider = CreditProviderFactory(provider_id="hogwarts")
    requirement = CreditRequirementFactory(course=course)
    exam = CourseExamFactory(course_key="course-v1:a+b+c", content_id="block-v1:a+b+c+type@sequential+block@final")
    texts = {
        str(provider): "hogwarts",
        str(course): "course-v1:a+b+c",
        str(requirement): "course-v1:a+b+c - Minimum Grade",
        str(CreditEligibilityFactory(course=course)): "ron, course-v1:a+b+c",
        str(CreditRequestFactory(course=course, provider=provider)): "course-v1:a+b+c, hogwarts, pending",
        str(CreditCourseProviderFactory(course=course, provider=provider)): "course-v1:a+b+c, hogwarts",
        str(CreditConfigFactory()): "Credit Configuration",
        str(exam): "block-v1:a+b+c+type@sequential+block@final",
    }
    for text, expected in texts.items():
        assert text == expected


def test_plural_names():
    assert str(CreditRequirementStatus._meta.verbose_name_plural) == "Credit requirement statuses"
    assert str(CreditEligibility._meta.verbose_name_plural) == "Credit eligibilities"


def test_published_constants():
    assert models.CREDIT_PROVIDER_ID_REGEX == "[A-Za-z0-9-]+"
    assert CreditProvider.CREDIT_PROVIDERS_CACHE_KEY == "credit.providers.list"
    assert CreditCourse.CREDIT_COURSES_CACHE_KEY == "credit.courses.set"
    assert CreditRequirement.CACHE_NAMESPACE == "credit.CreditRequirement.cache."
    assert CreditConfig.CACHE_KEY == "credit.providers.api.data"
    assert CreditRequest.REQUEST_STATUS_CHOICES == [
        ("pending", "Pending"),
        ("approved", "Approved"),
        ("rejected", "Rejected"),
    ]
    assert CreditRequirementStatus.REQUIREMENT_STATUS_CHOICES == [
        ("satisfied", "satisfied"),
        ("failed", "failed"),
        ("declined", "declined"),
        ("submitted", "submitted"),
    ]


@pytest.mark.rule("credit.unique")
@pytest.mark.parametrize(
    ("factory", "same"),
    [
        (CreditProviderFactory, ["provider_id"]),
        (CreditRequirementFactory, ["course", "namespace", "name"]),
        (CreditRequirementStatusFactory, ["username", "requirement"]),
        (CreditEligibilityFactory, ["username", "course"]),
        (CreditRequestFactory, ["username", "course", "provider"]),
        (CreditRequestFactory, ["uuid"]),
        (CourseExamFactory, ["course_key", "content_id"]),
        (ExamAttemptFactory, ["exam", "username"]),
        (CreditCourseProviderFactory, ["course", "provider"]),
    ],
)
def test_the_database_refuses_a_second_row(factory, same):
    first = factory()
    with pytest.raises(IntegrityError), transaction.atomic():
        factory(**{field: getattr(first, field) for field in same})


def test_the_database_refuses_a_second_row_for_a_course():
    course = CreditCourseFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditCourse.objects.create(course_key=course.course_key)


def test_the_database_refuses_another_status_of_a_request():
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditRequestFactory(status="lost")


def test_a_requirement_status_may_hold_another_word_and_null():
    row = CreditRequirementStatusFactory(status="on its way", reason=None)
    row.refresh_from_db()
    assert (row.status, row.reason) == ("on its way", None)


def test_a_reason_may_hold_datetimes():
    row = CreditRequirementStatusFactory(reason={"deadline": NOW})
    row.refresh_from_db()
    assert row.reason == {"deadline": "2026-03-01T12:00:00Z"}


def test_a_request_has_a_uuid_of_its_own_from_the_first_insert():
    with statements() as run:
        request = CreditRequest.objects.create(
            username="ron", course=CreditCourseFactory(), provider=CreditProviderFactory()
        )
    assert request.uuid in run.texts[-1]
    assert len(request.uuid) == 32
    assert int(request.uuid, 16)
    assert request.uuid == request.uuid.lower()


class TestRequirements:
    def test_they_come_by_position_and_only_active(self, potions):
        second = CreditRequirementFactory(course=potions, name="second", sort_value=1)
        first = CreditRequirementFactory(course=potions, name="first", sort_value=0)
        CreditRequirementFactory(course=potions, name="gone", active=False)
        CreditRequirementFactory(name="first")
        assert list(CreditRequirement.get_course_requirements(potions.course_key)) == [first, second]
        assert list(CreditRequirement.get_course_requirements(str(potions.course_key))) == [first, second]

    def test_they_can_be_filtered(self, potions, grade, exam):
        key = potions.course_key
        assert list(CreditRequirement.get_course_requirements(key, namespace="grade")) == [grade]
        assert list(CreditRequirement.get_course_requirements(key, name="final")) == [exam]
        assert list(CreditRequirement.get_course_requirements(key, namespace="grade", name="final")) == []

    def test_those_of_a_disabled_course_are_found(self):
        requirement = CreditRequirementFactory(course__enabled=False)
        assert list(CreditRequirement.get_course_requirements(requirement.course.course_key)) == [requirement]

    def test_one_is_found_by_namespace_and_name_if_active(self, potions, grade):
        assert CreditRequirement.get_course_requirement(potions.course_key, "grade", "grade") == grade
        assert CreditRequirement.get_course_requirement(potions.course_key, "grade", "other") is None
        assert CreditRequirement.get_course_requirement(UNKNOWN, "grade", "grade") is None
        CreditRequirement.disable_credit_requirements([grade.pk])
        assert CreditRequirement.get_course_requirement(potions.course_key, "grade", "grade") is None

    def test_adding_creates(self, potions):
        row, created = CreditRequirement.add_or_update_course_requirement(
            potions, {"namespace": "grade", "name": "grade", "display_name": "Grade", "criteria": {"min_grade": 1}}, 3
        )
        row.refresh_from_db()
        assert created
        assert (row.display_name, row.criteria, row.sort_value, row.active) == ("Grade", {"min_grade": 1}, 3, True)

    def test_adding_again_updates_and_reactivates(self, potions, grade):
        CreditRequirement.objects.filter(pk=grade.pk).update(active=False)
        row, created = CreditRequirement.add_or_update_course_requirement(
            potions, {"namespace": "grade", "name": "grade", "display_name": "Grade", "criteria": None}, 2
        )
        row.refresh_from_db()
        assert not created
        assert row.pk == grade.pk
        assert (row.display_name, row.criteria, row.sort_value, row.active) == ("Grade", None, 2, True)


class TestStatuses:
    def test_they_are_those_of_one_learner_and_the_given_requirements(self, grade, exam):
        mine = CreditRequirementStatusFactory(username="ron", requirement=grade)
        CreditRequirementStatusFactory(username="hermione", requirement=grade)
        CreditRequirementStatusFactory(username="ron")
        assert list(CreditRequirementStatus.get_statuses([grade, exam], "ron")) == [mine]

    def test_the_published_functions_return_nothing(self, grade):
        assert CreditRequirementStatus.add_or_update_requirement_status("ron", grade) is None
        row = CreditRequirementStatus.objects.get()
        assert (row.username, row.status, row.reason) == ("ron", "satisfied", None)
        assert CreditRequirementStatus.remove_requirement_status("ron", grade) is None
        assert CreditRequirementStatus.remove_requirement_status("ron", grade) is None
        assert not CreditRequirementStatus.objects.exists()


class TestEligibilities:
    @time_machine.travel(NOW, tick=False)
    def test_the_deadline_is_a_year_away(self):
        assert CreditEligibilityFactory().deadline == NOW + timedelta(days=365)

    @time_machine.travel(NOW, tick=False)
    def test_the_setting_is_read_when_needed(self, settings):
        settings.CREDIT_ELIGIBILITY_EXPIRATION_DAYS = 7
        assert models.default_deadline_for_credit_eligibility() == NOW + timedelta(days=7)
        assert CreditEligibilityFactory().deadline == NOW + timedelta(days=7)

    @pytest.mark.rule("credit.eligibility.valid")
    @pytest.mark.parametrize(
        ("seconds", "enabled", "valid"),
        [
            pytest.param(1, True, True, id="deadline to come"),
            pytest.param(0, True, False, id="deadline now"),
            pytest.param(-1, True, False, id="deadline past"),
            pytest.param(1, False, False, id="course disabled"),
        ],
    )
    @time_machine.travel(NOW, tick=False)
    def test_they_are_valid_until_the_deadline_in_enabled_courses(self, seconds, enabled, valid):
        row = CreditEligibilityFactory(deadline=NOW + timedelta(seconds=seconds), course__enabled=enabled)
        assert CreditEligibility.is_user_eligible_for_credit(row.course.course_key, "ron") is valid
        assert list(CreditEligibility.get_user_eligibilities("ron")) == ([row] if valid else [])

    def test_a_list_of_them_is_one_query(self):
        for _ in range(3):
            CreditEligibilityFactory(username="ron")
        CreditEligibilityFactory(username="hermione")
        with statements() as run:
            keys = [row.course.course_key for row in CreditEligibility.get_user_eligibilities("ron")]
        assert len(keys) == 3
        assert len(run) == 1, run

    @pytest.mark.parametrize(
        ("columns", "due"),
        [
            pytest.param({}, False, id="made by staff"),
            pytest.param({"email_due_at": NOW}, True, id="due now"),
            pytest.param({"email_due_at": NOW + timedelta(seconds=1)}, False, id="due later"),
            pytest.param({"email_due_at": NOW, "notified_at": NOW}, False, id="sent"),
            pytest.param({"email_due_at": NOW, "email_claimed_until": NOW + timedelta(seconds=1)}, False, id="claimed"),
            pytest.param({"email_due_at": NOW, "email_claimed_until": NOW}, True, id="claim over"),
        ],
    )
    def test_mail_is_due_once_and_unclaimed(self, columns, due):
        CreditEligibilityFactory(**columns)
        assert CreditEligibility.objects.mail_due(NOW).exists() is due


class TestRequests:
    def test_a_learners_requests_are_one_query(self):
        requests = [CreditRequestFactory(username="ron", parameters={"timestamp": n}) for n in range(3)]
        CreditRequestFactory(username="hermione")
        with statements() as run:
            found = CreditRequest.credit_requests_for_user("ron")
        assert len(run) == 1, run
        assert found == [
            {
                "uuid": request.uuid,
                "timestamp": request.parameters["timestamp"],
                "course_key": request.course.course_key,
                "provider": {"id": request.provider.provider_id, "display_name": request.provider.display_name},
                "status": "pending",
            }
            for request in requests
        ]

    def test_the_latest_counts_whatever_its_provider(self):
        course = CreditCourseFactory()
        with time_machine.travel(NOW, tick=False):
            CreditRequestFactory(course=course, status="rejected")
        with time_machine.travel(NOW + timedelta(seconds=1), tick=False):
            latest = CreditRequestFactory(course=course)
            CreditRequestFactory()
        with statements() as run:
            found = CreditRequest.get_user_request_status("ron", course.course_key)
            assert (found.provider.provider_id, found.course) == (latest.provider.provider_id, course)
        assert found == latest
        assert len(run) == 1, run
        assert CreditRequest.get_user_request_status("hermione", course.course_key) is None
        assert CreditRequest.objects.filter(course=course).latest() == latest

    def test_those_that_wait_for_their_provider(self):
        pending = CreditRequestFactory()
        CreditRequestFactory(status="approved")
        assert list(CreditRequest.objects.awaiting_provider()) == [pending]


class TestConfig:
    def test_without_rows_nothing_is_cached(self):
        assert not CreditConfig.current().is_cache_enabled

    @pytest.mark.parametrize(("enabled", "ttl", "caches"), [(True, 60, True), (True, 0, False), (False, 60, False)])
    def test_caching_needs_the_switch_and_a_time(self, enabled, ttl, caches):
        CreditConfigFactory(enabled=enabled, cache_ttl=ttl)
        assert CreditConfig.current().is_cache_enabled is caches

    def test_a_change_adds_a_row(self):
        staff = UserFactory()
        config = CreditConfigFactory(cache_ttl=60, changed_by=staff)
        config.cache_ttl = 120
        config.save()
        config.save(update_fields=["cache_ttl"])
        assert sorted(CreditConfig.objects.values_list("cache_ttl", flat=True)) == [60, 120, 120]
        assert CreditConfig.current().cache_ttl == 120

    def test_the_newest_counts(self):
        CreditConfigFactory(cache_ttl=1)
        CreditConfigFactory(cache_ttl=2)
        assert CreditConfig.current().cache_ttl == 2
        assert CreditConfig.current().change_date <= timezone.now()


def test_exams_that_count_are_proctored_active_and_no_practice():
    counted = CourseExamFactory()
    CourseExamFactory(course_key=counted.course_key, is_proctored=False)
    CourseExamFactory(course_key=counted.course_key, is_active=False)
    CourseExamFactory(course_key=counted.course_key, is_practice_exam=True)
    CourseExamFactory()
    assert list(CourseExam.objects.of_course(counted.course_key).proctored()) == [counted]
