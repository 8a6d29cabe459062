"""What this app does about events."""

import logging
from typing import Any

from django.dispatch import receiver
from opaque_keys.edx.keys import CourseKey

from coursecredit import broker
from credit import api, ports
from credit.tasks import send_credit_eligibility_email, update_credit_course_requirements
from events.credit.data import CreditEligibilityData
from events.credit.signals import CREDIT_ELIGIBILITY_EARNED

log = logging.getLogger(__name__)


def on_course_publish(course_key: CourseKey) -> None:
    """Have a published course's requirements read anew, if it earns credit.

    To be called by the host when a course has been published, and its exams are known (credit contract 9.1). A worker
    reads them after the commit; what is lost on the way, a sweep finds.
    """
    if api.note_publication(course_key):
        broker.enqueue_on_commit(update_credit_course_requirements, str(course_key))
        log.info("Course %s was published; its requirements for credit are read anew.", course_key)


@receiver(CREDIT_ELIGIBILITY_EARNED, dispatch_uid="credit.handlers.mail_new_eligibility")
def mail_new_eligibility(eligibility: CreditEligibilityData, **kwargs: Any) -> None:
    """Ask a worker to send the mail that a new eligibility owes. What is lost on the way, the sweep finds."""
    learner = ports.learners().by_id(eligibility.user.id)
    if learner is None:
        log.warning("User %s became eligible for credit but has no account.", eligibility.user.id)
        return
    broker.enqueue_on_commit(send_credit_eligibility_email, learner.username, str(eligibility.course.course_key))
