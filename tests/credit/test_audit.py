"""Every real change leaves one row that nobody can change (credit contract 2.8, D30)."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.db import IntegrityError, transaction

from credit import api
from credit.exceptions import AuditIsAppendOnly
from credit.models import CreditAudit, CreditRequest
from tests.credit.factories import CreditRequestFactory, CreditRequirementStatusFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
T = int(NOW.timestamp())
COLUMNS = ("kind", "source", "actor", "username", "subject", "old_status", "new_status", "provider_timestamp")


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


def audit():
    return list(CreditAudit.objects.order_by("pk").values_list(*COLUMNS))


@pytest.mark.rule("credit.audit")
def test_requirement_statuses_are_audited(ron, potions, grade, exam):
    def set_grade(status, **who):
        api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade", status, {"final_grade": 1}, **who)

    set_grade("submitted")
    set_grade("submitted")
    set_grade("satisfied", source="event")
    set_grade("failed")
    set_grade("satisfied")
    api.remove_credit_requirement_status("ron", potions.course_key, "grade", "grade", source="staff", actor="42")
    api.remove_credit_requirement_status("ron", potions.course_key, "grade", "grade")

    subject = f"{potions.course_key} grade grade"
    assert audit() == [
        ("requirement", "api", "", "ron", subject, "", "submitted", None),
        ("requirement", "event", "", "ron", subject, "submitted", "satisfied", None),
        ("requirement", "staff", "42", "ron", subject, "satisfied", "", None),
    ]
    assert set(CreditAudit.objects.values_list("created", flat=True)) == {NOW}


@pytest.mark.rule("credit.audit")
def test_requests_are_audited(eligible_ron, potions, hogwarts):
    api.create_credit_request(potions.course_key, "hogwarts", "ron")
    api.create_credit_request(potions.course_key, "hogwarts", "ron")
    uuid = CreditRequest.objects.get().uuid
    api.record_provider_decision(uuid, "hogwarts", "approved", timestamp=T - 5)
    api.record_provider_decision(uuid, "hogwarts", "approved", timestamp=T - 4)
    api.update_credit_request_status(uuid, "hogwarts", "rejected", source="staff", actor="42")

    assert audit() == [
        ("request", "learner", str(eligible_ron.pk), "ron", uuid, "", "pending", None),
        ("request", "provider", "hogwarts", "ron", uuid, "pending", "approved", T - 5),
        ("request", "staff", "42", "ron", uuid, "approved", "rejected", None),
    ]


def test_staff_may_ask_for_a_learner(eligible_ron, potions, hogwarts):
    api.create_credit_request(potions.course_key, "hogwarts", "ron", source="staff", actor="42")
    assert [(row[1], row[2]) for row in audit()] == [("staff", "42")]


@pytest.mark.rule("credit.audit.append-only")
class TestAppendOnly:
    @pytest.fixture
    def row(self, hogwarts):
        request = CreditRequestFactory(provider=hogwarts)
        api.update_credit_request_status(request.uuid, "hogwarts", "approved")
        return CreditAudit.objects.get()

    @pytest.mark.parametrize(
        "tamper",
        [
            pytest.param(lambda row: row.save(), id="save"),
            pytest.param(lambda row: row.save(update_fields=["new_status"]), id="save one field"),
            pytest.param(
                lambda row: CreditAudit(pk=row.pk, subject=row.subject, new_status="rejected").save(),
                id="save another over it",
            ),
            pytest.param(lambda row: row.delete(), id="delete"),
            pytest.param(lambda row: CreditAudit.objects.update(new_status="rejected"), id="update"),
            pytest.param(lambda row: CreditAudit.objects.filter(pk=row.pk).delete(), id="delete many"),
            pytest.param(lambda row: CreditAudit.objects.bulk_update([row], ["new_status"]), id="bulk update"),
        ],
    )
    def test_a_row_is_neither_changed_nor_deleted(self, row, tamper):
        row.new_status = "rejected"
        with pytest.raises((AuditIsAppendOnly, IntegrityError)), transaction.atomic():
            tamper(row)
        assert CreditAudit.objects.get().new_status == "approved"

    def test_its_text_tells_the_change(self, row):
        assert str(row) == f"{row.subject}: pending > approved"
        assert str(CreditAudit(subject="x", old_status="pending")) == "x: pending > -"


def test_the_longest_names_fit(potions):
    status = CreditRequirementStatusFactory(
        requirement__namespace="n" * 255,
        requirement__name="m" * 255,
        requirement__course__course_key=f"course-v1:{'o' * 239}+a+b",
    )
    requirement = status.requirement
    api.remove_credit_requirement_status("ron", requirement.course.course_key, requirement.namespace, requirement.name)
    [row] = audit()
    assert row[4] == f"{requirement.course.course_key} {'n' * 255} {'m' * 255}"
