"""Version 2: the operations of version 1, with problems and pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from coursecredit.problems import PROBLEM_MEDIA_TYPE, TITLES, TYPE_OF
from enrollment.api.listing import ORDERINGS
from enrollment.openapi.learners import REQUEST
from enrollment.openapi.parts import COURSE_ID, RETRY_AFTER, USERNAME, CourseDetailsSerializer, EnrollmentSerializer
from enrollment.openapi.staff import (
    COURSE_FILTERS,
    EMAIL,
    INVITATION_REQUEST,
    ORGANISATIONS,
    PEOPLE_FILTERS,
    RETIRING,
    ROLES,
    WITHDRAWN,
    InvitationSerializer,
    ListedEnrollmentSerializer,
)

PROBLEM = inline_serializer(
    "Problem",
    {
        "type": serializers.CharField(help_text=f"A URI that ends in one of: {', '.join(TITLES)}."),
        "title": serializers.CharField(help_text="What the type means."),
        "status": serializers.IntegerField(),
        "detail": serializers.CharField(help_text="For people; it may change."),
        "instance": serializers.CharField(help_text="The path that was called."),
        "error_code": serializers.CharField(help_text="A stable word for programs."),
        "user_message": serializers.CharField(required=False, help_text="What the site says to the learner."),
        "errors": serializers.DictField(
            child=serializers.ListField(child=serializers.CharField()), required=False, help_text="By field."
        ),
        "course_details": CourseDetailsSerializer(
            required=False, help_text="With a mode that is not offered: what the course offers."
        ),
    },
)
SHORT = {
    "type": "object",
    "properties": {
        "created": {"type": ["string", "null"], "format": "date-time"},
        "mode": {"type": "string"},
        "is_active": {"type": "boolean"},
        "user": {"type": "string"},
        "course_id": {"type": "string"},
    },
    "required": ["created", "mode", "is_active", "user", "course_id"],
}
ONE = {"anyOf": [{"$ref": "#/components/schemas/Enrollment"}, SHORT]}


def _pages_of(name: str, rows: Any) -> Any:
    return inline_serializer(
        name,
        {
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "count": serializers.IntegerField(),
            "num_pages": serializers.IntegerField(),
            "current_page": serializers.IntegerField(),
            "start": serializers.IntegerField(help_text="How many there are before this page."),
            "results": rows,
        },
    )


class OneEnrollmentField(serializers.Field[Any, Any, Any, Any]):
    """An enrollment, whole or short."""

    _spectacular_annotation = {"field": ONE}


VIEW = OpenApiParameter(
    "view", {"type": "string", "enum": ["minimal"]}, description="`minimal`: the course's key instead of its details."
)
PAGE = OpenApiParameter("page", {"type": "integer", "minimum": 1, "default": 1})


def _page_size(default: int) -> OpenApiParameter:
    return OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "maximum": 100, "default": default})


def operation(
    summary: str,
    operation_id: str,
    answers: Mapping[int, Any],
    refusals: Sequence[int],
    *,
    parameters: Sequence[OpenApiParameter] = (),
    **described: Any,
) -> Any:
    """Return the description of one operation; all answer problems, and all but one are limited."""
    responses: dict[Any, Any] = {
        (status, PROBLEM_MEDIA_TYPE): OpenApiResponse(PROBLEM, TITLES[TYPE_OF.get(status, "validation")])
        for status in sorted({*refusals, 406})
    }
    return extend_schema(
        summary=summary,
        operation_id=f"enrollment_v2_{operation_id}",
        responses={**responses, **answers},
        parameters=[*parameters, *([RETRY_AFTER] if 429 in refusals else [])],
        tags=["enrollment v2"],
        **described,
    )


OPERATIONS: dict[str, dict[str, Any]] = {
    "v2.enrollments.EnrollmentView": {
        "get": operation(
            "Show an enrollment",
            "enrollment_retrieve",
            {200: OpenApiResponse(ONE, "The enrollment, active or not; empty if there is none.")},
            (400, 401, 403, 404, 429),
            parameters=[COURSE_ID, USERNAME, VIEW],
        )
    },
    "v2.enrollments.EnrollmentListView": {
        "get": operation(
            "List a learner's enrollments",
            "enrollment_list",
            {200: _pages_of("EnrollmentNumberedPage", serializers.ListField(child=OneEnrollmentField()))},
            (400, 401, 403, 404, 429),
            parameters=[
                OpenApiParameter("user", OpenApiTypes.STR, description="A username; the caller's without it."),
                OpenApiParameter("include_inactive", OpenApiTypes.BOOL, description="Also those that have ended."),
                VIEW,
                PAGE,
                _page_size(10),
            ],
        ),
        "post": operation(
            "Enroll a learner, or change an enrollment",
            "enrollment_create",
            {200: OpenApiResponse(EnrollmentSerializer, "The enrollment as it is now.")},
            (400, 401, 403, 404, 415, 429),
            request=REQUEST,
        ),
    },
    "v2.admin_list.EnrollmentAdminListView": {
        "get": operation(
            "List everybody's enrollments",
            "enrollments_list",
            {200: _pages_of("ListedEnrollmentNumberedPage", ListedEnrollmentSerializer(many=True))},
            (400, 401, 403, 404, 429),
            parameters=[
                *COURSE_FILTERS,
                OpenApiParameter("course_id", OpenApiTypes.STR, description="`course_key`.", deprecated=True),
                OpenApiParameter("course_ids", OpenApiTypes.STR, description="`course_keys`.", deprecated=True),
                *PEOPLE_FILTERS,
                OpenApiParameter("ordering", {"type": "string", "enum": sorted(ORDERINGS), "default": "-created"}),
                PAGE,
                _page_size(100),
                OpenApiParameter(
                    "Deprecation",
                    OpenApiTypes.STR,
                    OpenApiParameter.HEADER,
                    response=[200],
                    description="Since when a parameter that was used has had another name (RFC 9745).",
                ),
            ],
        )
    },
    "v2.courses.CourseDetailsView": {
        "get": operation(
            "Show what enrolling in a course means",
            "course_retrieve",
            {200: CourseDetailsSerializer},
            (400, 404, 429),
            parameters=[
                COURSE_ID,
                OpenApiParameter(
                    "include_expired", OpenApiTypes.STR, description="Anything but an empty text: also expired modes."
                ),
            ],
            auth=[],
        )
    },
    "v2.roles.RolesView": {
        "get": operation(
            "List the caller's own roles",
            "roles_list",
            {200: ROLES},
            (400, 401, 403, 429),
            parameters=[OpenApiParameter("course_id", OpenApiTypes.STR, description="Only those on this very course.")],
        )
    },
    "v2.unenroll.UnenrollmentView": {
        "post": operation(
            "End all enrollments of an account that is being removed",
            "unenroll",
            {
                200: OpenApiResponse(ORGANISATIONS, "The organisations of the account's courses."),
                204: OpenApiResponse(description="No enrollment was active."),
            },
            (400, 401, 403, 404, 409, 415),
            request=RETIRING,
        )
    },
    "v2.invitations.InvitationView": {
        "get": operation(
            "List the invitations of an address",
            "invitations_list",
            {200: InvitationSerializer(many=True)},
            (400, 401, 403, 429),
            parameters=[EMAIL],
        ),
        "post": operation(
            "Invite an address to a course",
            "invitations_create",
            {201: InvitationSerializer},
            (400, 401, 403, 409, 415, 429),
            request=INVITATION_REQUEST,
        ),
        "delete": operation(
            "Withdraw an invitation",
            "invitations_delete",
            {204: OpenApiResponse(description="It is withdrawn.")},
            (400, 401, 403, 404, 415, 429),
            parameters=WITHDRAWN,
        ),
    },
}
