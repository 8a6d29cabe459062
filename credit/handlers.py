"""What this app does about events."""

import logging
from typing import Any

from django.dispatch import receiver

from coursecredit import broker
from credit import ports
from credit.tasks import send_credit_eligibility_email
from events.credit.data import CreditEligibilityData
from events.credit.signals import CREDIT_ELIGIBILITY_EARNED

log = logging.getLogger(__name__)


@receiver(CREDIT_ELIGIBILITY_EARNED, dispatch_uid="credit.handlers.mail_new_eligibility")
def mail_new_eligibility(eligibility: CreditEligibilityData, **kwargs: Any) -> None:
    """Ask a worker to send the mail that a new eligibility owes. What is lost on the way, the sweep finds."""
    learner = ports.learners().by_id(eligibility.user.id)
    if learner is None:
        log.warning("User %s became eligible for credit but has no account.", eligibility.user.id)
        return
    broker.enqueue_on_commit(send_credit_eligibility_email, learner.username, str(eligibility.course.course_key))
