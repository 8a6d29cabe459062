"""What staff do by hand about eligibilities: audited, with a reason, and within the rules (credit contract 0.17)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from opaque_keys.edx.keys import CourseKey

from credit import api
from credit.email_utils import send_due_notifications
from credit.exceptions import (
    CreditCourseNotFound,
    CreditEligibilityExists,
    CreditEligibilityNotFound,
    EligibilityMailNotDue,
    InvalidCreditCourse,
    LearnerNotFound,
    ReasonMissing,
    UserIsNotEligible,
)
from credit.models import CreditAudit, CreditEligibility
from enrollment.models import CourseEnrollment
from events.credit.signals import CREDIT_ELIGIBILITY_EARNED
from events.testing import captured_events
from tests.credit.factories import CreditEligibilityFactory, CreditRequestFactory, CreditRequirementStatusFactory
from tests.support import statements

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
UNKNOWN = CourseKey.from_string("course-v1:Nowhere+N+1")
STAFF = {"source": "staff", "actor": "42"}
BY_HAND = {**STAFF, "reason": "Appeal 7"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def audit():
    columns = ("kind", "source", "actor", "username", "subject", "old_status", "new_status", "reason")
    return list(CreditAudit.objects.order_by("pk").values_list(*columns))


def by_hand(course, old, new, *, kind="eligibility", reason="Appeal 7"):
    return (kind, "staff", "42", "ron", str(course.course_key), old, new, reason)


@pytest.mark.rule("credit.staff.add")
class TestAdding:
    @pytest.mark.parametrize(
        ("given", "deadline"),
        [
            pytest.param({}, NOW + 365 * DAY, id="as far ahead as usual"),
            pytest.param({"deadline": NOW + DAY}, NOW + DAY, id="a deadline of its own"),
        ],
    )
    def test_a_learner_becomes_eligible_without_mail(self, ron, potions, given, deadline, mailoutbox):
        with captured_events() as announced:
            api.add_eligibility("ron", potions.course_key, **given, **BY_HAND)
        assert api.get_eligibilities_for_user("ron") == [
            {"course_key": str(potions.course_key), "deadline": deadline},
        ]
        assert audit() == [by_hand(potions, "", deadline.isoformat())]
        assert [event.signal for event in announced] == [CREDIT_ELIGIBILITY_EARNED]
        assert send_due_notifications(10) == 0
        assert mailoutbox == []

    @pytest.mark.parametrize(
        ("username", "course_key", "reason", "error"),
        [
            pytest.param("ron", None, " \n", ReasonMissing, id="no reason"),
            pytest.param("hermione", None, "x", LearnerNotFound, id="no account"),
            pytest.param("Ron", None, "x", LearnerNotFound, id="a name in another case"),
            pytest.param("ron", UNKNOWN, "x", CreditCourseNotFound, id="no credit course"),
        ],
    )
    def test_what_cannot_be_is_refused(self, ron, potions, username, course_key, reason, error):
        with pytest.raises(error):
            api.add_eligibility(username, course_key or potions.course_key, **STAFF, reason=reason)
        assert (CreditEligibility.objects.count(), audit()) == (0, [])

    def test_there_is_one_at_most_expired_or_not(self, ron, potions):
        CreditEligibilityFactory(course=potions, deadline=NOW - DAY)
        with pytest.raises(CreditEligibilityExists):
            api.add_eligibility("ron", potions.course_key, **BY_HAND)
        assert audit() == []


@pytest.mark.rule("credit.staff.deadline")
class TestDeadline:
    @pytest.mark.parametrize("deadline", [NOW + 30 * DAY, NOW - DAY])
    def test_it_moves_either_way(self, potions, deadline):
        CreditEligibilityFactory(course=potions, deadline=NOW + DAY)
        for _ in range(2):
            api.extend_eligibility_deadline("ron", potions.course_key, deadline, **BY_HAND)
        assert CreditEligibility.objects.get().deadline == deadline
        assert audit() == [by_hand(potions, (NOW + DAY).isoformat(), deadline.isoformat())]

    def test_it_needs_a_reason(self, potions):
        CreditEligibilityFactory(course=potions, deadline=NOW + DAY)
        with pytest.raises(ReasonMissing):
            api.extend_eligibility_deadline("ron", potions.course_key, NOW, **STAFF, reason="")
        assert CreditEligibility.objects.get().deadline == NOW + DAY


@pytest.mark.rule("credit.staff.remove")
class TestRemoving:
    def test_meeting_the_requirements_again_makes_a_new_one(self, eligible_ron, potions):
        deadline = CreditEligibility.objects.get().deadline
        api.remove_eligibility("ron", potions.course_key, **BY_HAND)
        assert api.get_eligibilities_for_user("ron") == []
        assert audit() == [by_hand(potions, deadline.isoformat(), "")]

        assert api.re_evaluate_eligibility("ron", potions.course_key, **STAFF)
        assert CreditEligibility.objects.get().email_due_at == NOW

    def test_it_needs_a_reason(self, potions):
        CreditEligibilityFactory(course=potions)
        with pytest.raises(ReasonMissing):
            api.remove_eligibility("ron", potions.course_key, **STAFF, reason=" ")
        assert CreditEligibility.objects.exists()


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda key: api.extend_eligibility_deadline("ron", key, NOW, **BY_HAND), id="deadline"),
        pytest.param(lambda key: api.remove_eligibility("ron", key, **BY_HAND), id="remove"),
        pytest.param(lambda key: api.resend_eligibility_mail("ron", key, **STAFF), id="resend"),
    ],
)
def test_there_must_be_an_eligibility(potions, call):
    CreditEligibilityFactory(course=potions, username="Ron")
    with pytest.raises(CreditEligibilityNotFound):
        call(potions.course_key)
    assert audit() == []


@pytest.mark.rule("credit.staff.re-evaluate")
class TestReEvaluation:
    @pytest.fixture
    def met(self, ron, grade):
        CreditRequirementStatusFactory(requirement=grade)

    def test_who_meets_what_is_left_becomes_eligible_once(self, met, potions, exam):
        assert not api.re_evaluate_eligibility("ron", potions.course_key, **STAFF)
        exam.active = False
        exam.save()
        with captured_events() as announced:
            results = [api.re_evaluate_eligibility("ron", potions.course_key, **STAFF) for _ in range(2)]
        assert results == [True, False]
        eligibility = CreditEligibility.objects.get()
        assert (eligibility.email_due_at, eligibility.added_by_staff) == (NOW, False)
        assert audit() == [by_hand(potions, "", eligibility.deadline.isoformat(), reason="")]
        assert [event.signal for event in announced] == [CREDIT_ELIGIBILITY_EARNED]

    @pytest.mark.parametrize(
        "obstacle",
        [
            pytest.param(lambda ron, course: CourseEnrollment.objects.update(mode="audit"), id="mode without credit"),
            pytest.param(lambda ron, course: CourseEnrollment.objects.update(is_active=False), id="not enrolled"),
            pytest.param(lambda ron, course: CreditRequestFactory(course=course), id="has requested credit"),
            pytest.param(lambda ron, course: ron.delete(), id="no account"),
            pytest.param(
                lambda ron, course: CreditEligibilityFactory(course=course, deadline=NOW - DAY), id="had one, expired"
            ),
        ],
    )
    def test_the_rules_for_statuses_hold(self, ron, met, potions, obstacle):
        obstacle(ron, potions)
        assert not api.re_evaluate_eligibility("ron", potions.course_key, **STAFF)
        assert audit() == []

    def test_only_in_a_credit_course(self, met, potions):
        potions.enabled = False
        potions.save()
        for course_key in (potions.course_key, UNKNOWN):
            with pytest.raises(InvalidCreditCourse):
                api.re_evaluate_eligibility("ron", course_key, **STAFF)


@pytest.mark.rule("credit.staff.resend")
class TestResending:
    @pytest.fixture
    def sent(self, ron, potions):
        """An eligibility whose mail was sent yesterday."""
        return CreditEligibilityFactory(course=potions, notified_at=NOW - DAY)

    @pytest.mark.django_db(transaction=True)
    def test_the_mail_is_sent_once_more(self, sent, potions, mailoutbox):
        for _ in range(2):
            api.resend_eligibility_mail("ron", potions.course_key, **STAFF)
        assert [send_due_notifications(10) for _ in range(2)] == [1, 0]
        assert [mail.to for mail in mailoutbox] == [["ron@example.com"]]
        assert audit() == [by_hand(potions, "sent", "due", kind="mail", reason="")]

    @pytest.mark.django_db(transaction=True)
    def test_no_mail_server_takes_it_for_a_copy(self, sent, potions, mailoutbox, clock):
        for _ in range(2):
            api.resend_eligibility_mail("ron", potions.course_key, **STAFF)
            send_due_notifications(10)
            clock.shift(DAY)
        assert len({mail.message()["Message-ID"] for mail in mailoutbox}) == 2

    @pytest.mark.parametrize(
        ("row", "audited"),
        [
            pytest.param({"email_due_at": NOW - DAY}, [], id="it waits for the sweep"),
            pytest.param(
                {"email_due_at": NOW - DAY, "email_claimed_until": NOW + timedelta(seconds=300)},
                [],
                id="a worker has it",
            ),
            pytest.param(
                {"email_due_at": NOW - DAY, "email_claimed_until": NOW + DAY},
                ["put off"],
                id="failed before: no more wait",
            ),
            pytest.param({}, ["dropped"], id="had no address: owed again"),
        ],
    )
    def test_an_owed_mail_stays_one_mail(self, ron, potions, row, audited):
        CreditEligibilityFactory(course=potions, **row)
        api.resend_eligibility_mail("ron", potions.course_key, **STAFF)
        eligibility = CreditEligibility.objects.get()
        assert eligibility.email_due_at == row.get("email_due_at", NOW)
        assert eligibility.email_claimed_until == (None if audited else row.get("email_claimed_until"))
        assert [entry[5] for entry in audit()] == audited

    @pytest.mark.parametrize(
        ("row", "enabled", "error"),
        [
            pytest.param({"added_by_staff": True}, True, EligibilityMailNotDue, id="added by staff"),
            pytest.param({"deadline": NOW}, True, UserIsNotEligible, id="expired"),
            pytest.param({}, False, UserIsNotEligible, id="course disabled"),
        ],
    )
    def test_what_would_be_wrong_is_not_sent(self, ron, potions, row, enabled, error):
        potions.enabled = enabled
        potions.save()
        CreditEligibilityFactory(course=potions, **row)
        with pytest.raises(error):
            api.resend_eligibility_mail("ron", potions.course_key, **STAFF)
        assert CreditEligibility.objects.get().email_due_at is None
        assert audit() == []


@pytest.mark.rule("credit.request.reason")
def test_a_decision_by_hand_keeps_its_reason(potions, hogwarts):
    request = CreditRequestFactory(course=potions, provider=hogwarts)
    api.update_credit_request_status(request.uuid, "hogwarts", "rejected", **BY_HAND)
    assert audit() == [("request", "staff", "42", "ron", request.uuid, "pending", "rejected", "Appeal 7")]


@pytest.mark.rule("credit.retirement")
def test_retirement_forgets_what_staff_wrote(ron, potions):
    api.add_eligibility("ron", potions.course_key, **BY_HAND)
    CreditAudit.objects.anonymise("ron", "retired-1")
    assert [(row[3], row[7]) for row in audit()] == [("retired-1", "")]


@pytest.mark.rule("credit.budget")
@pytest.mark.database("postgresql")
def test_statements(ron, potions, grade):
    CreditEligibilityFactory(course=potions, notified_at=NOW)
    audit_and_outbox = ("credit_creditaudit", "events_outbox")
    with statements(without=audit_and_outbox) as run:
        api.resend_eligibility_mail("ron", potions.course_key, **STAFF)
    assert len(run) == 2, run
    with statements(without=audit_and_outbox) as run:
        api.extend_eligibility_deadline("ron", potions.course_key, NOW, **BY_HAND)
    assert len(run) == 2, run
