"""What this app does when something else happens.

Receivers of other services' facts call the api at once, inside the consumer's transaction, and let its exceptions
out: they make the consumer try the event again. What is about nobody known is ignored.
"""

import logging
from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete, post_save, pre_save

from coursecredit import broker
from enrollment.api import record_course_certificate, record_course_grade
from enrollment.api.courses import forget_course_details
from enrollment.conf import conf
from enrollment.invitations import enroll_pending
from enrollment.models import Course, CourseMode
from enrollment.modes import forget_modes
from enrollment.signals import BULK_JOB_STARTED
from enrollment.tasks import run_bulk_jobs
from events.data import EventsMetadata
from events.learning.data import CertificateData, PersistentCourseGradeData, UserData
from events.learning.signals import (
    CERTIFICATE_CHANGED,
    CERTIFICATE_CREATED,
    CERTIFICATE_REVOKED,
    PERSISTENT_GRADE_SUMMARY_CHANGED,
    STUDENT_REGISTRATION_COMPLETED,
)

log = logging.getLogger(__name__)

WATCHED = frozenset({"email", "is_active"})
"""The fields of an account that decide about invitations."""


def connect() -> None:
    """Listen to accounts, courses, modes and other services' facts; a second call changes nothing."""
    user_model = get_user_model()
    pre_save.connect(notice_account_change, sender=user_model, dispatch_uid="enrollment.notice_account_change")
    post_save.connect(enroll_invited_account, sender=user_model, dispatch_uid="enrollment.enroll_invited_account")
    for signal in (post_save, post_delete):
        signal.connect(forget_course, sender=Course, dispatch_uid="enrollment.forget_course")
        signal.connect(forget_mode, sender=CourseMode, dispatch_uid="enrollment.forget_mode")
    PERSISTENT_GRADE_SUMMARY_CHANGED.connect(store_grade, dispatch_uid="enrollment.store_grade")
    for event in (CERTIFICATE_CREATED, CERTIFICATE_CHANGED, CERTIFICATE_REVOKED):
        event.connect(store_certificate, dispatch_uid="enrollment.store_certificate")
    STUDENT_REGISTRATION_COMPLETED.connect(enroll_registered_account, dispatch_uid="enrollment.enroll_registered")
    BULK_JOB_STARTED.connect(ask_for_worker, dispatch_uid="enrollment.ask_for_worker")


def forget_course(instance: Course, using: str, **kwargs: Any) -> None:
    """Drop what is cached about a course that was saved or deleted."""
    forget_course_details(instance.id, using=using)


def forget_mode(instance: CourseMode, using: str, **kwargs: Any) -> None:
    """Drop what is cached and remembered about the course of a mode that was saved or deleted."""
    forget_modes(using=using)
    forget_course_details(instance.course_id, using=using)


def notice_account_change(
    instance: Any, using: str, raw: bool = False, update_fields: Collection[str] | None = None, **kwargs: Any
) -> None:
    """Before an account is saved, find out whether that changes what decides about invitations.

    A log-in saves `last_login` alone, and costs no statement here.
    """
    instance._may_be_invited = False
    if raw or not conf.AUTO_ENROLL_PENDING or (update_fields is not None and WATCHED.isdisjoint(update_fields)):
        return
    accounts = type(instance)._base_manager.using(using)
    stored = accounts.filter(pk=instance.pk).values(*WATCHED).first() if instance.pk else None
    instance._may_be_invited = stored != {field: getattr(instance, field) for field in WATCHED}


def enroll_invited_account(instance: Any, **kwargs: Any) -> None:
    """Enroll a new or changed account where it is invited."""
    if instance.__dict__.pop("_may_be_invited", False):
        enroll_pending(instance)


def store_grade(grade: PersistentCourseGradeData, metadata: EventsMetadata, **kwargs: Any) -> None:
    """Keep the grade that a grading service told, as of the event's time."""
    record_course_grade(
        grade.user_id,
        grade.course.course_key,
        reported_at=metadata.time,
        percent_grade=grade.percent_grade,
        letter_grade=grade.letter_grade,
        passed_timestamp=grade.passed_timestamp,
        course_version=grade.course_version,
        grading_policy_hash=grade.grading_policy_hash,
    )


def store_certificate(certificate: CertificateData, metadata: EventsMetadata, **kwargs: Any) -> None:
    """Keep the certificate that a certificates service told of, revoked ones too, as of the event's time."""
    record_course_certificate(
        certificate.user.id,
        certificate.course.course_key,
        reported_at=metadata.time,
        status=certificate.current_status,
        mode=certificate.mode,
        grade=certificate.grade,
        download_url=certificate.download_url,
    )


def enroll_registered_account(user: UserData, **kwargs: Any) -> None:
    """Enroll an account that has just been registered elsewhere where it is invited."""
    if not conf.AUTO_ENROLL_PENDING:
        return
    account = get_user_model()._default_manager.filter(pk=user.id).first()
    if account is None:
        log.warning("User %s was registered but has no account here.", user.id)
        return
    enroll_pending(account)


def ask_for_worker(**kwargs: Any) -> None:
    """Have a worker look for jobs at once. What is lost on the way, the sweep finds."""
    broker.enqueue(run_bulk_jobs)
