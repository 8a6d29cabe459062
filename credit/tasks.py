"""Celery's entry points: they hold how to retry, and one call each."""

from celery import shared_task
from django.utils import timezone

from coursecredit.broker import DiscreetTask
from credit import api
from credit.conf import conf
from credit.email_utils import MailDelayed, send_credit_notifications, send_due_notifications

MAILS_PER_SWEEP = 500
LONGEST_BACKOFF = 3600  # seconds


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
