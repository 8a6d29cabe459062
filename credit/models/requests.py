"""What learners ask of providers, and what became of it."""

from datetime import datetime
from uuid import uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from credit.choices import RequestStatus
from credit.models.courses import CreditCourse
from credit.models.learners import LearnerRow
from credit.models.providers import CreditProvider
from credit.querysets import CreditRequestQuerySet
from credit.types import CourseKeyOrText, CreditRequestDict


def new_request_uuid() -> str:
    """Return the public name of a new request: 32 lower-case hex digits."""
    return uuid4().hex


class CreditRequest(LearnerRow, TimeStampedModel):
    """A learner's request to one provider for credit in one course. Personal data.

    `parameters` is what was sent at the last issue, without the signature. `last_callback_timestamp` is the greatest
    timestamp of all accepted callbacks: a different decision must be newer.
    """

    EMPTIED_ON_RETIREMENT = {"parameters": {}}

    REQUEST_STATUS_PENDING = RequestStatus.PENDING.value
    REQUEST_STATUS_APPROVED = RequestStatus.APPROVED.value
    REQUEST_STATUS_REJECTED = RequestStatus.REJECTED.value
    REQUEST_STATUS_CHOICES = RequestStatus.choices

    uuid = models.CharField(max_length=32, unique=True, db_index=True, default=new_request_uuid)
    course = models.ForeignKey(CreditCourse, on_delete=models.CASCADE, related_name="credit_requests")
    provider = models.ForeignKey(CreditProvider, on_delete=models.CASCADE, related_name="credit_requests")
    parameters = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    status = models.CharField(max_length=255, choices=RequestStatus.choices, default=RequestStatus.PENDING)
    last_callback_timestamp = models.BigIntegerField(null=True, editable=False, help_text=_("Seconds since 1970."))

    objects = CreditRequestQuerySet.as_manager()

    class Meta:
        get_latest_by = "created"
        constraints = [
            # Two clicks must not make two requests.
            models.UniqueConstraint(fields=["username", "course", "provider"], name="credit_one_request_per_provider"),
            models.CheckConstraint(condition=models.Q(status__in=RequestStatus.values), name="credit_request_status"),
        ]

    def __str__(self) -> str:
        return f"{self.course.course_key}, {self.provider.provider_id}, {self.status}"

    @classmethod
    def credit_requests_for_user(cls, username: str) -> list[CreditRequestDict]:
        """Return the learner's requests, oldest first; `timestamp` is that of the last issue, None after retirement."""
        rows = cls.objects.of_learner(username).select_related("course", "provider").order_by("created", "pk")
        return [row.as_dict(timestamp=row.parameters.get("timestamp")) for row in rows]

    @classmethod
    def get_user_request_status(cls, username: str, course_key: CourseKeyOrText) -> "CreditRequest | None":
        """Return the learner's latest request in the course, whatever its provider, or None."""
        rows = cls.objects.of_learner(username).filter(course__course_key=course_key)
        request: CreditRequest | None = rows.select_related("course", "provider").order_by("-created", "-pk").first()
        return request

    def as_dict(self, *, timestamp: int | datetime | None) -> CreditRequestDict:
        """Return the request as the api shows it."""
        return {
            "uuid": self.uuid,
            "timestamp": timestamp,
            "course_key": self.course.course_key,
            "provider": {"id": self.provider.provider_id, "display_name": self.provider.display_name},
            "status": self.status,
        }
