"""Constants of the credit app. The values of statuses go over the wire and into rows, so they never change."""

from django.db import models
from django.utils.translation import gettext_lazy as _

CREDIT_PROVIDER_ID_REGEX = r"[A-Za-z0-9-]+"
COURSE_KEY_REGEX = r"(?:[^/+]+(/|\+)[^/+]+(/|\+)[^/?]+)"

GRADE_NAMESPACE = "grade"
GRADE_NAME = "grade"
EXAM_NAMESPACE = "exam"
PROCTORED_EXAM_NAMESPACE = "proctored_exam"


class RequestStatus(models.TextChoices):
    """Where a credit request stands."""

    PENDING = "pending", _("Pending")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


REQUEST_STATUS_PENDING = RequestStatus.PENDING.value
REQUEST_STATUS_APPROVED = RequestStatus.APPROVED.value
REQUEST_STATUS_REJECTED = RequestStatus.REJECTED.value
REQUEST_STATUS_CHOICES = RequestStatus.choices

DECISIONS: frozenset[str] = frozenset({REQUEST_STATUS_APPROVED, REQUEST_STATUS_REJECTED})


class RequirementStatus(models.TextChoices):
    """Where a learner stands with one requirement; no row means not attempted."""

    SATISFIED = "satisfied", "satisfied"
    FAILED = "failed", "failed"
    DECLINED = "declined", "declined"
    SUBMITTED = "submitted", "submitted"


class CallbackOutcome(models.TextChoices):
    """What became of a provider's callback."""

    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")


class AuditKind(models.TextChoices):
    """What an audit row is about."""

    REQUEST = "request", _("Credit request")
    REQUIREMENT = "requirement", _("Requirement status")
    ELIGIBILITY = "eligibility", _("Eligibility")
    MAIL = "mail", _("Eligibility mail")


class AuditSource(models.TextChoices):
    """By which way a change came in."""

    LEARNER = "learner", _("Learner")
    PROVIDER = "provider", _("Provider's callback")
    STAFF = "staff", _("Staff")
    EVENT = "event", _("Event")
    API = "api", _("Trusted caller")
