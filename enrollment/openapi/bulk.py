"""Many enrollments in one call."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from enrollment.api.bulk import MOST_ITEMS
from enrollment.openapi.parts import AttributeSerializer, operation

ITEM = inline_serializer(
    "BulkEnrollmentItem",
    {
        "username": serializers.CharField(required=False, allow_null=True, allow_blank=True),
        "email": serializers.CharField(
            required=False, allow_null=True, allow_blank=True, help_text="The learner's address, without `username`."
        ),
        "course_id": serializers.CharField(),
        "mode": serializers.CharField(required=False, allow_null=True, allow_blank=True),
        "is_active": serializers.BooleanField(required=False, allow_null=True),
        "enrollment_attributes": AttributeSerializer(many=True, required=False, allow_null=True),
    },
)
REQUEST = inline_serializer(
    "BulkEnrollmentRequest",
    {
        "items": serializers.ListField(child=ITEM, max_length=MOST_ITEMS),
        "force_enrollment": serializers.BooleanField(required=False, allow_null=True),
        "invite_unknown": serializers.BooleanField(
            required=False, allow_null=True, help_text="Invite addresses that no account has."
        ),
        "dry_run": serializers.BooleanField(
            required=False, allow_null=True, help_text="Say what would happen, and change nothing."
        ),
    },
)


class StateSerializer(serializers.Serializer[Any]):
    """An enrollment as it was, or as it is."""

    mode = serializers.CharField()
    is_active = serializers.BooleanField()

    class Meta:
        ref_name = "BulkEnrollmentState"


class ItemErrorSerializer(serializers.Serializer[Any]):
    """Why an item was refused."""

    error_code = serializers.CharField()
    message = serializers.CharField()

    class Meta:
        ref_name = "BulkEnrollmentError"


class OutcomeSerializer(serializers.Serializer[Any]):
    """What became of an item."""

    before = StateSerializer(allow_null=True)
    after = StateSerializer(allow_null=True)
    invited = serializers.BooleanField()
    error = ItemErrorSerializer(allow_null=True)

    class Meta:
        ref_name = "BulkEnrollmentOutcome"


ANSWER = inline_serializer(
    "BulkEnrollmentAnswer",
    {
        "dry_run": serializers.BooleanField(),
        "succeeded": serializers.IntegerField(),
        "failed": serializers.IntegerField(),
        "results": OutcomeSerializer(many=True),
    },
)

OPERATIONS: dict[str, dict[str, Any]] = {
    "v1.bulk.BulkEnrollmentView": {
        "post": operation("Enroll many learners", {200: ANSWER}, (400, 401, 403, 415), request=REQUEST)
    }
}
