"""Cached things never lag behind the database (credit contract 2.9, D25)."""

from contextlib import contextmanager

import pytest
from django.core.cache import cache
from django.db import transaction

from coursecredit.request_cache import request_scope
from credit.api import get_credit_requirement_status, get_credit_requirements, set_credit_requirements
from credit.models import CreditCourse, CreditProvider, CreditRequirement
from tests.credit.factories import CreditCourseFactory, CreditProviderFactory, CreditRequirementFactory
from tests.support import in_parallel, statements

pytestmark = pytest.mark.django_db(transaction=True)


def provider_ids():
    return [provider["id"] for provider in CreditProvider.get_credit_providers()]


def requirement_names(course):
    return [requirement.name for requirement in CreditRequirement.get_course_requirements(course.course_key)]


def requirements_and_statuses(course):
    return get_credit_requirements(course.course_key), get_credit_requirement_status(course.course_key, "ron")


@contextmanager
def rolled_back():
    """Undo in the end what is done inside, by transaction or savepoint."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_the_list_of_providers_is_cached():
    CreditProviderFactory(provider_id="hogwarts")
    assert provider_ids() == ["hogwarts"]
    with statements() as run:
        assert provider_ids() == ["hogwarts"]
    assert len(run) == 0, run


def test_the_set_of_courses_is_cached():
    course = CreditCourseFactory()
    assert CreditCourse.is_credit_course(course.course_key)
    with statements() as run:
        assert CreditCourse.is_credit_course(course.course_key)
        assert not CreditCourse.is_credit_course("course-v1:a+b+c")
    assert len(run) == 0, run


@pytest.mark.rule("credit.caches.invalidation")
def test_saving_and_deleting_a_provider_is_seen_at_once():
    assert provider_ids() == []
    provider = CreditProviderFactory(provider_id="hogwarts")
    assert provider_ids() == ["hogwarts"]
    provider.active = False
    provider.save()
    assert provider_ids() == []
    provider.active = True
    provider.save()
    assert provider_ids() == ["hogwarts"]
    provider.delete()
    assert provider_ids() == []


@pytest.mark.rule("credit.caches.invalidation")
def test_saving_and_deleting_a_course_is_seen_at_once():
    key = "course-v1:a+b+c"
    assert not CreditCourse.is_credit_course(key)
    course = CreditCourseFactory(course_key=key)
    assert CreditCourse.is_credit_course(key)
    course.enabled = False
    course.save()
    assert not CreditCourse.is_credit_course(key)
    course.enabled = True
    course.save()
    assert CreditCourse.is_credit_course(key)
    course.delete()
    assert not CreditCourse.is_credit_course(key)


def test_a_queryset_update_is_not_noticed():
    CreditProviderFactory(provider_id="hogwarts")
    assert provider_ids() == ["hogwarts"]
    CreditProvider.objects.update(active=False)
    assert provider_ids() == ["hogwarts"]


@pytest.mark.rule("credit.caches.own-changes")
def test_inside_the_changing_transaction_the_cache_is_bypassed():
    assert provider_ids() == []
    with transaction.atomic():
        CreditProviderFactory(provider_id="hogwarts")
        assert provider_ids() == ["hogwarts"]
        CreditCourseFactory(course_key="course-v1:a+b+c")
        assert CreditCourse.is_credit_course("course-v1:a+b+c")


@pytest.mark.rule("credit.caches.own-changes")
def test_what_is_rolled_back_was_never_cached():
    with rolled_back():
        CreditProviderFactory(provider_id="hogwarts")
        assert provider_ids() == ["hogwarts"]
    assert provider_ids() == []


@pytest.mark.rule("credit.caches.late-reader")
@pytest.mark.database("postgresql")
def test_a_reader_that_is_overtaken_by_a_change_does_not_bring_the_old_list_back(monkeypatch):
    CreditProviderFactory(provider_id="hogwarts")
    as_dict = CreditProvider.as_dict

    def be_overtaken(provider):
        monkeypatch.setattr(CreditProvider, "as_dict", as_dict)
        in_parallel(lambda: CreditProviderFactory(provider_id="beauxbatons"))
        return as_dict(provider)

    monkeypatch.setattr(CreditProvider, "as_dict", be_overtaken)
    assert provider_ids() == ["hogwarts"]
    assert provider_ids() == ["beauxbatons", "hogwarts"]


def test_a_dead_cache_slows_and_breaks_nothing(monkeypatch):
    def die(*args, **kwargs):
        raise ConnectionError("the cache is gone")

    CreditProviderFactory(provider_id="hogwarts")
    for operation in ("get", "set", "add", "delete"):
        monkeypatch.setattr(cache, operation, die)
    assert provider_ids() == ["hogwarts"]
    CreditProviderFactory(provider_id="beauxbatons")
    assert provider_ids() == ["beauxbatons", "hogwarts"]


class TestRequirementsOfOneRequest:
    """`get_course_requirements` remembers for one request or task, and only there."""

    @pytest.fixture
    def potions(self):
        return CreditCourseFactory()

    @pytest.fixture(autouse=True)
    def grade(self, potions):
        return CreditRequirementFactory(course=potions)

    def test_equal_arguments_cost_one_query(self, potions):
        with request_scope(), statements() as run:
            assert requirement_names(potions) == requirement_names(potions) == ["grade"]
            assert len(run) == 1, run
            list(CreditRequirement.get_course_requirements(potions.course_key, namespace="grade"))
        assert len(run) == 2, run

    @pytest.mark.rule("credit.caches.own-copy")
    def test_who_changes_an_answer_changes_nobody_elses(self, potions):
        with request_scope():
            [found], [with_status] = requirements_and_statuses(potions)
            found["criteria"]["min_grade"] = with_status["criteria"]["min_grade"] = 0
            [found], [with_status] = requirements_and_statuses(potions)
        assert found["criteria"] == with_status["criteria"] == {"min_grade": 0.8}

    def test_another_request_asks_again(self, potions):
        with request_scope():
            requirement_names(potions)
        with request_scope(), statements() as run:
            requirement_names(potions)
        assert len(run) == 1, run

    def test_outside_of_requests_nothing_is_remembered(self, potions):
        with statements() as run:
            requirement_names(potions)
            requirement_names(potions)
        assert len(run) == 2, run

    def test_saving_and_deleting_are_seen_at_once(self, potions):
        with request_scope():
            assert requirement_names(potions) == ["grade"]
            exam = CreditRequirementFactory(course=potions, name="exam", sort_value=1)
            assert requirement_names(potions) == ["grade", "exam"]
            exam.delete()
            assert requirement_names(potions) == ["grade"]

    @pytest.mark.rule("credit.caches.bulk")
    def test_disabling_is_seen_at_once(self, potions, grade):
        with request_scope():
            assert requirement_names(potions) == ["grade"]
            CreditRequirement.disable_credit_requirements([grade.pk])
            assert requirement_names(potions) == []

    def test_a_publication_is_seen_at_once(self, potions):
        with request_scope():
            assert requirement_names(potions) == ["grade"]
            set_credit_requirements(potions.course_key, [])
            assert requirement_names(potions) == []

    @pytest.mark.rule("credit.caches.own-changes")
    def test_what_is_rolled_back_is_not_remembered(self, potions):
        with request_scope():
            with rolled_back():
                CreditRequirementFactory(course=potions, name="exam", sort_value=1)
                assert requirement_names(potions) == ["grade", "exam"]
            assert requirement_names(potions) == ["grade"]

    @pytest.mark.rule("credit.caches.own-changes")
    def test_what_a_savepoint_undid_is_not_remembered(self, potions):
        with request_scope(), transaction.atomic():
            with rolled_back():
                CreditRequirementFactory(course=potions, name="exam", sort_value=1)
                assert requirement_names(potions) == ["grade", "exam"]
            assert requirement_names(potions) == ["grade"]
