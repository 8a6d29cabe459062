"""Asking a provider for credit (credit contract 4.2, 7.1 to 7.5)."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model

from credit import api
from credit.exceptions import CreditProviderNotConfigured, RequestAlreadyCompleted, UserIsNotEligible
from credit.models import CreditEligibility, CreditRequest, CreditRequirementStatus
from credit.signature import signature, signed_text
from enrollment.models import CourseEnrollment, LearnerProfile
from events.credit.signals import CREDIT_REQUEST_CREATED, CREDIT_REQUEST_REISSUED
from events.testing import captured_events
from tests.credit.conftest import SECRET
from tests.credit.factories import (
    CourseExamFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementStatusFactory,
    ExamAttemptFactory,
)
from tests.support import statements

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENROLLED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


def ask(course, provider_id="hogwarts", username="ron"):
    return api.create_credit_request(course.course_key, provider_id, username)


class TestWithIntegration:
    @pytest.mark.rule("credit.request.parameters")
    def test_the_form_has_thirteen_signed_parameters(self, eligible_ron, potions, hogwarts):
        CourseEnrollment.objects.update(created=ENROLLED)
        form = ask(potions)
        request = CreditRequest.objects.get()
        parameters = {
            "request_uuid": request.uuid,
            "timestamp": int(NOW.timestamp()),
            "course_org": "HogwartsX",
            "course_num": "Potions101",
            "course_run": "1T2026",
            "enrollment_timestamp": int(ENROLLED.timestamp()),
            "course_completion_timestamp": "",
            "final_grade": "0.95",
            "user_username": "ron",
            "user_email": "ron@example.com",
            "user_full_name": "Ronald Weasley",
            "user_mailing_address": "",
            "user_country": "GB",
        }
        assert form == {
            "url": "https://credit.example.com/request",
            "method": "POST",
            "parameters": {**parameters, "signature": signature(parameters, SECRET)},
        }
        assert request.parameters == parameters
        assert re.fullmatch("[0-9a-f]{32}", request.uuid)
        assert (request.username, request.course, request.provider) == ("ron", potions, hogwarts)
        assert request.status == "pending"

    def test_the_first_usable_key_signs(self, eligible_ron, potions, hogwarts, settings):
        settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": [None, "", "\u4567", "new", "old"]}
        parameters = ask(potions)["parameters"]
        assert parameters["signature"] == signature(parameters, "new")

    def test_a_legacy_course_key_has_its_three_parts(self, ron, hogwarts):
        status = CreditRequirementStatusFactory(requirement__course__course_key="MITx/6.002x/2012_Fall")
        CreditEligibilityFactory(course=status.requirement.course)
        parameters = ask(status.requirement.course)["parameters"]
        assert (parameters["course_org"], parameters["course_num"], parameters["course_run"]) == (
            "MITx",
            "6.002x",
            "2012_Fall",
        )
        assert parameters["enrollment_timestamp"] == ""

    def test_an_inactive_enrollment_has_its_time(self, eligible_ron, potions, hogwarts):
        CourseEnrollment.objects.update(created=ENROLLED, is_active=False)
        assert ask(potions)["parameters"]["enrollment_timestamp"] == int(ENROLLED.timestamp())

    def test_without_profile_name_and_country_are_empty(self, eligible_ron, potions, hogwarts):
        LearnerProfile.objects.all().delete()
        parameters = ask(potions)["parameters"]
        assert (parameters["user_full_name"], parameters["user_country"]) == ("", "")

    @pytest.mark.rule("credit.signature.no-colon")
    def test_colons_become_spaces_in_what_is_stored_and_signed(self, eligible_ron, potions, hogwarts):
        LearnerProfile.objects.update(name="Ron:final_grade:1.0")
        get_user_model().objects.update(email='"ron:x"@example.com')
        CreditRequirementStatus.objects.update(reason={"final_grade": 0.5})
        parameters = ask(potions)["parameters"]
        assert parameters["user_full_name"] == "Ron final_grade 1.0"
        assert parameters["user_email"] == '"ron x"@example.com'
        signed = parameters.pop("signature")
        assert CreditRequest.objects.get().parameters == parameters
        assert signed == signature(parameters, SECRET)

    @pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n"])
    def test_line_breaks_become_spaces_because_browsers_rewrite_them(self, eligible_ron, potions, hogwarts, line_break):
        LearnerProfile.objects.update(name=f"Ron{line_break}Weasley")
        assert ask(potions)["parameters"]["user_full_name"].split() == ["Ron", "Weasley"]
        assert not {"\r", "\n"} & set(signed_text(CreditRequest.objects.get().parameters))

    @pytest.mark.rule("credit.request.completion-date")
    @pytest.mark.parametrize(
        ("attempts", "completed"),
        [
            pytest.param([], "", id="no exam"),
            pytest.param([NOW], NOW, id="one exam"),
            pytest.param([NOW, NOW - timedelta(days=1)], NOW, id="the last of two"),
            pytest.param([NOW, None], "", id="one not completed"),
            pytest.param([NOW, "no attempt"], "", id="one not attempted"),
        ],
    )
    def test_completion_needs_every_proctored_exam(self, eligible_ron, potions, hogwarts, attempts, completed):
        for completed_at in attempts:
            exam = CourseExamFactory(course_key=potions.course_key)
            ExamAttemptFactory(exam=exam, username="hermione", completed_at=NOW + timedelta(days=9))
            if completed_at != "no attempt":
                ExamAttemptFactory(exam=exam, completed_at=completed_at)
        CourseExamFactory(course_key=potions.course_key, is_proctored=False)
        CourseExamFactory(course_key=potions.course_key, is_practice_exam=True)
        CourseExamFactory(course_key=potions.course_key, is_active=False)
        CourseExamFactory(course_key=potions.course_key, content_id="no usage key")
        expected = int(completed.timestamp()) if completed else ""
        assert ask(potions)["parameters"]["course_completion_timestamp"] == expected


@pytest.mark.rule("credit.request.final-grade")
class TestFinalGrade:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.95, "0.95"),
            (1 / 3, "0.33333"),
            (1.0, "1.0"),
            (0.999999999, "1.00000"),
            (1e-05, "1e-05"),
            (1.2345e-05, "0.00001"),
            (0, "0"),
            (1, "1"),
            ("0.95", "0.95"),
            ("0.123456789", "0.12346"),
            ("1", "1"),
            ("0.12345", "0.12345"),
            ("0.123456", "0.12346"),
        ],
    )
    def test_it_is_a_text_of_at_most_seven_characters(self, eligible_ron, potions, hogwarts, value, text):
        CreditRequirementStatus.objects.update(reason={"final_grade": value})
        assert ask(potions)["parameters"]["final_grade"] == text
        assert len(text) <= 7

    @pytest.mark.parametrize(
        "reason",
        [
            pytest.param({}, id="missing"),
            pytest.param({"final_grade": None}, id="null"),
            pytest.param(None, id="no reason"),
            pytest.param([0.95], id="reason is no object"),
            pytest.param("0.95", id="reason is a text"),
            *(
                pytest.param({"final_grade": grade}, id=repr(grade)[:9])
                for grade in (
                    True,
                    False,
                    1.01,
                    -0.1,
                    95,
                    10**400,
                    "A",
                    "",
                    "1.01",
                    "-0.5",
                    "nan",
                    "inf",
                    "0.9_5",
                    " 0.5",
                    "1e999",
                )
            ),
            *(
                pytest.param({"final_grade": grade}, id=repr(grade))
                for grade in ([0.95], {"value": 0.95}, "excellent work", "\u0660.\u0665")
            ),
        ],
    )
    def test_anything_else_refuses_the_request(self, eligible_ron, potions, hogwarts, reason):
        CreditRequirementStatus.objects.update(reason=reason)
        with pytest.raises(UserIsNotEligible):
            ask(potions)
        assert not CreditRequest.objects.exists()

    @pytest.mark.parametrize("status", ["failed", "declined", "submitted"])
    def test_it_must_be_satisfied(self, eligible_ron, potions, hogwarts, status):
        CreditRequirementStatus.objects.update(status=status)
        with pytest.raises(UserIsNotEligible):
            ask(potions)
        assert not CreditRequest.objects.exists()

    def test_it_is_that_of_this_course(self, ron, potions, hogwarts):
        CreditRequirementStatusFactory()
        CreditEligibilityFactory(course=potions)
        with pytest.raises(UserIsNotEligible):
            ask(potions)

    def test_it_is_that_of_the_learner(self, ron, potions, grade, hogwarts):
        CreditRequirementStatusFactory(username="hermione", requirement=grade)
        CreditEligibilityFactory(course=potions)
        with pytest.raises(UserIsNotEligible):
            ask(potions)


@pytest.mark.rule("credit.request.reissue")
class TestReissue:
    def test_while_pending_the_uuid_stays_and_the_data_are_fresh(self, eligible_ron, potions, hogwarts):
        first = ask(potions)["parameters"]
        created = CreditRequest.objects.get()
        LearnerProfile.objects.update(name="Ron Granger")
        CreditRequirementStatus.objects.update(reason={"final_grade": 0.8})
        later = NOW + timedelta(hours=1)
        with time_machine.travel(later, tick=False):
            second = ask(potions)["parameters"]
        request = CreditRequest.objects.get()
        fresh = {"timestamp": int(later.timestamp()), "user_full_name": "Ron Granger", "final_grade": "0.8"}
        assert {**first, **fresh, "signature": second["signature"]} == second
        assert second.pop("signature") == signature(second, SECRET)
        assert request.parameters == second
        assert (request.created, request.modified) == (created.created, later)

    @pytest.mark.parametrize("status", ["approved", "rejected"])
    def test_after_a_decision_it_is_refused(self, eligible_ron, potions, hogwarts, status):
        request = CreditRequestFactory(course=potions, provider=hogwarts, status=status)
        with time_machine.travel(NOW + timedelta(hours=1), tick=False), pytest.raises(RequestAlreadyCompleted):
            ask(potions)
        before = request.modified
        request.refresh_from_db()
        assert (request.status, request.modified, request.parameters) == (status, before, request.parameters)

    def test_other_providers_and_courses_are_asked_separately(self, eligible_ron, potions, hogwarts, settings):
        settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": SECRET, "beauxbatons": SECRET}
        CreditProviderFactory(provider_id="beauxbatons")
        other = CreditRequirementStatusFactory().requirement.course
        CreditEligibilityFactory(course=other)
        uuids = {
            ask(course, provider_id)["parameters"]["request_uuid"]
            for course, provider_id in ((potions, "hogwarts"), (potions, "beauxbatons"), (other, "hogwarts"))
        }
        assert len(uuids) == 3


class TestWithoutIntegration:
    def test_it_is_a_link_and_leaves_no_trace(self, potions, settings):
        settings.CREDIT_PROVIDER_SECRET_KEYS = {}
        CreditProviderFactory(provider_id="hogwarts", enable_integration=False)
        CreditEligibilityFactory(course=potions)
        with captured_events() as events, statements() as run:
            forms = [ask(potions), ask(potions)]
        assert forms == [{"url": "https://credit.example.com/request", "method": "GET", "parameters": {}}] * 2
        assert not events
        assert not CreditRequest.objects.exists()
        assert not [sql for sql in run.texts if not sql.startswith("SELECT")], run


@pytest.mark.rule("credit.request.checks")
class TestChecks:
    """Each case breaks one thing and, where it can, something that is checked later."""

    def test_no_eligibility(self, ron, potions):
        with pytest.raises(UserIsNotEligible):
            ask(potions, "unknown")

    def test_expired_eligibility(self, eligible_ron, potions):
        CreditEligibility.objects.update(deadline=NOW)
        with pytest.raises(UserIsNotEligible):
            ask(potions, "unknown")

    def test_disabled_course(self, eligible_ron, potions):
        potions.enabled = False
        potions.save()
        with pytest.raises(UserIsNotEligible):
            ask(potions, "unknown")

    def test_unknown_provider(self, eligible_ron, potions):
        with pytest.raises(CreditProviderNotConfigured, match=r"\[unknown\]"):
            ask(potions, "unknown")

    def test_inactive_provider(self, eligible_ron, potions, hogwarts):
        hogwarts.active = False
        hogwarts.save()
        with pytest.raises(CreditProviderNotConfigured, match="hogwarts"):
            ask(potions)

    @pytest.mark.parametrize("keys", [None, "", "  ", "\u4567", [], [None, ""], ("", "\u4567"), b"key", {"a": 1}, 42])
    def test_no_usable_key(self, eligible_ron, potions, hogwarts, settings, keys):
        settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": keys}
        CreditRequestFactory(course=potions, provider=hogwarts, status="approved")
        with pytest.raises(CreditProviderNotConfigured, match="hogwarts"):
            ask(potions)

    def test_decided_already(self, eligible_ron, potions, hogwarts):
        CreditRequestFactory(course=potions, provider=hogwarts, status="approved")
        CreditRequirementStatus.objects.all().delete()
        with pytest.raises(RequestAlreadyCompleted):
            ask(potions)

    def test_unknown_learner(self, potions, grade, hogwarts):
        CreditRequirementStatusFactory(username="nobody", requirement=grade)
        CreditEligibilityFactory(username="nobody", course=potions)
        with pytest.raises(UserIsNotEligible):
            ask(potions, username="nobody")
        assert not CreditRequest.objects.exists()


@pytest.mark.parametrize("keys", ["key", ["key"], [None, "", "key"], ("\u4567", "key")])
def test_one_usable_key_is_enough(keys):
    api.check_keys_exist(keys, "hogwarts")


@pytest.mark.parametrize(
    "keys", [None, "", " ", "\u4567", [], [None], [None, "", " ", "\u4567"], (), b"key", {"a": "b"}]
)
def test_without_usable_key_the_provider_is_not_configured(keys):
    with pytest.raises(CreditProviderNotConfigured, match="hogwarts"):
        api.check_keys_exist(keys, "hogwarts")


class TestAnnouncements:
    def test_first_issue_and_reissue_are_told(self, eligible_ron, potions, hogwarts):
        later = NOW + timedelta(hours=1)
        with captured_events() as events:
            ask(potions)
            with time_machine.travel(later, tick=False):
                ask(potions)
        request = CreditRequest.objects.get()
        assert [event.signal for event in events] == [CREDIT_REQUEST_CREATED, CREDIT_REQUEST_REISSUED]
        told = [event.data["credit_request"] for event in events]
        assert [(data.previous_status, data.status) for data in told] == [("", "pending"), ("pending", "pending")]
        assert [event.metadata.time for event in events] == [data.modified for data in told] == [NOW, later]
        for data in told:
            assert (data.uuid, data.user.id, data.provider_id) == (request.uuid, eligible_ron.pk, "hogwarts")
            assert (data.course.course_key, data.created) == (potions.course_key, NOW)

    def test_a_refused_request_is_not_told(self, eligible_ron, potions, hogwarts):
        CreditRequirementStatus.objects.all().delete()
        with captured_events() as events, pytest.raises(UserIsNotEligible):
            ask(potions)
        assert not events


class TestReading:
    def test_the_status_is_that_of_the_latest_request(self, potions, hogwarts):
        request = CreditRequestFactory(course=potions, provider=hogwarts)
        assert api.get_credit_request_status("ron", potions.course_key) == {
            "uuid": request.uuid,
            "timestamp": NOW,
            "course_key": potions.course_key,
            "provider": {"id": "hogwarts", "display_name": "Hogwarts School"},
            "status": "pending",
        }

    def test_without_request_it_is_empty(self, potions):
        assert api.get_credit_request_status("ron", potions.course_key) == {}

    def test_a_learners_requests(self, eligible_ron, potions, hogwarts):
        uuid = ask(potions)["parameters"]["request_uuid"]
        assert api.get_credit_requests_for_user("ron") == [
            {
                "uuid": uuid,
                "timestamp": int(NOW.timestamp()),
                "course_key": potions.course_key,
                "provider": {"id": "hogwarts", "display_name": "Hogwarts School"},
                "status": "pending",
            }
        ]

    def test_after_retirement_there_is_no_timestamp(self):
        CreditRequestFactory(parameters={})
        assert api.get_credit_requests_for_user("ron")[0]["timestamp"] is None


class TestProviders:
    def test_info_has_the_names_of_columns(self, hogwarts, rf):
        response = api.get_credit_provider_info(rf.get("/"), "hogwarts")
        assert response.status_code == 200
        assert response["Content-Type"] == "application/json"
        assert response.content.decode() == (
            '{"provider_id": "hogwarts", "display_name": "Hogwarts School",'
            ' "provider_url": "https://credit.example.com/request",'
            ' "provider_status_url": "https://credit.example.com/status",'
            ' "provider_description": "A very good university.", "enable_integration": true,'
            ' "fulfillment_instructions": null, "thumbnail_url": "https://credit.example.com/logo.png"}'
        )

    @pytest.mark.parametrize("active", [False, None])
    def test_info_of_no_active_provider_is_empty(self, rf, active):
        if active is not None:
            CreditProviderFactory(provider_id="hogwarts", active=active)
        response = api.get_credit_provider_info(rf.get("/"), "hogwarts")
        assert (response.status_code, response.content) == (200, b"{}")

    def test_rest_shows_inactive_ones_too_and_never_from_a_cache(self, hogwarts):
        durmstrang = CreditProviderFactory(provider_id="durmstrang", active=False)
        assert api.list_providers() == api.list_providers([]) == [durmstrang.as_dict(), hogwarts.as_dict()]
        assert api.list_providers(["durmstrang", "unknown"]) == [durmstrang.as_dict()]
        assert api.get_provider("durmstrang") == durmstrang.as_dict()
        assert api.get_provider("unknown") is None
        assert api.get_credit_providers() == [hogwarts.as_dict()]
        for _ in range(2):
            with statements() as run:
                api.list_providers()
            assert len(run) == 1, run
