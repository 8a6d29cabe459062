"""Who has done everything, and until when that counts."""

from collections.abc import Iterable
from datetime import datetime

from django.db import models, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from credit.choices import RequirementStatus
from credit.conf import conf
from credit.models.courses import CreditCourse
from credit.models.learners import LearnerRow
from credit.models.requirements import CreditRequirement, CreditRequirementStatus
from credit.querysets import CreditEligibilityQuerySet
from credit.types import CourseKeyOrText


def default_deadline_for_credit_eligibility() -> datetime:
    """Return until when an eligibility that begins now is valid."""
    return timezone.now() + conf.CREDIT_ELIGIBILITY_EXPIRATION_DAYS


class CreditEligibility(LearnerRow, TimeStampedModel):
    """A learner has met every requirement of a course once. Personal data.

    Never removed by a rule and never renewed: staff may move the deadline or delete the row. `email_due_at` is set
    only when a learner earns the row, so those that staff add (`added_by_staff`) send no mail.
    """

    EMPTIED_ON_RETIREMENT = {"email_due_at": None}

    course = models.ForeignKey(CreditCourse, on_delete=models.CASCADE, related_name="eligibilities")
    deadline = models.DateTimeField(
        default=default_deadline_for_credit_eligibility, help_text=_("Last moment to buy or request credit.")
    )
    added_by_staff = models.BooleanField(
        default=False, editable=False, help_text=_("Given by staff instead of earned; no mail is sent.")
    )
    email_due_at = models.DateTimeField(null=True, editable=False, help_text=_("Since when a mail is owed."))
    email_claimed_until = models.DateTimeField(
        null=True, editable=False, help_text=_("Until when the worker that took the mail may send it.")
    )
    notified_at = models.DateTimeField(null=True, editable=False, help_text=_("When the mail was sent."))

    objects = CreditEligibilityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("Credit eligibilities")
        constraints = [
            models.UniqueConstraint(fields=["username", "course"], name="credit_one_eligibility_per_course"),
        ]
        indexes = [models.Index(fields=["notified_at", "email_due_at"], name="credit_mail_due")]

    def __str__(self) -> str:
        return f"{self.username}, {self.course.course_key}"

    @classmethod
    def get_user_eligibilities(cls, username: str) -> "QuerySet[CreditEligibility]":
        """Return the learner's valid eligibilities with their courses, by course."""
        rows = cls.objects.of_learner(username).valid_at(timezone.now())
        return rows.select_related("course").order_by("course__course_key")

    @classmethod
    def is_user_eligible_for_credit(cls, course_key: CourseKeyOrText, username: str) -> bool:
        """Return whether the learner has a valid eligibility in the course."""
        valid = cls.objects.of_learner(username).valid_at(timezone.now())
        return valid.filter(course__course_key=course_key).exists()

    @classmethod
    def update_eligibility(
        cls,
        requirements: "Iterable[CreditRequirement]",
        username: str,
        course_key: CourseKeyOrText,
    ) -> tuple[bool, bool]:
        """Make the learner eligible if all requirements are satisfied; see `earn`.

        Returns:
            Whether all are satisfied, and whether an eligibility was created.
        """
        is_eligible, earned = cls.earn(requirements, username, course_key)
        return is_eligible, earned is not None

    @classmethod
    @transaction.atomic
    def earn(
        cls, requirements: "Iterable[CreditRequirement]", username: str, course_key: CourseKeyOrText
    ) -> "tuple[bool, CreditEligibility | None]":
        """Make the learner eligible if every one of the requirements, of which there must be one, is satisfied.

        A new eligibility owes the learner a mail. One that exists, even if expired, stays as it is.

        Returns:
            Whether all requirements are satisfied, and the eligibility if it is new.
        """
        wanted = {requirement.pk for requirement in requirements}
        statuses = CreditRequirementStatus.objects.of_learner(username).filter(requirement__in=wanted)
        satisfied = statuses.filter(status=RequirementStatus.SATISFIED).values_list("requirement", flat=True)
        if not wanted or wanted != set(satisfied):
            return False, None

        row: CreditEligibility
        row, created = cls.objects.get_or_create(
            username=username,
            course=CreditCourse.objects.get(course_key=course_key),
            defaults={"email_due_at": timezone.now()},
        )
        return True, row if created else None
