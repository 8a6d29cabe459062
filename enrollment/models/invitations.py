"""Invitations by e-mail address, and the record of enrollments that staff made by hand."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import UniqueConstraint
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coursecredit.fields import DerivedCharField
from coursecredit.history import ChangeHistory, RemembersStored
from enrollment.choices import StateTransition
from enrollment.querysets import CourseEnrollmentAllowedQuerySet, ManualEnrollmentAuditQuerySet
from enrollment.types import Account


def _lowered_email(row: Any) -> str:
    return str(row.email).lower()


class CourseEnrollmentAllowed(models.Model):
    """An invitation of an e-mail address to a course; either may not be known yet. Personal data.

    `user` is the first who enrolled through it: set once, then nobody else may use it.
    """

    email = models.CharField(max_length=255, db_index=True)
    email_lower = DerivedCharField(max_length=255, derive=_lowered_email)
    course_id = models.CharField(max_length=255, db_index=True)
    auto_enroll = models.BooleanField(default=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="enrollments_allowed",
    )
    created = models.DateTimeField(null=True, blank=True, default=timezone.now, editable=False, db_index=True)

    objects = CourseEnrollmentAllowedQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            UniqueConstraint(fields=["email_lower", "course_id"], name="enrollment_one_invitation_per_address"),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk} to {self.course_id}"

    def valid_for_user(self, user: Account) -> bool:
        """Return whether nobody else has used it."""
        return self.user_id is None or self.user_id == user.pk


class ManualEnrollmentAudit(RemembersStored):
    """One enrollment, invitation or removal that a member of staff made by hand. Personal data."""

    enrollment = models.ForeignKey(
        "enrollment.CourseEnrollment", null=True, on_delete=models.CASCADE, related_name="manual_audits"
    )
    enrolled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    enrolled_email = models.CharField(max_length=255, db_index=True)
    time_stamp = models.DateTimeField(null=True, default=timezone.now, editable=False)
    state_transition = models.CharField(max_length=255, choices=StateTransition.choices)
    reason = models.TextField(null=True)  # noqa: DJ001  # nothing said, and blanked on retirement
    role = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001  # as above

    objects = ManualEnrollmentAuditQuerySet.as_manager()
    history = ChangeHistory()

    def __str__(self) -> str:
        return f"audit {self.pk}: {self.state_transition}"
