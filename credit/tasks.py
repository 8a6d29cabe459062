"""Celery's entry points: they hold how to retry, and one call each."""

import logging
from datetime import timedelta

from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from coursecredit.broker import DiscreetTask
from credit import api
from credit.api import operations
from credit.backends import get_credit_provider_ids_for_course
from credit.conf import conf
from credit.email_utils import MailDelayed, send_credit_notifications, send_due_notifications
from credit.exceptions import CourseNotFound, InvalidCreditRequirements

MAILS_PER_SWEEP = 500
LONGEST_BACKOFF = 3600  # seconds
OVERDUE = timedelta(minutes=30)
"""By then a publication's own task has used up its retries, or was lost."""

log = logging.getLogger(__name__)


@shared_task(
    base=DiscreetTask,
    ignore_result=True,
    acks_late=True,
    reject_on_worker_lost=True,
    autoretry_for=(MailDelayed,),
    max_retries=conf.CREDIT_TASK_MAX_RETRIES,
    retry_backoff=int(conf.CREDIT_TASK_DEFAULT_RETRY_DELAY.total_seconds()),
    retry_backoff_max=LONGEST_BACKOFF,
    retry_jitter=False,
)
def send_credit_eligibility_email(username: str, course_id: str) -> None:
    """Send the mail that a learner is owed for being eligible in a course; a second run finds nothing owed."""
    send_credit_notifications(username, course_id)


@shared_task(base=DiscreetTask, ignore_result=True)
def send_due_credit_emails() -> None:
    """Send what no other task has sent: its worker, the broker or the mail server was down."""
    send_due_notifications(MAILS_PER_SWEEP)


@shared_task(base=DiscreetTask, ignore_result=True)
def purge_callback_log() -> None:
    """Forget what became of old callbacks."""
    api.purge_callback_log(before=timezone.now() - conf.CREDIT_CALLBACK_LOG_DAYS)


@shared_task(
    base=DiscreetTask,
    ignore_result=True,
    acks_late=True,
    reject_on_worker_lost=True,
    # The database, whatever the host asks over a network, and a course that is not there yet.
    autoretry_for=(OperationalError, InterfaceError, OSError, CourseNotFound),
    max_retries=conf.CREDIT_TASK_MAX_RETRIES,
    retry_backoff=int(conf.CREDIT_TASK_DEFAULT_RETRY_DELAY.total_seconds()),
    retry_backoff_max=LONGEST_BACKOFF,
    retry_jitter=False,
)
def update_credit_course_requirements(course_id: str) -> None:
    """Make what a published course says its requirements; a second run changes nothing."""
    try:
        course_key = CourseKey.from_string(course_id)
    except InvalidKeyError:
        log.error("%r is no course key; no requirements were read.", course_id)
        return
    try:
        api.refresh_credit_requirements(course_key)
    except InvalidCreditRequirements as exc:
        log.error("The requirements of course %s are badly formed: %s.", course_id, exc)


@shared_task(base=DiscreetTask, ignore_result=True)
def update_due_credit_requirements() -> None:
    """Read the requirements of published courses that no other task has read."""
    api.refresh_due_requirements(due_before=timezone.now() - OVERDUE)


@shared_task(base=DiscreetTask, ignore_result=True)
def refresh_credit_providers() -> None:
    """Ask who gives credit for each course, so that an outside service's answer is known where it cannot be asked."""
    for course_key in operations.list_enabled_courses():
        get_credit_provider_ids_for_course(str(course_key))
