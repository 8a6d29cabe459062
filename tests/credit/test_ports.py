"""How ports are found, locked and survived; what they answer is in `test_ports_shared` (credit contract 8.4, 14)."""

import logging
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from opaque_keys.edx.keys import CourseKey, UsageKey

from credit import api, ports
from credit.backends import get_credit_provider_ids_for_course
from events.credit.signals import CREDIT_ELIGIBILITY_EARNED
from events.testing import captured_events
from tests.credit.factories import (
    CourseExamFactory,
    CreditCourseFactory,
    CreditCourseProviderFactory,
    CreditProviderFactory,
    ExamAttemptFactory,
)
from tests.enrollment.factories import UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POTIONS = CourseKey.from_string("course-v1:HogwartsX+Potions101+1T2026")
FINAL = UsageKey.from_string("block-v1:HogwartsX+Potions101+1T2026+type@sequential+block@final")


class TestLearners:
    def test_a_lock_needs_a_transaction_where_the_database_locks_rows(self):
        user = UserFactory()
        with transaction.atomic():
            assert ports.learners().by_id(user.pk, lock=True).id == user.pk
            assert ports.learners().by_username(user.username, lock=True).id == user.pk

    @pytest.mark.database("postgresql")
    def test_a_lock_lets_others_refer_to_the_account(self, django_assert_num_queries):
        user = UserFactory()
        with django_assert_num_queries(1) as run:
            ports.learners().by_id(user.pk, lock=True)
        assert "FOR NO KEY UPDATE" in run.captured_queries[0]["sql"]


class TestExams:
    def test_the_last_completion_is_one_query(self, django_assert_num_queries):
        for day in (1, 3, 2):
            exam = CourseExamFactory(course_key=POTIONS)
            ExamAttemptFactory(exam=exam, completed_at=NOW.replace(day=day))
        with django_assert_num_queries(1):
            assert ports.exams().last_completion_date(POTIONS, "ron") == NOW.replace(day=3)
        assert ports.exams().last_completion_date(POTIONS, "hermione") is None


def test_the_site_is_described_by_settings(settings):
    settings.PLATFORM_NAME, settings.SITE_NAME = "Hogwarts Online", "hogwarts.example.com"
    settings.DEFAULT_FROM_EMAIL = "owl@example.com"
    site = ports.site()
    assert (site.platform_name(), site.site_host()) == ("Hogwarts Online", "hogwarts.example.com")
    assert site.from_address() == "owl@example.com"
    assert (site.dashboard_path(), site.courses_path()) == ("/dashboard", "/courses")


def first_only(original, course_id):
    return (original(course_id) or [])[:1]


def fail(original, course_id):
    raise ConnectionError("commerce is down")


class TestProvidersOfACourse:
    def test_without_rows_every_active_provider_counts(self):
        for provider_id in ("hogwarts", "beauxbatons"):
            CreditProviderFactory(provider_id=provider_id)
        CreditProviderFactory(provider_id="durmstrang", active=False)
        assert get_credit_provider_ids_for_course(str(POTIONS)) == ["beauxbatons", "hogwarts"]

    def test_rows_say_which(self):
        course = CreditCourseFactory(course_key=POTIONS)
        for provider_id in ("hogwarts", "beauxbatons"):
            CreditCourseProviderFactory(course=course, provider__provider_id=provider_id)
        CreditProviderFactory(provider_id="durmstrang")
        assert get_credit_provider_ids_for_course(str(POTIONS)) == ["beauxbatons", "hogwarts"]

    def test_without_any_provider_there_is_none(self):
        assert get_credit_provider_ids_for_course(str(POTIONS)) == []

    def test_a_host_may_override_it(self, settings):
        settings.OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE = "tests.credit.test_ports.first_only"
        for provider_id in ("hogwarts", "beauxbatons"):
            CreditProviderFactory(provider_id=provider_id)
        assert get_credit_provider_ids_for_course(str(POTIONS)) == ["beauxbatons"]

    @pytest.mark.parametrize(
        ("override", "course_id"),
        [
            pytest.param(None, "nonsense", id="no course key"),
            pytest.param("nowhere.to.be.found", str(POTIONS), id="override not found"),
            pytest.param("tests.credit.test_ports.fail", str(POTIONS), id="override fails"),
        ],
    )
    def test_what_goes_wrong_is_logged_and_none(self, settings, caplog, override, course_id):
        settings.OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE = override
        CreditProviderFactory()
        assert get_credit_provider_ids_for_course(course_id) is None
        assert [record.levelno for record in caplog.records] == [logging.ERROR]

    @pytest.mark.rule("credit.ports.optional")
    @pytest.mark.parametrize("failing", ["port", "database", "override"])
    def test_a_failing_commerce_costs_the_names_only(self, ron, potions, grade, settings, caplog, failing):
        if failing == "override":
            settings.OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE = "tests.credit.test_ports.fail"
        else:
            name = {"port": "UnreachableCommerce", "database": "BrokenCommerce"}[failing]
            settings.CREDIT_PORTS = {"commerce": f"tests.credit.test_ports.{name}"}
        with captured_events() as events:
            api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade")
        [earned] = [event for event in events if event.signal is CREDIT_ELIGIBILITY_EARNED]
        assert earned.data["eligibility"].provider_ids == []
        assert api.is_user_eligible_for_credit("ron", potions.course_key)
        assert [record.levelno for record in caplog.records] == [logging.ERROR]


class UnreachableCommerce:
    def credit_provider_ids(self, course_key):
        raise ConnectionError("commerce is down")


class BrokenCommerce:
    def credit_provider_ids(self, course_key):
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM a_table_that_does_not_exist")


class BrokenExams:
    def last_completion_date(self, course_key, username):
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM a_table_that_does_not_exist WHERE username = %s", [username])


class UnreachableExams:
    def last_completion_date(self, course_key, username):
        raise ConnectionError(f"https://exams.example.com/attempts?user={username} timed out")


@pytest.mark.rule("credit.ports.optional")
@pytest.mark.parametrize("port", ["UnreachableExams", "BrokenExams"])
def test_a_failing_exam_registry_costs_the_completion_date_only(
    eligible_ron, potions, hogwarts, settings, caplog, port
):
    settings.CREDIT_PORTS = {"exams": f"tests.credit.test_ports.{port}"}
    form = api.create_credit_request(potions.course_key, "hogwarts", "ron")
    assert form["parameters"]["course_completion_timestamp"] == ""
    [record] = [record for record in caplog.records if record.name.startswith("credit.")]
    assert record.levelno == logging.ERROR
    assert str(eligible_ron.pk) in record.getMessage()
    assert "user=ron" not in caplog.text


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        ({"learners": "nowhere.Learners"}, "CREDIT_PORTS\\['learners'\\]"),
        ({"learner": "tests.credit.hosts.MemoryLearners"}, "no known port: learner"),
    ],
)
def test_a_bad_port_names_its_setting(settings, configured, message):
    settings.CREDIT_PORTS = configured
    with pytest.raises(ImproperlyConfigured, match=message):
        ports.learners()
