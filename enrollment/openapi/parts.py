"""What descriptions are made of."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from enrollment.keys import MAX_LENGTH

Schema = dict[str, Any]

PROBLEM = inline_serializer(
    "EnrollmentProblem",
    {
        "message": serializers.CharField(help_text="For people; it may change."),
        "error_code": serializers.CharField(help_text="A stable word for programs."),
    },
)
REFUSALS = {
    400: OpenApiResponse(PROBLEM, "The request is not valid."),
    401: OpenApiResponse(PROBLEM, "Nobody is logged in, or the token is not valid."),
    403: OpenApiResponse(PROBLEM, "The caller may not do this."),
    404: OpenApiResponse(PROBLEM, "There is no such thing."),
    406: OpenApiResponse(PROBLEM, "The caller accepts none of the formats that there are."),
    409: OpenApiResponse(PROBLEM, "This contradicts what has happened meanwhile."),
    413: OpenApiResponse(PROBLEM, "The body is too large."),
    415: OpenApiResponse(PROBLEM, "The body is of a kind that is not read here."),
    429: OpenApiResponse(PROBLEM, "The caller has called too often; `Retry-After` says when to come back."),
}
HIDDEN = OpenApiResponse(description="The caller may not know whether there is such a learner. The body is empty.")

COURSE_ID = OpenApiParameter(
    "course_id",
    {"type": "string", "pattern": r"^[^/+]+(/|\+)[^/+]+(/|\+)[^/?]+$"},
    OpenApiParameter.PATH,
    description="Text of the course key, such as `course-v1:Org+Number+Run` or `Org/Number/Run`.",
)
USERNAME = OpenApiParameter("username", {"type": "string", "pattern": r"^[\w .@_+-]+$"}, OpenApiParameter.PATH)
RETRY_AFTER = OpenApiParameter(
    "Retry-After", OpenApiTypes.INT, OpenApiParameter.HEADER, response=[429], description="Seconds to wait."
)


class ModeSerializer(serializers.Serializer[Any]):
    """A mode that a course offers."""

    slug = serializers.CharField()
    name = serializers.CharField()
    min_price = serializers.IntegerField()
    suggested_prices = serializers.CharField()
    currency = serializers.CharField()
    expiration_datetime = serializers.DateTimeField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    sku = serializers.CharField(allow_null=True)
    bulk_sku = serializers.CharField(allow_null=True)

    class Meta:
        ref_name = "CourseMode"


class CourseDetailsSerializer(serializers.Serializer[Any]):
    """What enrolling in a course means."""

    course_id = serializers.CharField()
    course_name = serializers.CharField()
    enrollment_start = serializers.DateTimeField(allow_null=True)
    enrollment_end = serializers.DateTimeField(allow_null=True)
    course_start = serializers.DateTimeField(allow_null=True)
    course_end = serializers.DateTimeField(allow_null=True)
    invite_only = serializers.BooleanField()
    course_modes = ModeSerializer(many=True)
    pacing_type = serializers.ChoiceField(["Self Paced", "Instructor Paced"])

    class Meta:
        ref_name = "CourseDetails"


class EnrollmentSerializer(serializers.Serializer[Any]):
    """One enrollment; `course_details` is null when the course is gone."""

    created = serializers.DateTimeField(allow_null=True)
    mode = serializers.CharField()
    is_active = serializers.BooleanField()
    course_details = CourseDetailsSerializer(allow_null=True)
    user = serializers.CharField()

    class Meta:
        ref_name = "Enrollment"


class AttributeSerializer(serializers.Serializer[Any]):
    """An attribute of an enrollment, such as credit / provider_id / hogwarts."""

    namespace = serializers.CharField(max_length=MAX_LENGTH)
    name = serializers.CharField(max_length=MAX_LENGTH)
    value = serializers.CharField(max_length=MAX_LENGTH)

    class Meta:
        ref_name = "EnrollmentAttribute"


def operation(
    summary: str,
    answers: Mapping[Any, Any],
    refusals: Sequence[int],
    *,
    parameters: Sequence[OpenApiParameter] = (),
    limited: bool = True,
    **described: Any,
) -> Any:
    """Return the description of one operation: its answers, and the statuses of what it refuses.

    All answer JSON alone, and all but one are limited: 406 and 429 need not be said.
    """
    always = {406, 429} if limited else {406}
    responses = {**{status: REFUSALS[status] for status in sorted({*refusals, *always})}, **answers}
    return extend_schema(
        summary=summary,
        responses=responses,
        parameters=[*parameters, RETRY_AFTER] if limited else parameters,
        tags=["enrollment"],
        **described,
    )
