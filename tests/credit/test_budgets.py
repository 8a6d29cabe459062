"""How many statements the rules cost, savepoints, audit and outbox not counted (credit contract 0.6, 7.7).

Pinned exactly on PostgreSQL. The contract allows: first issue of a request 10, a decision 3, a list of requests 1, the
first requirement 11, the last with eligibility 20, the same again 15.
"""

import pytest

from credit import api
from credit.models import CreditConfig, CreditRequest
from tests.credit.factories import (
    CourseExamFactory,
    CreditConfigFactory,
    CreditRequestFactory,
    ExamAttemptFactory,
    enroll,
)
from tests.enrollment.factories import UserFactory
from tests.support import statements

pytestmark = [
    pytest.mark.database("postgresql"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("credit.budgets"),
]

NOT_COUNTED = ("credit_creditaudit", "events_outboxevent")


def test_first_issue_of_a_request(eligible_ron, potions, hogwarts):
    for _ in range(2):
        ExamAttemptFactory(exam=CourseExamFactory(course_key=potions.course_key))
    with statements(without=NOT_COUNTED) as run:
        api.create_credit_request(potions.course_key, "hogwarts", "ron")
    assert len(run) == 9, str(run)


def test_reissue_of_a_request(eligible_ron, potions, hogwarts):
    api.create_credit_request(potions.course_key, "hogwarts", "ron")
    with statements(without=NOT_COUNTED) as run:
        api.create_credit_request(potions.course_key, "hogwarts", "ron")
    assert len(run) == 9, str(run)


@pytest.mark.parametrize("by_callback", [True, False])
def test_a_decision(ron, potions, hogwarts, by_callback):
    request = CreditRequestFactory(course=potions, provider=hogwarts)
    with statements(without=NOT_COUNTED) as run:
        if by_callback:
            api.record_provider_decision(request.uuid, "hogwarts", "approved", timestamp=1)
        else:
            api.update_credit_request_status(request.uuid, "hogwarts", "approved")
    assert len(run) == 3, str(run)


def test_a_repeated_decision(ron, potions, hogwarts):
    request = CreditRequestFactory(course=potions, provider=hogwarts)
    api.record_provider_decision(request.uuid, "hogwarts", "approved", timestamp=1)
    with statements(without=NOT_COUNTED) as run:
        api.record_provider_decision(request.uuid, "hogwarts", "approved", timestamp=1)
    assert len(run) == 1, str(run)


@pytest.mark.parametrize("count", [1, 4])
def test_a_list_of_requests(count):
    for _ in range(count):
        CreditRequestFactory()
    with statements(without=NOT_COUNTED) as run:
        assert len(api.get_credit_requests_for_user("ron")) == count
    assert len(run) == 1, str(run)


def test_requirements_one_by_one(ron, potions, grade, exam):
    with statements(without=NOT_COUNTED) as first:
        api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade")
    with statements(without=NOT_COUNTED) as last:
        api.set_credit_requirement_status(ron, potions.course_key, "proctored_exam", "final")
    assert len(first) == 9, first
    assert len(last) == 15, last
    assert api.is_user_eligible_for_credit("ron", potions.course_key)


def test_the_last_requirement_again_with_warm_caches(ron, potions, grade, exam):
    CreditConfigFactory()
    hermione = UserFactory(username="hermione")
    enroll(hermione, potions)
    for learner in (ron, hermione):
        api.set_credit_requirement_status(learner, potions.course_key, "grade", "grade")
    api.set_credit_requirement_status(ron, potions.course_key, "proctored_exam", "final")
    with statements(without=NOT_COUNTED) as run:
        api.set_credit_requirement_status(hermione, potions.course_key, "proctored_exam", "final")
    assert len(run) == 14, str(run)
    assert CreditConfig.objects.count() == 1
    assert not CreditRequest.objects.exists()
