"""What staff and other systems do with everybody's enrollments."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from enrollment.keys import MAX_LENGTH
from enrollment.openapi.parts import operation
from enrollment.rest_api.filters import MAX_ITEMS, MAX_PAGE_SIZE


class ListedEnrollmentSerializer(serializers.Serializer[Any]):
    """One row of the list of everybody's enrollments."""

    created = serializers.DateTimeField(allow_null=True)
    mode = serializers.CharField()
    is_active = serializers.BooleanField()
    user = serializers.CharField(help_text="The username.")
    course_id = serializers.CharField()

    class Meta:
        ref_name = "ListedEnrollment"


class InvitationSerializer(serializers.Serializer[Any]):
    """An invitation of an e-mail address to a course."""

    email = serializers.CharField()
    course_id = serializers.CharField()
    auto_enroll = serializers.BooleanField()
    created = serializers.DateTimeField(allow_null=True)
    user = serializers.IntegerField(allow_null=True, help_text="Id of the account that has used it.")

    class Meta:
        ref_name = "Invitation"


CURSOR_PAGE = inline_serializer(
    "ListedEnrollmentPage",
    {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": ListedEnrollmentSerializer(many=True),
    },
)
LIST_PROBLEM = inline_serializer(
    "ListProblem",
    {
        "developer_message": serializers.CharField(help_text="For people; it may change."),
        "error_code": serializers.CharField(help_text="A stable word for programs."),
    },
)
LIST_INVALID = {
    "anyOf": [
        {"$ref": "#/components/schemas/ListProblem"},
        {
            "type": "object",
            "properties": {
                "field_errors": {
                    "type": "object",
                    "description": "What is wrong, by parameter.",
                    "additionalProperties": {
                        "type": "object",
                        "properties": {"developer_message": {"type": "string"}},
                        "required": ["developer_message"],
                    },
                }
            },
            "required": ["field_errors"],
        },
    ]
}
ROLES = inline_serializer(
    "Roles",
    {
        "roles": inline_serializer(
            "CourseRole",
            {
                "org": serializers.CharField(),
                "course_id": serializers.CharField(allow_null=True, help_text="Null: on all of the organisation's."),
                "role": serializers.CharField(),
            },
            many=True,
        ),
        "is_staff": serializers.BooleanField(help_text="Whether the caller is staff of the whole site."),
    },
)
INVITATION_REQUEST = inline_serializer(
    "InvitationRequest",
    {
        "email": serializers.EmailField(max_length=MAX_LENGTH),
        "course_id": serializers.CharField(max_length=MAX_LENGTH),
        "auto_enroll": serializers.BooleanField(default=False, help_text="Enroll whoever confirms the address."),
    },
)
RETIRING = inline_serializer("RetiringUser", {"username": serializers.CharField()})
ORGANISATIONS = {"type": "array", "items": {"type": "string"}}

EMAIL = OpenApiParameter("email", OpenApiTypes.STR, description="An address; the caller's own without it.")
WITHDRAWN = [
    OpenApiParameter("email", OpenApiTypes.STR, description="If it is not in the body."),
    OpenApiParameter("course_id", OpenApiTypes.STR, description="If it is not in the body."),
]
COURSE_FILTERS = [
    OpenApiParameter("course_key", OpenApiTypes.STR, description="This very course."),
    OpenApiParameter(
        "course_keys",
        OpenApiTypes.STR,
        description=f"Any of these, up to {MAX_ITEMS} between commas: course keys, with `course-v1:` or without, or "
        "`ORG+COURSE` for all its runs.",
    ),
]
PEOPLE_FILTERS = [
    OpenApiParameter("username", OpenApiTypes.STR, description=f"Up to {MAX_ITEMS} usernames between commas."),
    OpenApiParameter("email", OpenApiTypes.STR, description=f"Up to {MAX_ITEMS} addresses between commas."),
]

LIST_REFUSALS = {
    400: OpenApiResponse(LIST_INVALID, "A parameter is not valid."),
    401: OpenApiResponse(LIST_PROBLEM, "Nobody is logged in, or the token is not valid."),
    403: OpenApiResponse(LIST_PROBLEM, "The caller is not staff of the whole site."),
    406: OpenApiResponse(LIST_PROBLEM, "The caller accepts none of the formats that there are."),
    429: OpenApiResponse(LIST_PROBLEM, "The caller has called too often; `Retry-After` says when to come back."),
}

OPERATIONS: dict[str, dict[str, Any]] = {
    "v1.admin_list.EnrollmentAdminListView": {
        "get": operation(
            "List everybody's enrollments",
            {200: CURSOR_PAGE, **LIST_REFUSALS},
            (),
            operation_id="enrollment_v1_enrollments_list",
            parameters=[
                OpenApiParameter("course_id", OpenApiTypes.STR, description="Older name of `course_key`."),
                OpenApiParameter("course_ids", OpenApiTypes.STR, description="Older name of `course_keys`."),
                *COURSE_FILTERS,
                *PEOPLE_FILTERS,
                OpenApiParameter("cursor", OpenApiTypes.STR, description="As another page's `next` names it."),
                OpenApiParameter(
                    "page_size", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": MAX_PAGE_SIZE}
                ),
            ],
        )
    },
    "v1.unenroll.UnenrollmentView": {
        "post": operation(
            "End all enrollments of an account that is being removed",
            {
                200: OpenApiResponse(ORGANISATIONS, "The organisations of the account's courses."),
                204: OpenApiResponse(description="No enrollment was active."),
                404: OpenApiResponse({"type": "string"}, "No such account is being removed; a bare text says so."),
            },
            (400, 401, 403, 409, 415),
            request=RETIRING,
            limited=False,
        )
    },
    "v1.roles.RolesView": {
        "get": operation(
            "List the caller's own roles",
            {200: ROLES},
            (400, 401, 403),
            operation_id="enrollment_v1_roles_list",
            parameters=[OpenApiParameter("course_id", OpenApiTypes.STR, description="Only those on this very course.")],
        )
    },
    "v1.invitations.InvitationView": {
        "get": operation(
            "List the invitations of an address",
            {200: InvitationSerializer(many=True)},
            (400, 401, 403),
            operation_id="enrollment_v1_enrollment_allowed_list",
            parameters=[EMAIL],
        ),
        "post": operation(
            "Invite an address to a course",
            {201: InvitationSerializer},
            (400, 401, 403, 409, 415),
            request=INVITATION_REQUEST,
        ),
        "delete": operation(
            "Withdraw an invitation",
            {204: OpenApiResponse(description="It is withdrawn.")},
            (400, 401, 403, 404, 415),
            parameters=WITHDRAWN,
        ),
    },
}
