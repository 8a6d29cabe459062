"""What staff do on their pages goes through the api: one transaction per row, audited, every failure told
(credit contract 0.17, 12, D32).
"""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import OperationalError
from django.utils import timezone

from coursecredit.admin import corrections
from credit import api
from credit.models import CreditAudit, CreditEligibility, CreditRequest
from tests.credit.admin import clerk, told, url
from tests.credit.factories import (
    CreditEligibilityFactory,
    CreditRequestFactory,
    CreditRequirementStatusFactory,
)
from tests.enrollment.factories import UserFactory

pytestmark = pytest.mark.django_db

YESTERDAY = timezone.now() - timedelta(days=1)
NEW_DEADLINE = {"deadline_0": "2030-01-31", "deadline_1": "12:00:00"}


def choose(client, model, action, *rows, **answers):
    """Choose rows in a list, and an action for them; with answers, confirm it at once."""
    confirmed = {"confirmed": "1", **answers} if answers else {}
    return client.post(url(model), {"action": action, "_selected_action": [row.pk for row in rows], **confirmed})


@pytest.fixture
def requests(potions, hogwarts):
    return [CreditRequestFactory(username=name, course=potions, provider=hogwarts) for name in ("ron", "harry")]


def statuses():
    return dict(CreditRequest.objects.values_list("username", "status"))


def audit():
    return list(CreditAudit.objects.order_by("pk").values_list("source", "username", "new_status", "reason"))


@pytest.mark.rule("credit.admin.decide")
class TestDeciding:
    def test_requests_are_approved(self, boss, requests):
        response = choose(boss, "creditrequest", "approve_requests", *requests)
        assert statuses() == {"ron": "approved", "harry": "approved"}
        assert audit() == [("staff", "ron", "approved", ""), ("staff", "harry", "approved", "")]
        assert told(response) == [("success", "2 rows were changed.")]

    def test_a_second_time_changes_nothing(self, boss, requests):
        choose(boss, "creditrequest", "approve_requests", requests[0])
        response = choose(boss, "creditrequest", "approve_requests", *requests)
        assert told(response)[-2:] == [("success", "1 row was changed."), ("info", "1 row needed no change.")]
        assert len(audit()) == 2

    def test_rejecting_asks_why(self, boss, requests):
        page = choose(boss, "creditrequest", "reject_requests", requests[0])
        assert page.status_code == 200
        assert b'name="reason"' in page.content
        assert statuses()["ron"] == "pending"

        page = choose(boss, "creditrequest", "reject_requests", requests[0], reason=" ")
        assert page.context["form"].errors == {"reason": ["This field is required."]}
        assert statuses()["ron"] == "pending"

        choose(boss, "creditrequest", "reject_requests", requests[0], reason="Not enrolled with us")
        assert statuses() == {"ron": "rejected", "harry": "pending"}
        assert audit() == [("staff", "ron", "rejected", "Not enrolled with us")]

    def test_a_decision_is_corrected(self, boss, requests):
        choose(boss, "creditrequest", "approve_requests", requests[0])
        choose(boss, "creditrequest", "reject_requests", requests[0], reason="Wrong student")
        assert [row[2] for row in audit()] == ["approved", "rejected"]

    def test_the_actor_is_the_member_of_staff(self, client, requests):
        user = clerk(client, "view_creditrequest", "change_creditrequest")
        choose(client, "creditrequest", "approve_requests", requests[0])
        assert CreditAudit.objects.get().actor == str(user.pk)

    @pytest.mark.rule("credit.admin.partial-failure")
    def test_one_that_fails_leaves_the_others(self, boss, requests, monkeypatch, caplog):
        decide = api.update_credit_request_status

        def fail_for_ron(uuid, *args, **kwargs):
            decide(uuid, *args, **kwargs)
            if uuid == requests[0].uuid:
                raise OperationalError(f"Failing row contains ({requests[0].username}).")

        monkeypatch.setattr(api, "update_credit_request_status", fail_for_ron)
        response = choose(boss, "creditrequest", "approve_requests", *requests)
        assert told(response) == [
            ("success", "1 row was changed."),
            ("error", f"credit request {requests[0].uuid}: OperationalError"),
        ]
        assert f"credit.CreditRequest {requests[0].pk} failed: OperationalError" in caplog.text
        assert "fail_for_ron" in caplog.text, "where it happened"
        assert "(ron)" not in caplog.text

    def test_one_that_is_gone_is_told(self, boss, requests, monkeypatch):
        take = corrections.take

        def too_slowly(*args):
            rows = take(*args)
            CreditRequest.objects.filter(pk=requests[1].pk).delete()
            return rows

        monkeypatch.setattr("credit.admin.requests.take", too_slowly)
        response = choose(boss, "creditrequest", "approve_requests", *requests)
        assert told(response) == [
            ("success", "1 row was changed."),
            ("error", f"credit request {requests[1].uuid}: The credit provider has no such request."),
        ]

    @pytest.mark.parametrize("action", ["approve_requests", "reject_requests"])
    def test_not_too_many_at_once(self, boss, requests, monkeypatch, action):
        monkeypatch.setattr(corrections, "MOST_AT_ONCE", 1)
        response = choose(boss, "creditrequest", action, *requests, reason="x")
        assert told(response) == [("error", "At most 1 rows at once, please.")]
        assert set(statuses().values()) == {"pending"}


@pytest.mark.rule("credit.admin.permissions")
@pytest.mark.parametrize(
    ("model", "action", "answers"),
    [
        ("creditrequest", "approve_requests", {}),
        ("creditrequest", "reject_requests", {"reason": "x"}),
        ("creditrequirementstatus", "re_evaluate", {}),
        ("crediteligibility", "resend_mail", {}),
        ("crediteligibility", "extend_deadline", {"reason": "x", **NEW_DEADLINE}),
        ("crediteligibility", "delete_eligibilities", {"reason": "x"}),
        ("crediteligibility", "delete_selected", {"post": "yes"}),
    ],
)
def test_who_may_only_look_cannot_act(client, eligible_ron, potions, hogwarts, model, action, answers):
    CreditRequestFactory(course=potions, provider=hogwarts)
    CreditEligibility.objects.update(notified_at=YESTERDAY)
    [row] = {
        "creditrequest": CreditRequest.objects,
        "creditrequirementstatus": CreditEligibility.objects.get().course.credit_requirements.get().statuses,
        "crediteligibility": CreditEligibility.objects,
    }[model].all()
    clerk(client, f"view_{model}")
    page = client.get(url(model))
    assert page.status_code == 200
    assert f'value="{action}"' not in page.content.decode()
    choose(client, model, action, row, **answers)
    assert audit() == []
    assert statuses() == {"ron": "pending"}
    assert CreditEligibility.objects.get().notified_at == YESTERDAY


def test_who_may_not_decide_is_not_offered_more_than_the_page(client, requests):
    clerk(client, "view_creditrequest")
    page = client.get(url("creditrequest", "change", requests[0].pk))
    assert page.status_code == 200
    assert b"_save" not in page.content


@pytest.mark.rule("credit.admin.re-evaluate")
def test_learners_are_re_evaluated_once_each(boss, ron, potions, grade, exam):
    rows = [CreditRequirementStatusFactory(requirement=requirement) for requirement in (grade, exam)]
    other = CreditRequirementStatusFactory(username="nobody", requirement=grade)
    response = choose(boss, "creditrequirementstatus", "re_evaluate", *rows, other)
    assert told(response) == [("success", "1 row was changed."), ("info", "1 row needed no change.")]
    assert api.is_user_eligible_for_credit("ron", potions.course_key)
    assert [row[:2] for row in audit()] == [("staff", "ron")]


@pytest.mark.rule("credit.admin.eligibility")
class TestEligibilities:
    FORM = {"username": "ron", **NEW_DEADLINE, "reason": "Appeal"}

    def test_staff_add(self, boss, ron, potions):
        response = boss.post(url("crediteligibility", "add"), {**self.FORM, "course": potions.pk})
        assert response.status_code == 302
        row = CreditEligibility.objects.get()
        assert (row.deadline, row.added_by_staff) == (datetime(2030, 1, 31, 12, tzinfo=UTC), True)
        assert audit() == [("staff", "ron", "2030-01-31T12:00:00+00:00", "Appeal")]

    @pytest.mark.parametrize(
        ("changes", "errors"),
        [
            ({"reason": ""}, {"reason": ["This field is required."]}),
            ({"username": "Ron"}, {"username": ["There is no account with this username."]}),
            ({"course": "0"}, {"course": ["Select a valid choice. That choice is not one of the available choices."]}),
            ({"deadline_0": "soon"}, {"deadline": ["Enter a valid date."]}),
        ],
    )
    def test_what_is_wrong_is_an_error_of_the_form(self, boss, ron, potions, changes, errors):
        response = boss.post(url("crediteligibility", "add"), {**self.FORM, "course": potions.pk, **changes})
        assert response.context["adminform"].form.errors == errors
        assert audit() == []

    def test_one_per_learner_and_course(self, boss, ron, potions):
        CreditEligibilityFactory(course=potions)
        response = boss.post(url("crediteligibility", "add"), {**self.FORM, "course": potions.pk})
        assert response.status_code == 200
        assert response.context["adminform"].form.non_field_errors()

    def test_who_was_faster_is_told(self, boss, ron, potions, monkeypatch):
        add = api.add_eligibility

        def twice(*args, **kwargs):
            add(*args, **kwargs)
            add(*args, **kwargs)

        monkeypatch.setattr(api, "add_eligibility", twice)
        response = boss.post(url("crediteligibility", "add"), {**self.FORM, "course": potions.pk})
        assert told(response) == [("error", "The learner has an eligibility in this course already.")]
        assert not CreditEligibility.objects.exists()

    def test_staff_move_the_deadline(self, boss, potions):
        row = CreditEligibilityFactory(course=potions)
        response = boss.post(
            url("crediteligibility", "change", row.pk), {**self.FORM, "username": "eve", "course": "99"}
        )
        assert response.status_code == 302
        row.refresh_from_db()
        assert (row.username, row.deadline) == ("ron", datetime(2030, 1, 31, 12, tzinfo=UTC))
        assert [entry[3] for entry in audit()] == ["Appeal"]

    def test_django_does_not_log_the_learners_name(self, boss, ron, potions):
        boss.post(url("crediteligibility", "add"), {**self.FORM, "course": potions.pk})
        row = CreditEligibility.objects.get()
        boss.post(url("crediteligibility", "change", row.pk), {**NEW_DEADLINE, "deadline_1": "13:00", "reason": "x"})
        assert {entry.object_repr for entry in LogEntry.objects.all()} == {f"credit eligibility {row.pk}"}
        assert LogEntry.objects.count() == 2

    def test_several_deadlines_at_once(self, boss, potions, ron):
        rows = [CreditEligibilityFactory(course=potions, username=name) for name in ("ron", "harry")]
        page = choose(boss, "crediteligibility", "extend_deadline", *rows)
        assert b'name="deadline_0"' in page.content
        response = choose(boss, "crediteligibility", "extend_deadline", *rows, reason="Strike", **NEW_DEADLINE)
        assert told(response) == [("success", "2 rows were changed.")]
        assert {row.deadline for row in CreditEligibility.objects.all()} == {datetime(2030, 1, 31, 12, tzinfo=UTC)}

    def test_the_mail_is_owed_again_or_it_is_told_why_not(self, boss, potions, ron):
        sent = CreditEligibilityFactory(course=potions, notified_at=YESTERDAY)
        given = CreditEligibilityFactory(course=potions, username="harry", added_by_staff=True)
        response = choose(boss, "crediteligibility", "resend_mail", sent, given)
        assert [kind for kind, _text in told(response)] == ["success", "error"]
        assert told(response)[1][1].startswith(f"credit eligibility {given.pk}: Staff added this eligibility")
        sent.refresh_from_db()
        assert sent.notified_at is None

    @pytest.mark.parametrize("by", ["list", "page"])
    def test_deleting_asks_why(self, boss, potions, by):
        row = CreditEligibilityFactory(course=potions)

        def delete(**answers):
            if by == "list":
                return choose(boss, "crediteligibility", "delete_eligibilities", row, **answers)
            address = url("crediteligibility", "delete", row.pk)
            return boss.post(address, {"confirmed": "1", **answers}) if answers else boss.get(address)

        assert b'name="reason"' in delete().content
        assert CreditEligibility.objects.exists()
        assert delete(reason="Mistake").status_code == 302
        assert not CreditEligibility.objects.exists()
        assert audit() == [("staff", "ron", "", "Mistake")]

    def test_deleting_what_is_not_there(self, boss):
        assert boss.get(url("crediteligibility", "delete", 99)).status_code == 404

    def test_who_may_not_delete_cannot(self, client, potions):
        row = CreditEligibilityFactory(course=potions)
        clerk(client, "view_crediteligibility", "change_crediteligibility")
        answer = client.post(url("crediteligibility", "delete", row.pk), {"confirmed": "1", "reason": "x"})
        assert answer.status_code == 403
        assert CreditEligibility.objects.exists()


def test_anonymous_callers_are_sent_to_log_in(client, requests):
    response = choose(client, "creditrequest", "approve_requests", *requests)
    assert response.status_code == 302
    assert "/login/" in response["Location"]
    assert set(statuses().values()) == {"pending"}


def test_learners_see_nothing(client, requests):
    client.force_login(UserFactory())
    choose(client, "creditrequest", "approve_requests", *requests)
    assert set(statuses().values()) == {"pending"}
