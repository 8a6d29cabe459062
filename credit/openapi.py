"""The endpoints as OpenAPI describes them. Only sites with drf-spectacular load this module."""

from typing import Any

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.views import APIView

from credit.choices import COURSE_KEY_REGEX, CREDIT_PROVIDER_ID_REGEX
from credit.serializers import (
    MAX_KEY_LENGTH,
    CourseKeyField,
    CreditCourseSerializer,
    CreditEligibilitySerializer,
    CreditProviderCallbackSerializer,
    CreditProviderSerializer,
    TimestampField,
)

Schema = dict[str, Any]

PROBLEM = inline_serializer(
    "CreditProblem",
    {"detail": serializers.CharField(), "code": serializers.CharField(help_text="A stable word for programs.")},
)
MESSAGES: Schema = {"type": "array", "items": {"type": "string"}}
INVALID: list[Schema] = [
    {"$ref": "#/components/schemas/CreditProblem"},
    {"type": "object", "description": "What is wrong, by field.", "additionalProperties": MESSAGES},
]
REFUSALS = {
    400: OpenApiResponse({"anyOf": INVALID}, "The request is not valid."),
    401: OpenApiResponse(PROBLEM, "Nobody is logged in, or the token is not valid."),
    403: OpenApiResponse(PROBLEM, "The caller may not do this."),
    404: OpenApiResponse(PROBLEM, "There is no such thing."),
    406: OpenApiResponse(PROBLEM, "The caller accepts none of the formats that there are."),
    409: OpenApiResponse(PROBLEM, "A different decision of the same time or later has been recorded already."),
    415: OpenApiResponse(PROBLEM, "The body is neither JSON nor a form."),
    429: OpenApiResponse(PROBLEM, "Too much was refused of late; a message that is signed and recent still passes."),
}

COURSE_KEY = OpenApiParameter(
    "course_key",
    {"type": "string", "pattern": f"^{COURSE_KEY_REGEX}$"},
    OpenApiParameter.PATH,
    description="Text of the course key, such as `course-v1:Org+Number+Run` or `Org/Number/Run`.",
)
PROVIDER_ID = OpenApiParameter(
    "provider_id", {"type": "string", "pattern": f"^{CREDIT_PROVIDER_ID_REGEX}$"}, OpenApiParameter.PATH
)
PROVIDER_IDS = OpenApiParameter(
    "provider_ids", OpenApiTypes.STR, description="Ids to which the answer is restricted, separated by commas."
)

RETRY_AFTER = OpenApiParameter(
    "Retry-After", OpenApiTypes.INT, OpenApiParameter.HEADER, response=[429], description="Seconds to wait."
)

CREDIT_REQUEST = inline_serializer(
    "CreditRequest", {"username": serializers.CharField(), "course_key": serializers.CharField()}
)
CREDIT_REQUEST_FORM = inline_serializer(
    "CreditRequestForm",
    {
        "url": serializers.CharField(help_text="Where the learner's browser goes."),
        "method": serializers.ChoiceField(["GET", "POST"]),
        "parameters": serializers.DictField(help_text="What it submits there, signed; empty with GET."),
    },
)

extend_schema_field({"type": "string", "maxLength": MAX_KEY_LENGTH})(CourseKeyField)
extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]{1,15}$"}]})(TimestampField)


def operation(summary: str, answers: dict[int, Any], refusals: tuple[int, ...], **described: Any) -> Any:
    """Return the description of one operation: its answers, and the statuses of what it refuses."""
    responses = {**{status: REFUSALS[status] for status in sorted((*refusals, 406))}, **answers}
    return extend_schema(summary=summary, responses=responses, tags=["credit"], **described)


OPERATIONS: dict[str, dict[str, Any]] = {
    "CreditCourseViewSet": {
        "list": operation("List credit courses", {200: CreditCourseSerializer(many=True)}, (400, 401, 403)),
        "create": operation(
            "Add a credit course", {201: CreditCourseSerializer}, (400, 401, 403, 415), request=CreditCourseSerializer
        ),
        "retrieve": operation(
            "Show a credit course", {200: CreditCourseSerializer}, (400, 401, 403, 404), parameters=[COURSE_KEY]
        ),
        "update": operation(
            "Write a credit course, existing or not",
            {
                200: CreditCourseSerializer,
                201: OpenApiResponse(CreditCourseSerializer, "There was none."),
                400: OpenApiResponse({"anyOf": [*INVALID, MESSAGES]}, "The request is not valid."),
            },
            (400, 401, 403, 404, 415),
            parameters=[COURSE_KEY],
            request=CreditCourseSerializer,
        ),
        "partial_update": operation(
            "Change a credit course",
            {200: CreditCourseSerializer},
            (400, 401, 403, 404, 415),
            parameters=[COURSE_KEY],
            request=CreditCourseSerializer(partial=True),
        ),
    },
    "CreditProviderViewSet": {
        "list": operation(
            "List credit providers",
            {200: CreditProviderSerializer(many=True)},
            (400, 401, 403),
            parameters=[PROVIDER_IDS],
        ),
        "retrieve": operation(
            "Show a credit provider",
            {200: CreditProviderSerializer},
            (400, 401, 403, 404),
            parameters=[PROVIDER_ID, PROVIDER_IDS],
        ),
    },
    "CreditProviderRequestCreateView": {
        "post": operation(
            "Ask a provider for credit",
            {200: OpenApiResponse(CREDIT_REQUEST_FORM, "The form that the learner's browser submits.")},
            (400, 401, 403, 404, 415),
            parameters=[PROVIDER_ID],
            request=CREDIT_REQUEST,
        )
    },
    "CreditProviderCallbackView": {
        "post": operation(
            "Tell a provider's decision",
            {200: OpenApiResponse(description="The decision is recorded.")},
            (400, 403, 404, 409, 415, 429),
            parameters=[PROVIDER_ID, RETRY_AFTER],
            request=CreditProviderCallbackSerializer,
            auth=[],
        )
    },
    "CreditEligibilityView": {
        "get": operation(
            "Show a learner's eligibility in a course",
            {200: CreditEligibilitySerializer(many=True)},
            (400, 401, 403),
            parameters=[
                OpenApiParameter("username", OpenApiTypes.STR, required=True),
                OpenApiParameter("course_key", OpenApiTypes.STR, required=True),
            ],
        )
    },
}


class CreditViewDescription(OpenApiViewExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """Adds the descriptions to a copy of the view, so that views need not know drf-spectacular."""

    target_class = "credit.views.CreditView"
    match_subclasses = True

    def view_replacement(self) -> type[APIView]:
        described: type[APIView] = type(self.target.__name__, (self.target,), {})
        return extend_schema_view(**OPERATIONS[self.target.__name__])(described)
