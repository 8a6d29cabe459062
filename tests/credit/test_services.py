"""The service object that exam systems use (credit contract 10)."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from opaque_keys.edx.keys import CourseKey

from credit import api, services
from credit.models import CreditRequirementStatus
from credit.services import CreditService
from enrollment.models import Course, LearnerProfile
from tests.credit.factories import CreditRequirementStatusFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = CourseKey.from_string("course-v1:HogwartsX+Potions101+1T2026")

service = CreditService()


@pytest.fixture(params=["key", "text"])
def course(request, potions):
    """The course, as a key or as its text."""
    return potions.course_key if request.param == "key" else str(potions.course_key)


@pytest.mark.rule("credit.service.state")
class TestState:
    def test_tells_where_the_learner_stands(self, ron, course, grade, exam):
        CreditRequirementStatusFactory(requirement=grade)
        assert service.get_credit_state(ron.pk, course) == {
            "enrollment_mode": "verified",
            "profile_fullname": "Ronald Weasley",
            "student_email": "ron@example.com",
            "is_credit_course": True,
            "credit_requirement_status": api.get_credit_requirement_status(KEY, "ron"),
        }

    def test_of_a_course_without_credit_too(self, ron, potions):
        potions.enabled = False
        potions.save()
        state = service.get_credit_state(ron.pk, KEY)
        assert (state["is_credit_course"], state["credit_requirement_status"]) == (False, [])

    @pytest.mark.parametrize("end", [NOW, None])
    def test_with_the_course_if_asked_for(self, ron, course, end):
        Course.objects.update(display_name="Potions", end=end)
        state = service.get_credit_state(ron.pk, course, return_course_info=True)
        assert (state["course_name"], state["course_end_date"]) == ("Potions", end)

    @time_machine.travel(NOW, tick=False)
    def test_exams_of_a_course_that_is_gone_are_over(self, ron, course, caplog):
        Course.objects.all().delete()
        state = service.get_credit_state(ron.pk, course, return_course_info=True)
        assert "course_name" not in state
        assert state["course_end_date"] == NOW - timedelta(hours=1)
        assert [record.levelno for record in caplog.records] == [logging.ERROR]

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda ron: ron.delete(), id="no account"),
            pytest.param(lambda ron: ron.course_enrollments.all().delete(), id="not enrolled"),
            pytest.param(lambda ron: ron.course_enrollments.update(is_active=False), id="not any more"),
            pytest.param(lambda ron: LearnerProfile.objects.all().delete(), id="no profile"),
        ],
    )
    def test_is_none_without_one_of_these(self, ron, course, change):
        user_id = ron.pk
        change(ron)
        assert service.get_credit_state(user_id, course) is None

    def test_is_none_for_what_is_no_course(self, ron):
        assert service.get_credit_state(ron.pk, "nonsense") is None


@pytest.mark.rule("credit.service.statuses")
class TestStatuses:
    @pytest.mark.parametrize("status", ["satisfied", "failed", "declined", "submitted"])
    def test_are_recorded(self, ron, course, grade, exam, status):
        service.set_credit_requirement_status(ron.pk, course, "proctored_exam", "final", status, {"why": 1})
        row = CreditRequirementStatus.objects.get()
        assert (row.requirement_id, row.status, row.reason) == (exam.pk, status, {"why": 1})

    def test_are_satisfied_if_nothing_is_said(self, ron, course, grade):
        service.set_credit_requirement_status(ron.pk, course, "grade", "grade")
        assert CreditRequirementStatus.objects.get().status == "satisfied"
        assert service.is_credit_course(course)
        assert api.is_user_eligible_for_credit("ron", KEY)

    def test_are_removed(self, ron, course, grade):
        CreditRequirementStatusFactory(requirement=grade)
        service.remove_credit_requirement_status(ron.pk, course, "grade", "grade")
        assert not CreditRequirementStatus.objects.exists()

    @pytest.mark.parametrize("remove", [True, False])
    @pytest.mark.parametrize(
        ("has_account", "course_id", "is_logged"),
        [
            pytest.param(False, str(KEY), True, id="no account"),
            pytest.param(True, "course-v1:a+b+c", False, id="no credit course: before anything else"),
            pytest.param(False, "course-v1:a+b+c", False, id="neither"),
            pytest.param(True, "nonsense", True, id="no course key"),
        ],
    )
    def test_of_nobody_or_nowhere_are_quietly_left(
        self, ron, potions, grade, caplog, remove, has_account, course_id, is_logged
    ):
        caplog.set_level(logging.INFO, "credit")
        CreditRequirementStatusFactory(requirement=grade, status="failed")
        call = service.remove_credit_requirement_status if remove else service.set_credit_requirement_status
        call(ron.pk if has_account else 404, course_id, "grade", "grade")
        assert CreditRequirementStatus.objects.get().status == "failed"
        assert bool([record for record in caplog.records if record.name.startswith("credit")]) is is_logged

    def test_of_another_word_are_left_too(self, ron, potions, grade, caplog):
        service.set_credit_requirement_status(ron.pk, KEY, "grade", "grade", "excellent")
        assert not CreditRequirementStatus.objects.exists()
        assert "'excellent'" in caplog.text


REGISTERED: dict[str, object] = {}


def set_runtime_service(name, value):
    REGISTERED[name] = value


@pytest.mark.rule("credit.service.registered")
class TestRegistration:
    @pytest.fixture(autouse=True)
    def _forget(self, settings):
        REGISTERED.clear()
        settings.CREDIT_RUNTIME_SERVICES = f"{__name__}.set_runtime_service"

    @pytest.mark.parametrize("enabled", [True, False])
    def test_follows_the_setting(self, settings, enabled):
        settings.ENABLE_SPECIAL_EXAMS = enabled
        services.register()
        assert list(REGISTERED) == (["credit"] if enabled else [])
        assert all(isinstance(value, CreditService) for value in REGISTERED.values())

    def test_without_an_exam_system_there_is_nobody_to_tell(self, settings):
        settings.ENABLE_SPECIAL_EXAMS = True
        del settings.CREDIT_RUNTIME_SERVICES
        services.register()
        assert not REGISTERED

    def test_a_wrong_path_names_its_setting(self, settings):
        settings.ENABLE_SPECIAL_EXAMS, settings.CREDIT_RUNTIME_SERVICES = True, "no.where"
        with pytest.raises(ImproperlyConfigured, match="CREDIT_RUNTIME_SERVICES"):
            services.register()
