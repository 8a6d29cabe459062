"""Reading verbs of the tables, in words that a registrar would understand."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NoReturn, Self

from django.db import connections, models
from django.db.models import F, FilteredRelation, Q
from opaque_keys.edx.keys import CourseKey

from credit.choices import AuditSource, CallbackOutcome, RequestStatus
from credit.exceptions import AuditIsAppendOnly
from credit.types import CourseKeyOrText


class LockableQuerySet(models.QuerySet[Any]):
    """Rows that can be kept from others while a decision about them is made."""

    def locked(self) -> Self:
        """Lock these rows until the transaction ends.

        Where the database can tell, rows joined to them are not locked, and rows that refer to them can be added.
        """
        features = connections[self.db].features
        return self.select_for_update(
            of=("self",) if features.has_select_for_update_of else (),
            no_key=features.has_select_for_no_key_update,
        )


class CreditProviderQuerySet(models.QuerySet[Any]):
    """Providers."""

    def active(self) -> Self:
        return self.filter(active=True)

    def with_ids(self, provider_ids: Collection[str]) -> Self:
        return self.filter(provider_id__in=provider_ids)


class CreditCourseQuerySet(LockableQuerySet):
    """Courses with a credit row."""

    def enabled(self) -> Self:
        return self.filter(enabled=True)


class CreditRequirementQuerySet(models.QuerySet[Any]):
    """Requirements, of all courses."""

    def active(self) -> Self:
        return self.filter(active=True)

    def of_course(self, course_key: CourseKeyOrText) -> Self:
        return self.filter(course__course_key=course_key)

    def of_courses(self, course_keys: Collection[CourseKeyOrText]) -> Self:
        return self.filter(course__course_key__in=course_keys)


class LearnerRowQuerySet(LockableQuerySet):
    """Rows about learners."""

    def of_learner(self, username: str) -> Self:
        return self.filter(username=username)


class CreditRequirementStatusQuerySet(LearnerRowQuerySet):
    """Learners' states for requirements."""


class CreditEligibilityQuerySet(LearnerRowQuerySet):
    """Eligibilities, expired ones included."""

    def unexpired_at(self, moment: datetime) -> Self:
        """Keep those whose deadline is still to come, whether the course is enabled or not."""
        return self.filter(deadline__gt=moment)

    def valid_at(self, moment: datetime) -> Self:
        """Keep those that count: deadline still to come, course enabled."""
        return self.unexpired_at(moment).filter(course__enabled=True)

    def mail_due(self, moment: datetime) -> Self:
        """Keep those whose mail is owed at `moment` and that no worker has claimed."""
        unclaimed = Q(email_claimed_until=None) | Q(email_claimed_until__lte=moment)
        return self.filter(unclaimed, notified_at=None, email_due_at__lte=moment)


class CreditRequestQuerySet(LearnerRowQuerySet):
    """Credit requests."""

    def awaiting_provider(self) -> Self:
        return self.filter(status=RequestStatus.PENDING)


class CreditAuditQuerySet(models.QuerySet[Any]):
    """The audit: rows are added and read."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AuditIsAppendOnly

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AuditIsAppendOnly

    def delete(self) -> NoReturn:
        raise AuditIsAppendOnly

    def anonymise(self, username: str, retired_username: str) -> int:
        """Replace a retired learner's name, forget what staff wrote about them; return how many rows named them."""
        about = self.filter(username=username)
        by = self.filter(actor=username).exclude(source=AuditSource.PROVIDER)
        count = (about | by).count()
        models.QuerySet.update(about, username=retired_username, reason="")
        models.QuerySet.update(by, actor=retired_username)
        return count


class CallbackLogQuerySet(models.QuerySet[Any]):
    """The log of callbacks."""

    def accepted(self) -> Self:
        return self.filter(outcome=CallbackOutcome.ACCEPTED)

    def refused(self) -> Self:
        return self.filter(outcome=CallbackOutcome.REFUSED)

    def received_before(self, moment: datetime) -> Self:
        return self.filter(received__lt=moment)


class CourseExamQuerySet(models.QuerySet[Any]):
    """Exams of courses."""

    def of_course(self, course_key: CourseKey) -> Self:
        return self.filter(course_key=course_key)

    def proctored(self) -> Self:
        """Keep the exams that count for credit."""
        return self.filter(is_proctored=True, is_active=True, is_practice_exam=False)

    def with_completion(self, username: str) -> Self:
        """Add `completed_at`: when the learner completed the exam, None if they did not."""
        attempt = FilteredRelation("attempts", condition=Q(attempts__username=username))
        return self.annotate(attempt=attempt).annotate(completed_at=F("attempt__completed_at"))
