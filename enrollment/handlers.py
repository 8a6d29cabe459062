"""What this app does when something else happens."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete, post_save, pre_save

from enrollment.api.courses import forget_course_details
from enrollment.conf import conf
from enrollment.invitations import enroll_pending
from enrollment.models import Course, CourseMode
from enrollment.modes import forget_modes

WATCHED = frozenset({"email", "is_active"})
"""The fields of an account that decide about invitations."""


def connect() -> None:
    """Listen to accounts, courses and modes; a second call changes nothing."""
    user_model = get_user_model()
    pre_save.connect(notice_account_change, sender=user_model, dispatch_uid="enrollment.notice_account_change")
    post_save.connect(enroll_invited_account, sender=user_model, dispatch_uid="enrollment.enroll_invited_account")
    for signal in (post_save, post_delete):
        signal.connect(forget_course, sender=Course, dispatch_uid="enrollment.forget_course")
        signal.connect(forget_mode, sender=CourseMode, dispatch_uid="enrollment.forget_mode")


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
