"""Form of what comes in and goes out over HTTP. Rules are checked by `credit.api`."""

import re
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeAlias

from django.utils import timezone
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError

from credit import api
from credit.choices import DECISIONS
from credit.conf import conf
from credit.exceptions import CreditCourseExists
from credit.signature import keys_by_position, signing_key, usable_keys
from credit.types import CreditCourseDict, SigningKey

MAX_KEY_LENGTH = 255
TIMESTAMP_TEXT = re.compile(r"[0-9]{1,15}")

# Serializers here take and return plain values, not model instances.
Form: TypeAlias = serializers.Serializer[Any]


def parse_course_key(value: object) -> CourseKey | None:
    """Return the course key whose text a client sent, or None if it is no text or no course key.

    A key that names a branch or a version is none: courses are stored without, and would not be found under it.
    """
    if not isinstance(value, str):
        return None
    try:
        key = CourseKey.from_string(value)
    except InvalidKeyError:
        return None
    names_part = any(getattr(key, part, None) is not None for part in ("branch", "version_guid"))
    return None if names_part or str(key) != value else key


class CourseKeyField(serializers.Field[CourseKey, Any, str, Any]):
    """Text of the key of a course; libraries have keys of the same family and are refused."""

    default_error_messages = {
        "invalid": "[{value}] is not a valid course key.",
        "too_long": f"A course key has at most {MAX_KEY_LENGTH} characters.",
        "no_course": "[{value}] is not the key of a course.",
    }

    def to_internal_value(self, data: Any) -> CourseKey:
        course_key = parse_course_key(data)
        if course_key is None:
            self.fail("invalid", value=data)
        if len(str(course_key)) > MAX_KEY_LENGTH:
            self.fail("too_long")
        if not course_key.is_course:
            self.fail("no_course", value=data)
        return course_key

    def to_representation(self, value: CourseKey) -> str:
        return str(value)


class TextField(serializers.CharField):
    """Text exactly as it was sent and not blank; a number or a truth value is no text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not data.strip():
            self.fail("blank")
        return data


class TimestampField(serializers.Field[int, Any, int, Any]):
    """Whole seconds since 1970: a JSON integer, or 1 to 15 decimal digits as text."""

    default_error_messages = {"invalid": "A whole number of seconds is required, as a number or as up to 15 digits."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and TIMESTAMP_TEXT.fullmatch(data):
            return int(data)
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data

    def to_representation(self, value: int) -> int:
        return value


class CreditCourseSerializer(Form):
    """A course in which credit can be earned while it is enabled."""

    course_key = CourseKeyField()
    enabled = serializers.BooleanField(required=False)

    def validate_course_key(self, course_key: CourseKey) -> CourseKey:
        addressed = self.context.get("course_key", course_key)  # the view puts the key of its address there
        if str(course_key) != str(addressed):
            raise ValidationError(f"The address names another course: [{addressed}].")
        return course_key

    def create(self, validated_data: dict[str, Any]) -> CreditCourseDict:
        """Create the row; that there is one already is an error of the field."""
        try:
            return api.create_credit_course(**validated_data)
        except CreditCourseExists as exc:
            raise ValidationError({"course_key": [str(exc)]}) from exc


class CreditProviderSerializer(Form):
    """A provider, as every caller sees it. The api's `ProviderDict` has this form already; the description needs it."""

    id = serializers.CharField()
    display_name = serializers.CharField()
    url = serializers.CharField()
    status_url = serializers.CharField()
    description = serializers.CharField()
    enable_integration = serializers.BooleanField()
    fulfillment_instructions = serializers.CharField(allow_null=True)
    thumbnail_url = serializers.CharField()


class CreditEligibilitySerializer(Form):
    """An eligibility of one learner in one course."""

    username = serializers.CharField()
    course_key = serializers.CharField()
    deadline = serializers.DateTimeField(format="iso-8601", default_timezone=UTC)


class CreditProviderCallbackSerializer(Form):
    """A provider's decision: exactly these fields, signed over all but the signature, and recent."""

    request_uuid = TextField()
    status = serializers.ChoiceField(choices=sorted(DECISIONS))
    timestamp = TimestampField()
    signature = TextField()

    @cached_property
    def signing_key(self) -> SigningKey | None:
        """Which key of the provider that the context names has signed the message; None if none has."""
        if not self._has_signature:
            return None
        keys = keys_by_position(self._provider_id)
        # All keys are signed, also those that `validate` refuses. Of a key that a form repeats, the last value counts.
        params = {key: self.initial_data[key] for key in self.initial_data}
        position = signing_key(params, self.initial_data["signature"], keys)
        return None if position is None else SigningKey(position=position, count=len(keys))

    def require_signature(self) -> SigningKey:
        """Return which key has signed the message; refuse one that none has signed, whatever else is wrong with it.

        Raises:
            ValidationError: there is no signature, or a blank one.
            PermissionDenied: the signature is wrong, or the provider has no usable key.
        """
        if self.signing_key is not None:
            return self.signing_key
        if not self._has_signature:
            self.is_valid(raise_exception=True)  # which it is not: the field is required
        if not usable_keys(self._provider_id):
            raise PermissionDenied(
                f"Provider [{self._provider_id}] has no usable shared secret here.",
                code="credit_provider_not_configured",
            )
        raise PermissionDenied("The signature does not match the message.", code="wrong_signature")

    @property
    def _provider_id(self) -> str:
        return str(self.context["provider_id"])

    @property
    def _has_signature(self) -> bool:
        signature = self.initial_data.get("signature")
        return isinstance(signature, str) and bool(signature.strip())

    def validate_timestamp(self, timestamp: int) -> int:
        limit = conf.CREDIT_PROVIDER_TIMESTAMP_EXPIRATION
        try:
            age = timezone.now() - datetime.fromtimestamp(timestamp, UTC)
        except (OverflowError, ValueError, OSError) as exc:  # years beyond 9999, and numbers beyond the clock's
            raise ValidationError(f"[{timestamp}] is no possible date.", code="impossible") from exc
        if abs(age) > limit:
            raise ValidationError(
                f"[{timestamp}] is more than {limit.total_seconds():.0f} seconds from now.", code="stale"
            )
        return timestamp

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        further = sorted(set(self.initial_data) - set(self.fields))
        if further:
            raise ValidationError({key: ["This key does not belong in a callback."] for key in further})
        return attrs
