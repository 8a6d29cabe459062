"""The endpoints as OpenAPI describes them. Only sites with drf-spectacular load this module."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension, OpenApiViewExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.views import APIView

from program_enrollments.constants import ProgramOperationStatuses
from program_enrollments.rest_api.v1.serializers import (
    KnownStudentRowSerializer,
    ProgramEnrollmentRowSerializer,
    ProgramEnrollmentSerializer,
)
from program_enrollments.student_keys import MAX_LENGTH

Schema = dict[str, Any]

MESSAGES: Schema = {"type": "array", "items": {"type": "string"}}
PROBLEM = inline_serializer(
    "ProgramsProblem",
    {
        "developer_message": serializers.CharField(),
        "error_code": serializers.CharField(required=False, help_text="A stable word for programs."),
        "detail": serializers.CharField(required=False),
    },
)
MALFORMED: Schema = {
    "anyOf": [
        {"$ref": "#/components/schemas/ProgramsProblem"},
        {
            "type": "object",
            "required": ["developer_message"],
            "properties": {
                "developer_message": {
                    "type": "object",
                    "description": "What is wrong, by number of the row and by member; or with the body as a whole.",
                    "additionalProperties": {
                        "anyOf": [MESSAGES, {"type": "object", "additionalProperties": MESSAGES}],
                    },
                }
            },
        },
    ]
}
REFUSALS = {
    400: OpenApiResponse(MALFORMED, "The request is malformed; nothing was done."),
    401: OpenApiResponse(PROBLEM, "Nobody is logged in, or the token is not valid."),
    403: OpenApiResponse(PROBLEM, "The caller may not do this."),
    404: OpenApiResponse(PROBLEM, "There is no such thing."),
    406: OpenApiResponse(PROBLEM, "The caller accepts none of the formats that there are."),
    413: OpenApiResponse({"type": "string"}, "Too many students for one request; nothing was done."),
    415: OpenApiResponse(PROBLEM, "The body is not JSON."),
}

PROGRAM_UUID = OpenApiParameter("program_uuid", {"type": "string", "pattern": "^[A-Fa-f0-9-]+$"}, OpenApiParameter.PATH)
INCLUDE_UNKEYED = OpenApiParameter(
    "include_unkeyed", OpenApiTypes.BOOL, description="Also students without a key, whose `student_key` is null."
)

RESULTS: Schema = {
    "type": "object",
    "description": "What became of each student, by the key as it was sent: the status, or an error word.",
    "additionalProperties": {"type": "string", "enum": list(ProgramOperationStatuses.ALL)},
}


def written(all_good: int) -> dict[int, Any]:
    """Return the answers to a request that was understood."""
    return {
        all_good: OpenApiResponse(RESULTS, "All was done."),
        204: OpenApiResponse(description="No student was named."),
        207: OpenApiResponse(RESULTS, "Some of it was done."),
        422: OpenApiResponse(RESULTS, "Nothing was done."),
    }


def operation(summary: str, answers: dict[int, Any], refusals: tuple[int, ...], **described: Any) -> Any:
    """Return the description of one operation: its answers, and the statuses of what it refuses."""
    responses = {**{status: REFUSALS[status] for status in sorted((*refusals, 406))}, **answers}
    return extend_schema(summary=summary, responses=responses, tags=["program_enrollments"], **described)


WRITE_REFUSALS = (400, 401, 403, 404, 413, 415)
OPERATIONS = {
    "ProgramEnrollmentsView": {
        "get": operation(
            "List the students of a program",
            {200: ProgramEnrollmentSerializer(many=True)},
            (400, 401, 403, 404),
            parameters=[PROGRAM_UUID, INCLUDE_UNKEYED],
        ),
        "post": operation(
            "Enroll students in a program",
            written(201),
            WRITE_REFUSALS,
            parameters=[PROGRAM_UUID],
            request=ProgramEnrollmentRowSerializer(many=True),
        ),
        "patch": operation(
            "Change the status of students of a program",
            written(200),
            WRITE_REFUSALS,
            parameters=[PROGRAM_UUID],
            request=KnownStudentRowSerializer(many=True),
        ),
        "put": operation(
            "Enroll students in a program or change their status",
            written(200),
            WRITE_REFUSALS,
            parameters=[PROGRAM_UUID],
            request=ProgramEnrollmentRowSerializer(many=True),
        ),
    },
}


class StudentKeyFieldDescription(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """A student key."""

    target_class = "program_enrollments.rest_api.v1.serializers.StudentKeyField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        return {"oneOf": [{"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}, {"type": "number"}]}


class ProgramViewDescription(OpenApiViewExtension):  # type: ignore[no-untyped-call]  # as above
    """Adds the descriptions to a copy of the view, so that views need not know drf-spectacular."""

    target_class = "program_enrollments.rest_api.base.ProgramApiView"
    match_subclasses = True

    def view_replacement(self) -> type[APIView]:
        described: type[APIView] = type(self.target.__name__, (self.target,), {})
        return extend_schema_view(**OPERATIONS[self.target.__name__])(described)
