"""A learner who leaves is nowhere named (credit contract 11, D28)."""

import attrs
import pytest
from django.apps import apps

from credit import api
from credit.models import (
    CreditAudit,
    CreditEligibility,
    CreditRequest,
    CreditRequirementStatus,
    ExamAttempt,
    LearnerRow,
)
from tests.credit.factories import CreditEligibilityFactory, CreditRequestFactory, ExamAttemptFactory

pytestmark = [pytest.mark.django_db, pytest.mark.rule("credit.retirement")]

NOTHING = {"requests": 0, "requirement_statuses": 0, "eligibilities": 0, "exam_attempts": 0, "audit": 0}


@attrs.frozen
class Retirement:
    original_username: str = "ron"
    retired_username: str = "retired__1"


@pytest.fixture
def traces(eligible_ron, potions, hogwarts):
    """A learner's rows in every table, and the same rows of another learner."""
    api.create_credit_request(potions.course_key, "hogwarts", "ron")
    CreditEligibility.objects.update(email_due_at="2026-01-01T00:00:00Z")
    ExamAttemptFactory(username="ron")
    rows = [model.objects.get() for model in (CreditRequest, CreditRequirementStatus, CreditEligibility, ExamAttempt)]
    for row in rows:
        type(row).objects.create(**others(row))


def others(row):
    fields = {field.name: getattr(row, field.name) for field in row._meta.fields if field.name not in ("id", "uuid")}
    return {**fields, "username": "hermione"} | ({"parameters": {"timestamp": 1}} if "parameters" in fields else {})


def test_the_name_is_replaced_and_the_rest_forgotten(traces):
    uuid = CreditRequest.objects.get(username="ron").uuid
    counts = api.retire_credit_user(Retirement())
    assert counts == dict.fromkeys(NOTHING, 1)

    request = CreditRequest.objects.get(username="retired__1")
    assert (request.uuid, request.status, request.parameters) == (uuid, "pending", {})
    assert request.provider.provider_id == "hogwarts"
    assert CreditRequirementStatus.objects.get(username="retired__1").reason == {}
    assert CreditEligibility.objects.get(username="retired__1").email_due_at is None
    assert ExamAttempt.objects.filter(username="retired__1").exists()
    assert CreditAudit.objects.get().username == "retired__1"


def test_no_column_of_any_table_names_the_learner(traces, ron):
    api.retire_credit_user(Retirement())
    for model in apps.get_app_config("credit").get_models():
        for row in model.objects.values():
            for name in ("ron", "ron@example.com", "Ronald"):
                assert not any(name == value or name in str(value).split("'") for value in row.values()), row


def test_every_table_about_a_learner_is_known(traces):
    by_username = {
        model
        for model in apps.get_app_config("credit").get_models()
        if any(field.name == "username" for field in model._meta.get_fields())
    }
    assert by_username == {*LearnerRow.__subclasses__(), CreditAudit}


def test_other_learners_rows_stay(traces):
    def rows():
        return [
            list(model.objects.filter(username="hermione").values())
            for model in (CreditRequest, CreditRequirementStatus, CreditEligibility, ExamAttempt)
        ]

    before = rows()
    api.retire_credit_user(Retirement())
    assert rows() == before


def test_a_second_time_finds_nothing(traces):
    api.retire_credit_user(Retirement())
    assert api.retire_credit_user(Retirement()) == NOTHING


def test_an_unknown_learner_is_no_error():
    assert api.retire_credit_user(Retirement("nobody", "retired__2")) == NOTHING


@pytest.mark.parametrize("model", [CreditRequest, CreditRequirementStatus, CreditEligibility, ExamAttempt])
def test_each_table_tells_whether_it_changed(traces, model):
    assert model.retire_user(Retirement()) is True
    assert model.retire_user(Retirement()) is False
    assert model.objects.filter(username="hermione").exists()


def test_it_is_all_or_nothing(traces, monkeypatch):
    def fail(*args):
        raise RuntimeError("the audit is unreachable")

    monkeypatch.setattr(ExamAttempt, "anonymise", fail)
    with pytest.raises(RuntimeError):
        api.retire_credit_user(Retirement())
    assert CreditRequest.objects.filter(username="ron").exists()


def test_a_late_decision_still_arrives(traces):
    uuid = CreditRequest.objects.get(username="ron").uuid
    api.retire_credit_user(Retirement())
    api.record_provider_decision(uuid, "hogwarts", "approved", timestamp=1)
    request = CreditRequest.objects.get(uuid=uuid)
    assert (request.status, request.username, request.parameters) == ("approved", "retired__1", {})


def test_the_audit_forgets_who_acted(hogwarts):
    request = CreditRequestFactory(provider=hogwarts, username="hermione")
    CreditEligibilityFactory()
    api.update_credit_request_status(
        request.uuid, "hogwarts", "approved", source="staff", actor="ron", reason="a letter"
    )
    assert api.retire_credit_user(Retirement())["audit"] == 1
    assert CreditAudit.objects.values("actor", "username", "reason").get() == {
        "actor": "retired__1",
        "username": "hermione",
        "reason": "a letter",
    }


def test_the_audit_forgets_what_staff_wrote(hogwarts):
    request = CreditRequestFactory(provider=hogwarts, username="ron")
    api.update_credit_request_status(request.uuid, "hogwarts", "approved", source="staff", reason="Ronald phoned")
    api.retire_credit_user(Retirement())
    assert CreditAudit.objects.get().reason == ""


def test_a_provider_that_is_called_like_a_learner_is_not_retired(hogwarts):
    request = CreditRequestFactory(provider=hogwarts, username="hermione")
    api.record_provider_decision(request.uuid, "hogwarts", "approved", timestamp=1)
    api.retire_credit_user(Retirement("hogwarts", "retired__3"))
    assert CreditAudit.objects.get().actor == "hogwarts"
