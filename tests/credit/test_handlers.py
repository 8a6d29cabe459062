"""What follows from events."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from coursecredit import broker
from credit import api
from events.credit.data import CreditEligibilityData
from events.credit.signals import CREDIT_ELIGIBILITY_EARNED
from events.learning.data import CourseData, UserNonPersonalData
from tests.enrollment.factories import UserFactory

EVERY_NEW_ELIGIBILITY = "credit.tasks.send_credit_eligibility_email"


def satisfy(user, requirement) -> None:
    api.set_credit_requirement_status(user, requirement.course.course_key, requirement.namespace, requirement.name)


@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("credit.mail.after-commit")
class TestMailOfANewEligibility:
    def test_is_asked_for_after_the_commit(self, ron, grade, queued):
        with transaction.atomic():
            satisfy(ron, grade)
            assert queued() == []
        [message] = queued()
        assert (message.task, message.args) == (EVERY_NEW_ELIGIBILITY, ["ron", str(grade.course.course_key)])

    def test_is_asked_for_with_the_last_requirement_and_once(self, ron, grade, exam, queued):
        satisfy(ron, grade)
        assert queued() == []
        satisfy(ron, exam)
        satisfy(ron, exam)
        assert len(queued()) == 1

    def test_is_not_asked_for_after_a_rollback(self, ron, grade, queued):
        with transaction.atomic():
            satisfy(ron, grade)
            transaction.set_rollback(True)
        assert queued() == []

    def test_is_asked_for_without_naming_the_learner_to_monitors(self, ron, grade, queued):
        satisfy(ron, grade)
        [message] = queued()
        assert "ron" not in str(message.headers)

    def test_does_not_need_a_broker(self, ron, grade, monkeypatch):
        monkeypatch.setattr(broker, "_take_connection", lambda task: 1 / 0)
        satisfy(ron, grade)
        broker.reset()


def earned(user_id: int) -> CreditEligibilityData:
    return CreditEligibilityData(
        user=UserNonPersonalData(id=user_id, is_active=True),
        course=CourseData(course_key="course-v1:A+B+C"),
        earned_date=datetime(2026, 1, 1, tzinfo=UTC),
        deadline=datetime(2027, 1, 1, tzinfo=UTC),
    )


@pytest.mark.django_db(transaction=True)
def test_an_account_that_is_gone_is_named_by_its_id(queued, caplog):
    CREDIT_ELIGIBILITY_EARNED.send_event(eligibility=earned(UserFactory.build(id=404).id))
    assert queued() == []
    assert "User 404 " in caplog.text
