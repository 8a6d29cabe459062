"""Who changed what, for ever."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from credit.choices import AuditKind, AuditSource
from credit.exceptions import AuditIsAppendOnly
from credit.querysets import CreditAuditQuerySet

if TYPE_CHECKING:  # they record their changes here
    from credit.models.eligibility import CreditEligibility
    from credit.models.requests import CreditRequest
    from credit.models.requirements import CreditRequirement, CreditRequirementStatus


class CreditAudit(models.Model):
    """Who changed the status of a request or of a requirement, or an eligibility by hand. Append-only; personal data.

    Real changes only: a repeated status leaves no row. It holds no names, addresses or grades. `subject` is a
    request's uuid, or a requirement's course, namespace and name, or an eligibility's course; `actor` a user's or
    provider's id as text. The status of an eligibility is its deadline, in ISO format. `reason` is what staff wrote.
    """

    kind = models.CharField(max_length=32, choices=AuditKind.choices)
    source = models.CharField(max_length=32, choices=AuditSource.choices, default=AuditSource.API)
    actor = models.CharField(max_length=255, default="", blank=True, db_index=True)
    username = models.CharField(max_length=255, db_index=True)
    subject = models.CharField(max_length=767)
    old_status = models.CharField(max_length=255, default="", blank=True, help_text=_("Empty: there was no row."))
    new_status = models.CharField(max_length=255, default="", blank=True, help_text=_("Empty: the row was deleted."))
    provider_timestamp = models.BigIntegerField(null=True, blank=True, help_text=_("Seconds since 1970."))
    reason = models.TextField(default="", blank=True, help_text=_("Why, in the words of the staff."))
    created = models.DateTimeField(default=timezone.now, editable=False)

    objects = CreditAuditQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.subject}: {self.old_status or '-'} > {self.new_status or '-'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AuditIsAppendOnly
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise AuditIsAppendOnly

    @classmethod
    def record_requirement(
        cls,
        row: "CreditRequirementStatus",
        requirement: "CreditRequirement",
        *,
        old: str,
        new: str,
        source: str,
        actor: str,
    ) -> None:
        """Add a row for a learner's status of a requirement."""
        cls.objects.create(
            kind=AuditKind.REQUIREMENT,
            source=source,
            actor=actor,
            username=row.username,
            subject=f"{requirement.course.course_key} {requirement.namespace} {requirement.name}",
            old_status=old,
            new_status=new,
        )

    @classmethod
    def record_eligibility(
        cls, row: "CreditEligibility", kind: AuditKind, *, old: str, new: str, source: str, actor: str, reason: str = ""
    ) -> None:
        """Add a row for what was done by hand to an eligibility, or to the mail about it."""
        cls.objects.create(
            kind=kind,
            source=source,
            actor=actor,
            username=row.username,
            subject=str(row.course.course_key),
            old_status=old,
            new_status=new,
            reason=reason,
        )

    @classmethod
    def record_request(
        cls,
        request: "CreditRequest",
        *,
        old: str,
        source: str,
        actor: str,
        provider_timestamp: int | None = None,
        reason: str = "",
    ) -> None:
        """Add a row for the present status of a credit request."""
        cls.objects.create(
            kind=AuditKind.REQUEST,
            source=source,
            actor=actor,
            username=request.username,
            subject=request.uuid,
            old_status=old,
            new_status=request.status,
            provider_timestamp=provider_timestamp,
            reason=reason,
        )
