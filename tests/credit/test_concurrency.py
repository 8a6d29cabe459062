"""What holds when several act at the same moment: real transactions, many rounds (credit contract D18, D21, D24)."""

import itertools

import pytest
from django.db import connection, transaction

from credit import api
from credit.backends import EnrolledLearners
from credit.exceptions import RequestAlreadyCompleted, StaleCreditDecision, UserIsNotEligible
from credit.models import (
    CreditAudit,
    CreditCourse,
    CreditEligibility,
    CreditRequest,
    CreditRequirement,
    CreditRequirementStatus,
)
from credit.signature import signature
from events.credit.signals import CREDIT_ELIGIBILITY_EARNED, CREDIT_REQUEST_CREATED, CREDIT_REQUEST_REISSUED
from events.testing import captured_events
from tests.credit.conftest import SECRET
from tests.credit.factories import CreditRequestFactory
from tests.support import in_parallel

pytestmark = [pytest.mark.database("postgresql", "mysql"), pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROUNDS = range(20)
T = 1_770_000_000


def publication(name, length):
    return [
        {"namespace": "exam", "name": f"{name}{number}", "display_name": name, "criteria": {}}
        for number in range(length)
    ]


def forget_round():
    """Remove what a round wrote about learners; the course, its requirements and the accounts stay."""
    for model in (CreditRequest, CreditEligibility, CreditRequirementStatus):
        model.objects.all().delete()


@pytest.mark.rule("credit.concurrency.last-requirements")
def test_the_last_two_requirements_at_once_make_one_eligibility_that_owes_one_mail(ron, potions, grade, exam):
    for _ in ROUNDS:
        with captured_events() as events:
            results = in_parallel(
                lambda: api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade"),
                lambda: api.set_credit_requirement_status(ron, potions.course_key, "proctored_exam", "final"),
            )
        assert results == [None, None]
        assert CreditEligibility.objects.get().email_due_at is not None
        assert [event.signal for event in events].count(CREDIT_ELIGIBILITY_EARNED) == 1
        assert len(events) == 3
        forget_round()


@pytest.mark.rule("credit.concurrency.last-requirements")
def test_the_same_last_requirement_many_times_at_once_counts_once(ron, potions, grade):
    def satisfy():
        api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade", reason={"final_grade": 0.9})

    for _ in ROUNDS:
        audited = CreditAudit.objects.count()
        with captured_events() as events:
            assert in_parallel(*[satisfy] * 4) == [None] * 4
        assert CreditRequirementStatus.objects.count() == CreditEligibility.objects.count() == 1
        assert CreditAudit.objects.count() == audited + 1
        assert len(events) == 2
        forget_round()


@pytest.mark.rule("credit.concurrency.last-requirements")
def test_passing_and_failing_at_once_end_in_satisfied(ron, potions, grade, exam):
    def set_grade(status):
        return lambda: api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade", status)

    for _ in ROUNDS:
        assert in_parallel(set_grade("satisfied"), set_grade("failed"), set_grade("submitted")) == [None] * 3
        assert CreditRequirementStatus.objects.get().status == "satisfied"
        forget_round()


@pytest.mark.rule("credit.concurrency.first-requests")
def test_many_first_requests_at_once_make_one_row_and_one_uuid(eligible_ron, potions, hogwarts):
    def ask():
        return api.create_credit_request(potions.course_key, "hogwarts", "ron")

    for _ in ROUNDS:
        with captured_events() as events:
            forms = in_parallel(*[ask] * 5)
        request = CreditRequest.objects.get()
        for form in forms:
            assert form["parameters"]["request_uuid"] == request.uuid
            assert form["parameters"]["signature"] == signature(form["parameters"], SECRET)
        signals = [event.signal for event in events]
        assert (signals.count(CREDIT_REQUEST_CREATED), signals.count(CREDIT_REQUEST_REISSUED)) == (1, 4)
        CreditRequest.objects.all().delete()


class UnlockedLearners(EnrolledLearners):
    """A host whose learners cannot be locked."""

    def by_username(self, username, *, lock=False):
        return super().by_username(username)


@pytest.mark.rule("credit.concurrency.first-requests")
def test_even_a_host_without_locks_on_learners_gets_one_row(eligible_ron, potions, hogwarts, settings):
    settings.CREDIT_PORTS = {"learners": f"{__name__}.UnlockedLearners"}
    test_many_first_requests_at_once_make_one_row_and_one_uuid(eligible_ron, potions, hogwarts)


class AwaitedLearners(EnrolledLearners):
    """Learners who are locked by somebody who has something to do first."""

    meanwhile = None

    def by_username(self, username, *, lock=False):
        if lock and (call := AwaitedLearners.meanwhile):
            AwaitedLearners.meanwhile = None
            assert in_parallel(call) == [None]
        return super().by_username(username, lock=lock)


@pytest.mark.rule("credit.concurrency.first-requests")
def test_an_eligibility_that_staff_take_back_meanwhile_makes_no_request(eligible_ron, potions, hogwarts, settings):
    settings.CREDIT_PORTS = {"learners": f"{__name__}.AwaitedLearners"}
    AwaitedLearners.meanwhile = lambda: api.remove_eligibility(
        "ron", potions.course_key, reason="a mistake", source="staff", actor="1"
    )

    with pytest.raises(UserIsNotEligible):
        api.create_credit_request(potions.course_key, "hogwarts", "ron")
    assert not CreditRequest.objects.exists()


@pytest.mark.rule("credit.concurrency.first-requests")
def test_first_requests_to_two_providers_at_once_are_two_rows(eligible_ron, potions, hogwarts, settings):
    hogwarts.pk, hogwarts.provider_id = None, "beauxbatons"
    hogwarts.save()
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": SECRET, "beauxbatons": SECRET}
    for _ in ROUNDS:
        forms = in_parallel(
            lambda: api.create_credit_request(potions.course_key, "hogwarts", "ron"),
            lambda: api.create_credit_request(potions.course_key, "beauxbatons", "ron"),
        )
        assert len({form["parameters"]["request_uuid"] for form in forms}) == 2
        CreditRequest.objects.all().delete()


@pytest.mark.rule("credit.concurrency.approval-survives")
def test_an_approval_survives_a_reissue_at_the_same_moment(eligible_ron, potions, hogwarts):
    for _ in ROUNDS:
        request = CreditRequestFactory(course=potions, provider=hogwarts)
        reissued, decided = in_parallel(
            lambda: api.create_credit_request(potions.course_key, "hogwarts", "ron"),
            lambda uuid=request.uuid: api.record_provider_decision(uuid, "hogwarts", "approved", timestamp=T),
        )
        assert decided is None
        if not isinstance(reissued, RequestAlreadyCompleted):
            assert reissued["parameters"]["request_uuid"] == request.uuid
        request.refresh_from_db()
        assert (request.status, request.last_callback_timestamp) == ("approved", T)
        request.delete()


@pytest.mark.rule("credit.concurrency.contradictions")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_contradictory_callbacks_end_with_the_newest(ron, potions, hogwarts, order):
    decisions = [("approved", T), ("rejected", T + 1), ("approved", T + 2)]
    for _ in ROUNDS:
        request = CreditRequestFactory(course=potions, provider=hogwarts)
        results = in_parallel(
            *(
                lambda status=status, timestamp=timestamp, uuid=request.uuid: api.record_provider_decision(
                    uuid, "hogwarts", status, timestamp=timestamp
                )
                for status, timestamp in (decisions[number] for number in order)
            )
        )
        request.refresh_from_db()
        assert (request.status, request.last_callback_timestamp) == ("approved", T + 2)
        assert all(result is None or isinstance(result, StaleCreditDecision) for result in results)
        request.delete()


@pytest.mark.rule("credit.concurrency.contradictions")
def test_of_two_contradictions_of_the_same_moment_one_is_refused(ron, potions, hogwarts):
    for _ in ROUNDS:
        request = CreditRequestFactory(course=potions, provider=hogwarts)
        audited = CreditAudit.objects.count()
        results = in_parallel(
            *(
                lambda status=status, uuid=request.uuid: api.record_provider_decision(
                    uuid, "hogwarts", status, timestamp=T
                )
                for status in ("approved", "rejected")
            )
        )
        request.refresh_from_db()
        accepted = ["approved", "rejected"][results.index(None)]
        assert sorted(type(result).__name__ for result in results) == ["NoneType", "StaleCreditDecision"]
        assert request.status == accepted
        assert CreditAudit.objects.count() == audited + 1
        request.delete()


@pytest.mark.rule("credit.concurrency.publication")
def test_a_publication_never_shows_half_a_list(potions):
    lists = [publication("a", 8), publication("b", 8)]
    whole = [[requirement["name"] for requirement in requirements] for requirements in lists]
    api.set_credit_requirements(potions.course_key, lists[1])

    def read():
        seen = [api.get_credit_requirements(potions.course_key) for _ in range(15)]
        return [[requirement["name"] for requirement in requirements] for requirements in seen]

    for number in ROUNDS:
        published, *readers = in_parallel(
            lambda number=number: api.set_credit_requirements(potions.course_key, lists[number % 2]), read, read
        )
        assert published is None
        for seen in itertools.chain(*readers):
            assert seen in whole


@pytest.mark.rule("credit.concurrency.publication")
def test_publications_of_one_course_follow_one_another(potions):
    lists = [publication("a", 5), publication("b", 3), publication("a", 2)]
    for _ in ROUNDS:
        results = in_parallel(
            *(
                lambda requirements=requirements: api.set_credit_requirements(potions.course_key, requirements)
                for requirements in lists
            )
        )
        assert results == [None, None, None]
        active = CreditRequirement.objects.active().filter(course=potions)
        found = list(active.order_by("sort_value").values_list("name", "sort_value"))
        assert found in [
            [(requirement["name"], number) for number, requirement in enumerate(requirements)] for requirements in lists
        ]


@pytest.mark.rule("credit.concurrency.publication")
def test_learners_go_on_while_a_course_is_published(ron, potions, grade):
    grades = [
        {"namespace": "grade", "name": "grade", "display_name": "Grade", "criteria": {"min_grade": value}}
        for value in (0.5, 0.6)
    ]
    for number in ROUNDS:
        results = in_parallel(
            lambda number=number: api.set_credit_requirements(potions.course_key, [grades[number % 2]]),
            lambda: api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade"),
        )
        assert results == [None, None]
        assert CreditEligibility.objects.count() == 1
        forget_round()


@pytest.mark.rule("credit.concurrency.publication")
@pytest.mark.database("postgresql")
def test_learners_need_not_wait_for_a_publication(ron, potions, grade):
    def satisfy():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade")

    with transaction.atomic():
        api.set_credit_requirements(potions.course_key, publication("a", 1))
        assert in_parallel(satisfy) == [None]
    assert CreditEligibility.objects.exists()


@pytest.mark.rule("credit.concurrency.retirement")
def test_a_status_and_a_retirement_at_once_leave_no_name(ron, potions, grade, exam):
    class Retirement:
        original_username, retired_username = "ron", "retired__1"

    def retire():
        with transaction.atomic():
            type(ron).objects.filter(pk=ron.pk).update(username="retired__1")
            api.retire_credit_user(Retirement())

    for _ in ROUNDS:
        results = in_parallel(
            retire, lambda: api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade")
        )
        assert results == [None, None]
        assert list(CreditRequirementStatus.objects.values_list("username", flat=True)) == ["retired__1"]
        forget_round()
        type(ron).objects.filter(pk=ron.pk).update(username="ron")


@pytest.mark.rule("credit.concurrency.courses")
def test_a_course_that_is_put_twice_at_once_is_one_row():
    key = "course-v1:a+b+c"
    for _ in ROUNDS:
        results = in_parallel(*[lambda: api.put_credit_course(key, enabled=True)] * 3)
        assert sorted(created for _course, created in results) == [False, False, True]
        CreditCourse.objects.filter(course_key=key).delete()
