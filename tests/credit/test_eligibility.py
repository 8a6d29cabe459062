"""From statuses to eligibility (credit contract 6.2 to 6.7)."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from credit import api
from credit.choices import RequirementStatus
from credit.models import CreditEligibility, CreditRequirement, CreditRequirementStatus
from enrollment.choices import ALL_MODES, CREDIT_ELIGIBLE_MODES
from events.credit.signals import (
    CREDIT_ELIGIBILITY_EARNED,
    CREDIT_REQUIREMENT_STATUS_CHANGED,
    CREDIT_REQUIREMENT_STATUS_REMOVED,
)
from events.testing import captured_events
from tests.credit import hosts
from tests.credit.factories import (
    CreditCourseFactory,
    CreditCourseProviderFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementStatusFactory,
    enroll,
)
from tests.enrollment.factories import UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


def satisfy(user, requirement, reason=None, **more):
    key = requirement.course.course_key
    api.set_credit_requirement_status(user, key, requirement.namespace, requirement.name, reason=reason, **more)


def set_status(user, requirement, status, reason=None):
    satisfy(user, requirement, reason, status=status)


def status_of(username, requirement):
    row = CreditRequirementStatus.objects.filter(username=username, requirement=requirement).first()
    return row and row.status


class TestWhoMayEarnCredit:
    @pytest.mark.rule("credit.status.enrollment")
    @pytest.mark.parametrize("mode", sorted({*ALL_MODES, "something-else"}))
    def test_the_mode_decides(self, potions, grade, mode):
        user = UserFactory(username="ron")
        enroll(user, potions, mode=mode)
        satisfy(user, grade)
        assert (status_of("ron", grade) == "satisfied") is (mode in CREDIT_ELIGIBLE_MODES)

    def test_the_modes_are_the_contracts(self):
        assert CREDIT_ELIGIBLE_MODES == {
            "verified",
            "professional",
            "no-id-professional",
            "executive-education",
            "paid-executive-education",
            "paid-bootcamp",
        }

    @pytest.mark.rule("credit.status.enrollment")
    def test_an_inactive_enrollment_earns_nothing(self, potions, grade):
        user = UserFactory(username="ron")
        enroll(user, potions, is_active=False)
        satisfy(user, grade)
        assert status_of("ron", grade) is None

    @pytest.mark.rule("credit.status.enrollment")
    def test_without_enrollment_nothing_is_earned(self, grade):
        satisfy(UserFactory(username="ron"), grade)
        assert status_of("ron", grade) is None

    @pytest.mark.rule("credit.events.no-account")
    def test_an_account_that_is_gone_earns_nothing(self, ron, potions, grade, settings, caplog):
        host = hosts.forget()
        settings.CREDIT_PORTS = host.PORTS
        learner = host.add_learner("ron")
        host.enroll(learner, potions.course_key, hosts.Place("verified", is_active=True, created=NOW))
        del host.learners[learner.id]
        ron.pk = learner.id
        satisfy(ron, grade)
        assert not CreditRequirementStatus.objects.exists()
        assert [record.levelname for record in caplog.records] == ["WARNING"]

    def test_nobody_earns_nothing(self, grade):
        satisfy(AnonymousUser(), grade)
        assert not CreditRequirementStatus.objects.exists()

    @pytest.mark.rule("credit.status.frozen-by-request")
    @pytest.mark.parametrize("request_status", ["pending", "approved", "rejected"])
    def test_a_request_freezes_the_statuses(self, ron, potions, grade, request_status):
        CreditRequestFactory(username="ron", course=potions, status=request_status)
        satisfy(ron, grade)
        assert status_of("ron", grade) is None

    @pytest.mark.rule("credit.status.frozen-by-request")
    def test_a_request_of_another_or_elsewhere_freezes_nothing(self, ron, potions, grade):
        CreditRequestFactory(username="hermione", course=potions)
        CreditRequestFactory(username="ron")
        satisfy(ron, grade)
        assert status_of("ron", grade) == "satisfied"


class TestRequirementToMeet:
    @pytest.mark.rule("credit.status.unknown-requirement")
    @pytest.mark.parametrize(("namespace", "name"), [("grade", "other"), ("exam", "grade")])
    def test_an_unknown_requirement_is_logged_and_not_created(self, ron, potions, grade, caplog, namespace, name):
        api.set_credit_requirement_status(ron, potions.course_key, namespace, name)
        assert not CreditRequirementStatus.objects.exists()
        assert CreditRequirement.objects.count() == 1
        [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
        for part in (str(potions.course_key), namespace, name, str(ron.pk), "satisfied"):
            assert part in record.getMessage()
        assert "ron" not in record.getMessage()

    def test_an_inactive_requirement_is_unknown(self, ron, potions, grade):
        CreditRequirement.disable_credit_requirements([grade.pk])
        satisfy(ron, grade)
        assert status_of("ron", grade) is None

    @pytest.mark.rule("credit.status.words")
    @pytest.mark.parametrize("status", ["", "passed", "SATISFIED", None, 1])
    def test_only_four_words_are_statuses(self, ron, grade, status):
        with pytest.raises(ValueError, match="status"):
            set_status(ron, grade, status)
        assert status_of("ron", grade) is None

    @pytest.mark.rule("credit.status.words")
    def test_a_wrong_word_is_refused_even_for_those_who_cannot_earn_credit(self, grade):
        with pytest.raises(ValueError, match="passed"):
            set_status(UserFactory(), grade, "passed")


class TestTransitions:
    @pytest.mark.rule("credit.status.transitions")
    @pytest.mark.parametrize("after", RequirementStatus.values)
    @pytest.mark.parametrize("before", [None, *RequirementStatus.values])
    def test_only_satisfied_is_final(self, ron, grade, exam, before, after):
        if before:
            CreditRequirementStatusFactory(username="ron", requirement=grade, status=before, reason={"from": "before"})
        with captured_events() as events:
            set_status(ron, grade, after, {"from": "after"})
        row = CreditRequirementStatus.objects.get()
        stays = before == "satisfied" != after
        assert (row.status, row.reason) == ((before, {"from": "before"}) if stays else (after, {"from": "after"}))
        assert len(events) == (0 if stays or before == after else 1)

    @pytest.mark.rule("credit.status.transitions")
    @pytest.mark.parametrize("status", ["failed", "declined", "submitted"])
    def test_what_is_ignored_leaves_no_trace(self, ron, grade, exam, status):
        row = CreditRequirementStatusFactory(username="ron", requirement=grade)
        with time_machine.travel(NOW + timedelta(days=1), tick=False):
            set_status(ron, grade, status)
        before = row.modified
        row.refresh_from_db()
        assert (row.modified, row.reason) == (before, {"final_grade": 0.95})

    def test_a_later_passing_grade_replaces_the_reason(self, ron, grade, exam):
        satisfy(ron, grade, {"final_grade": 0.95})
        satisfy(ron, grade, {"final_grade": 0.85})
        assert CreditRequirementStatus.objects.get().reason == {"final_grade": 0.85}

    @pytest.mark.rule("credit.status.failed-while-eligible")
    def test_who_is_eligible_does_not_fail(self, ron, potions, grade, exam):
        CreditEligibilityFactory(username="ron", course=potions)
        set_status(ron, exam, "failed")
        assert status_of("ron", exam) is None
        set_status(ron, exam, "declined")
        assert status_of("ron", exam) == "declined"

    @pytest.mark.rule("credit.status.failed-while-eligible")
    def test_who_was_eligible_may_fail_but_loses_nothing(self, ron, potions, grade, exam):
        CreditEligibilityFactory(username="ron", course=potions, deadline=NOW)
        CreditRequirementStatusFactory(username="ron", requirement=grade)
        set_status(ron, exam, "failed")
        set_status(ron, grade, "failed")
        assert (status_of("ron", exam), status_of("ron", grade)) == ("failed", "satisfied")


@pytest.mark.rule("credit.eligibility.earned")
class TestBecomingEligible:
    def test_the_last_requirement_makes_eligible(self, ron, potions, grade, exam):
        satisfy(ron, grade)
        assert not api.is_user_eligible_for_credit("ron", potions.course_key)
        satisfy(ron, exam)
        assert api.is_user_eligible_for_credit("ron", potions.course_key)
        row = CreditEligibility.objects.get()
        assert (row.username, row.course, row.deadline) == ("ron", potions, NOW + timedelta(days=365))

    @pytest.mark.rule("credit.mail.owed")
    def test_who_becomes_eligible_is_owed_one_mail(self, ron, grade):
        satisfy(ron, grade)
        row = CreditEligibility.objects.get()
        assert (row.email_due_at, row.notified_at, row.email_claimed_until) == (NOW, None, None)

    @pytest.mark.parametrize("status", ["failed", "declined", "submitted"])
    def test_nothing_but_satisfied_counts(self, ron, grade, exam, status):
        satisfy(ron, grade)
        set_status(ron, exam, status)
        assert not CreditEligibility.objects.exists()

    def test_inactive_requirements_do_not_count(self, ron, grade, exam):
        CreditRequirement.disable_credit_requirements([exam.pk])
        satisfy(ron, grade)
        assert CreditEligibility.objects.exists()

    def test_others_statuses_do_not_count(self, ron, grade, exam):
        CreditRequirementStatusFactory(username="hermione", requirement=exam)
        satisfy(ron, grade)
        assert not CreditEligibility.objects.exists()

    def test_an_expired_eligibility_is_not_renewed(self, ron, potions, grade):
        row = CreditEligibilityFactory(username="ron", course=potions, deadline=NOW - timedelta(days=1))
        with captured_events() as events:
            satisfy(ron, grade)
        row.refresh_from_db()
        assert (row.deadline, row.email_due_at) == (NOW - timedelta(days=1), None)
        assert [event.signal for event in events] == [CREDIT_REQUIREMENT_STATUS_CHANGED]

    def test_after_staff_deleted_it_satisfying_again_earns_it_again(self, ron, grade):
        satisfy(ron, grade)
        CreditEligibility.objects.all().delete()
        with captured_events() as events:
            satisfy(ron, grade)
        assert CreditEligibility.objects.get().email_due_at == NOW
        assert [event.signal for event in events] == [CREDIT_ELIGIBILITY_EARNED]


class TestUpdateEligibility:
    def test_no_requirement_makes_nobody_eligible(self, potions):
        assert CreditEligibility.update_eligibility([], "ron", potions.course_key) == (False, False)
        nothing = CreditRequirement.objects.none()
        assert CreditEligibility.update_eligibility(nothing, "ron", potions.course_key) == (False, False)
        assert not CreditEligibility.objects.exists()

    def test_it_tells_whether_all_are_satisfied_and_whether_that_is_new(self, potions, grade, exam):
        both = CreditRequirement.get_course_requirements(potions.course_key)
        CreditRequirementStatusFactory(username="ron", requirement=grade)
        assert CreditEligibility.update_eligibility(both, "ron", potions.course_key) == (False, False)
        CreditRequirementStatusFactory(username="ron", requirement=exam)
        assert CreditEligibility.update_eligibility(both, "ron", potions.course_key) == (True, True)
        assert CreditEligibility.update_eligibility(both, "ron", potions.course_key) == (True, False)

    def test_what_exists_is_kept_when_a_requirement_is_missing(self, potions, grade):
        CreditEligibilityFactory(username="ron", course=potions)
        assert CreditEligibility.update_eligibility([grade], "ron", potions.course_key) == (False, False)
        assert CreditEligibility.objects.exists()


class TestAnnouncements:
    def test_a_status_is_told_with_what_it_was(self, ron, potions, grade, exam):
        with captured_events() as events:
            set_status(ron, exam, "submitted")
            satisfy(ron, exam)
        assert [event.signal for event in events] == [CREDIT_REQUIREMENT_STATUS_CHANGED] * 2
        assert [event.metadata.time for event in events] == [NOW, NOW]
        told = [event.data["requirement_status"] for event in events]
        assert [(data.previous_status, data.status) for data in told] == [("", "submitted"), ("submitted", "satisfied")]
        for data in told:
            assert (data.user.id, data.user.is_active) == (ron.pk, True)
            assert data.course.course_key == potions.course_key
            requirement = data.requirement
            assert (requirement.namespace, requirement.name, requirement.display_name) == (
                "proctored_exam",
                "final",
                "Final Exam",
            )
            assert data.modified == NOW

    def test_an_eligibility_is_told_with_the_courses_providers(self, ron, potions, grade):
        for provider_id in ("hogwarts", "beauxbatons"):
            CreditCourseProviderFactory(course=potions, provider__provider_id=provider_id)
        CreditProviderFactory(provider_id="durmstrang")
        with captured_events() as events:
            satisfy(ron, grade)
        [earned] = [event for event in events if event.signal is CREDIT_ELIGIBILITY_EARNED]
        data = earned.data["eligibility"]
        row = CreditEligibility.objects.get()
        assert earned.metadata.time == row.created == data.earned_date
        assert (data.user.id, data.course.course_key) == (ron.pk, potions.course_key)
        assert (data.deadline, data.provider_ids) == (row.deadline, ["beauxbatons", "hogwarts"])

    def test_a_removal_is_told(self, ron, potions, grade):
        row = CreditRequirementStatusFactory(username="ron", requirement=grade)
        with captured_events() as events, time_machine.travel(NOW + timedelta(days=1), tick=False):
            api.remove_credit_requirement_status("ron", potions.course_key, "grade", "grade")
        [removed] = events
        data = removed.data["requirement_status"]
        assert removed.signal is CREDIT_REQUIREMENT_STATUS_REMOVED
        assert (data.previous_status, data.status, data.user.id) == ("satisfied", "", ron.pk)
        assert removed.metadata.time == data.modified == row.modified


@pytest.mark.rule("credit.status.remove")
class TestRemoving:
    def test_the_row_goes_and_eligibility_stays(self, eligible_ron, potions, grade):
        other = CreditRequirementStatusFactory(username="hermione", requirement=grade)
        api.remove_credit_requirement_status("ron", potions.course_key, "grade", "grade")
        assert list(CreditRequirementStatus.objects.all()) == [other]
        assert api.is_user_eligible_for_credit("ron", potions.course_key)

    def test_a_missing_row_is_only_logged(self, ron, potions, grade, caplog):
        caplog.set_level(logging.INFO, "credit")
        with captured_events() as events:
            api.remove_credit_requirement_status("ron", potions.course_key, "grade", "grade")
        assert not events
        assert "no status" in caplog.text

    def test_an_inactive_requirement_is_an_error_and_removes_nothing(self, eligible_ron, potions, grade, caplog):
        CreditRequirement.disable_credit_requirements([grade.pk])
        api.remove_credit_requirement_status("ron", potions.course_key, "grade", "grade")
        assert status_of("ron", grade) == "satisfied"
        assert [record.levelname for record in caplog.records] == ["ERROR"]

    def test_neither_enrollment_nor_a_request_matters(self, potions, grade):
        CreditRequirementStatusFactory(username="ron", requirement=grade)
        CreditRequestFactory(username="ron", course=potions)
        UserFactory(username="ron")
        api.remove_credit_requirement_status("ron", potions.course_key, "grade", "grade")
        assert status_of("ron", grade) is None

    @pytest.mark.rule("credit.events.no-account")
    def test_without_an_account_it_is_done_and_not_told(self, potions, grade, caplog):
        row = CreditRequirementStatusFactory(username="retired__ron", requirement=grade)
        with captured_events() as events:
            api.remove_credit_requirement_status("retired__ron", potions.course_key, "grade", "grade")
        assert not events
        assert status_of("retired__ron", grade) is None
        [record] = caplog.records
        assert record.levelname == "WARNING"
        assert str(row.pk) in record.getMessage()
        assert "retired__ron" not in record.getMessage()


class TestReading:
    def test_valid_eligibilities_are_listed(self):
        first = CreditEligibilityFactory(course__course_key="course-v1:a+b+c")
        second = CreditEligibilityFactory(course__course_key="x/y/z")
        CreditEligibilityFactory(deadline=NOW)
        CreditEligibilityFactory(course__enabled=False)
        CreditEligibilityFactory(username="hermione")
        one = {"course_key": "course-v1:a+b+c", "deadline": first.deadline}
        two = {"course_key": "x/y/z", "deadline": second.deadline}
        assert api.get_eligibilities_for_user("ron") == [one, two]
        assert api.get_eligibilities_for_user("ron", "x/y/z") == [two]
        assert api.get_eligibilities_for_user("ron", CourseKey.from_string("course-v1:a+b+c")) == [one]
        assert api.get_eligibilities_for_user("ron", "course-v1:a+b+other") == []

    @pytest.mark.parametrize("text", ["", "nonsense", "a+b+c"])
    def test_a_text_that_is_no_key_is_an_error(self, text):
        with pytest.raises(InvalidKeyError):
            api.get_eligibilities_for_user("ron", text)

    def test_rest_shows_those_of_disabled_courses_too(self):
        row = CreditEligibilityFactory(course=CreditCourseFactory(enabled=False))
        key = row.course.course_key
        expected = {"username": "ron", "course_key": str(key), "deadline": row.deadline}
        assert api.list_eligibilities("ron", key) == [expected]
        assert api.list_eligibilities("hermione", key) == []
        CreditEligibility.objects.update(deadline=NOW)
        assert api.list_eligibilities("ron", key) == []

    def test_course_checks_are_the_models(self, potions):
        assert api.is_credit_course(potions.course_key)
        assert not api.is_credit_course("course-v1:a+b+c")
