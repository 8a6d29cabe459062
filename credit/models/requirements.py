"""What learners must do for credit, and where they stand."""

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.models import QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from coursecredit.request_cache import forget, request_cache
from credit.choices import AuditSource, RequirementStatus
from credit.models.audit import CreditAudit
from credit.models.courses import CreditCourse
from credit.models.learners import LearnerRow
from credit.querysets import CreditRequirementQuerySet, CreditRequirementStatusQuerySet
from credit.types import CourseKeyOrText, RequirementInput, StatusChange

log = logging.getLogger(__name__)


class CreditRequirement(TimeStampedModel):
    """One condition that learners must meet in a credit course.

    A requirement that leaves the course becomes inactive and is never deleted: if it returns, what learners had
    reached counts again.
    """

    CACHE_NAMESPACE = "credit.CreditRequirement.cache."

    course = models.ForeignKey(CreditCourse, on_delete=models.CASCADE, related_name="credit_requirements")
    namespace = models.CharField(max_length=255, help_text=_("Kind of requirement."))
    name = models.CharField(max_length=255, help_text=_("Unique within its kind: a word, or a block's location."))
    display_name = models.CharField(max_length=255, default="", blank=True)
    criteria = models.JSONField(default=dict, null=True, blank=True, encoder=DjangoJSONEncoder)
    active = models.BooleanField(default=True)
    sort_value = models.PositiveIntegerField(default=0)

    objects = CreditRequirementQuerySet.as_manager()

    class Meta:
        ordering = ["sort_value"]
        constraints = [
            models.UniqueConstraint(
                fields=["namespace", "name", "course"], name="credit_one_requirement_per_name_and_course"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course.course_key} - {self.display_name}"

    @classmethod
    def add_or_update_course_requirement(
        cls, credit_course: CreditCourse, requirement: RequirementInput, sort_value: int
    ) -> "tuple[CreditRequirement, bool]":
        """Write one requirement of a course, re-activating it if it had left; return it and whether it is new.

        A second time with the same data writes nothing.
        """
        row: CreditRequirement
        row, created = cls.objects.get_or_create(
            course=credit_course,
            namespace=requirement["namespace"],
            name=requirement["name"],
            defaults=cls._columns(requirement, sort_value),
        )
        if not created:
            row.take(requirement, sort_value)
        return row, created

    @classmethod
    def add_course_requirements(
        cls, credit_course: CreditCourse, requirements: Sequence[tuple[RequirementInput, int]]
    ) -> None:
        """Add requirements that a course has never had, each with its position, in one statement."""
        rows = [
            cls(
                course=credit_course,
                namespace=requirement["namespace"],
                name=requirement["name"],
                **cls._columns(requirement, sort_value),
            )
            for requirement, sort_value in requirements
        ]
        if rows:
            cls.objects.bulk_create(rows)
            _forget_requirements()

    def take(self, requirement: RequirementInput, sort_value: int) -> None:
        """Be as the course asks for now, active; what is so already writes nothing."""
        wanted = self._columns(requirement, sort_value)
        if any(getattr(self, field) != value for field, value in wanted.items()):
            for field, value in wanted.items():
                setattr(self, field, value)
            self.save()

    @staticmethod
    def _columns(requirement: RequirementInput, sort_value: int) -> dict[str, Any]:
        return {
            "criteria": requirement["criteria"],
            "display_name": str(requirement["display_name"]),
            "sort_value": sort_value,
            "active": True,
        }

    @classmethod
    def get_course_requirements(
        cls, course_key: CourseKeyOrText, namespace: str | None = None, name: str | None = None
    ) -> "QuerySet[CreditRequirement]":
        """Return the active requirements by position; equal arguments cost one query per request or task.

        Within one request or task all callers get the same rows, which are for reading.
        """
        remembered = None if _requirements_changed_here() else request_cache(cls.CACHE_NAMESPACE)
        arguments = (str(course_key), namespace, name)
        if remembered is not None and arguments in remembered:
            known: QuerySet[CreditRequirement] = remembered[arguments]
            return known

        requirements = cls.objects.active().of_course(course_key).order_by("sort_value", "pk")
        if namespace is not None:
            requirements = requirements.filter(namespace=namespace)
        if name is not None:
            requirements = requirements.filter(name=name)
        if remembered is not None:
            remembered[arguments] = requirements
        return requirements

    @classmethod
    def get_course_requirement(
        cls, course_key: CourseKeyOrText, namespace: str, name: str
    ) -> "CreditRequirement | None":
        """Return the active requirement with its course, or None."""
        rows = cls.objects.active().of_course(course_key).select_related("course")
        requirement: CreditRequirement | None = rows.filter(namespace=namespace, name=name).first()
        return requirement

    @classmethod
    def disable_credit_requirements(cls, requirement_ids: Iterable[int]) -> None:
        """Take requirements out of their courses."""
        cls.objects.filter(id__in=requirement_ids).update(active=False)
        _forget_requirements()


class CreditRequirementStatus(LearnerRow, TimeStampedModel):
    """Where a learner stands with one requirement; no row means not attempted. Personal data.

    `reason` tells why, as JSON; the final grade of a credit request is read from it.
    """

    EMPTIED_ON_RETIREMENT = {"reason": {}}

    REQUIREMENT_STATUS_CHOICES = RequirementStatus.choices

    requirement = models.ForeignKey(CreditRequirement, on_delete=models.CASCADE, related_name="statuses")
    status = models.CharField(max_length=32, choices=RequirementStatus.choices)
    reason = models.JSONField(default=dict, null=True, blank=True, encoder=DjangoJSONEncoder)

    objects = CreditRequirementStatusQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("Credit requirement statuses")
        constraints = [
            models.UniqueConstraint(fields=["username", "requirement"], name="credit_one_status_per_requirement"),
        ]

    def __str__(self) -> str:
        return f"{self.requirement_id}, {self.status}"

    @classmethod
    def get_statuses(
        cls, requirements: "Collection[CreditRequirement] | QuerySet[CreditRequirement]", username: str
    ) -> "QuerySet[CreditRequirementStatus]":
        """Return the learner's rows for these requirements, in one query."""
        return cls.objects.of_learner(username).filter(requirement__in=requirements)

    @classmethod
    def add_or_update_requirement_status(
        cls,
        username: str,
        requirement: CreditRequirement,
        status: str = RequirementStatus.SATISFIED.value,
        reason: Any = None,
    ) -> None:
        """Record a status and announce nothing; see `record`."""
        cls.record(username, requirement, status=status, reason=reason)

    @classmethod
    @transaction.atomic
    def record(
        cls,
        username: str,
        requirement: CreditRequirement,
        *,
        status: str,
        reason: Any,
        source: str = AuditSource.API,
        actor: str = "",
    ) -> StatusChange | None:
        """Record a learner's status for a requirement, with its reason.

        What is satisfied stays satisfied: then nothing but a new reason is taken.

        Returns:
            The change, which is audited, or None if the status is what it was.
        """
        row: CreditRequirementStatus
        row, created = cls.objects.locked().get_or_create(
            username=username, requirement=requirement, defaults={"status": status, "reason": reason}
        )
        old = "" if created else row.status
        if not created:
            if old == RequirementStatus.SATISFIED and status != RequirementStatus.SATISFIED:
                log.info("Requirement status %s is satisfied and stays so; %r is ignored.", row.pk, status)
                return None
            row.status, row.reason = status, reason
            row.save()
        if old == status:
            return None

        CreditAudit.record_requirement(row, requirement, old=old, new=status, source=source, actor=actor)
        return StatusChange(old=old, new=status, modified=row.modified)

    @classmethod
    def remove_requirement_status(cls, username: str, requirement: CreditRequirement) -> None:
        """Delete a learner's status for a requirement and announce nothing; see `remove`."""
        cls.remove(username, requirement)

    @classmethod
    @transaction.atomic
    def remove(
        cls, username: str, requirement: CreditRequirement, *, source: str = AuditSource.API, actor: str = ""
    ) -> "CreditRequirementStatus | None":
        """Delete a learner's status for a requirement; return the row as it was, or None if there was none."""
        row: CreditRequirementStatus | None = (
            cls.objects.locked().of_learner(username).filter(requirement=requirement).first()
        )
        if row is None:
            log.info("There is no status to remove for requirement %s.", requirement.pk)
            return None

        cls.objects.filter(pk=row.pk).delete()
        CreditAudit.record_requirement(row, requirement, old=row.status, new="", source=source, actor=actor)
        return row


@receiver([post_save, post_delete], sender=CreditRequirement)
def _requirement_changed(using: str, **kwargs: Any) -> None:
    _forget_requirements(using)


def _forget_requirements(using: str = DEFAULT_DB_ALIAS) -> None:
    """Empty the request's memory of requirements; it stays unused until the current transaction ends."""
    _drop_requirements()
    transaction.on_commit(_drop_requirements, using=using)


def _drop_requirements() -> None:
    forget(CreditRequirement.CACHE_NAMESPACE)


def _requirements_changed_here() -> bool:
    # After a rollback to a savepoint Django drops its callbacks, and the unused memory is true again.
    return any(callback is _drop_requirements for _, callback, *_ in transaction.get_connection().run_on_commit)
