"""Enrollments of one learner, and courses."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer, inline_serializer
from rest_framework import serializers

from enrollment.openapi.parts import (
    COURSE_ID,
    HIDDEN,
    PROBLEM,
    USERNAME,
    AttributeSerializer,
    CourseDetailsSerializer,
    EnrollmentSerializer,
    operation,
)

ASKED_COURSE = inline_serializer("AskedCourse", {"course_id": serializers.CharField()})
REQUEST = inline_serializer(
    "EnrollmentRequest",
    {
        "course_details": ASKED_COURSE,
        "user": serializers.CharField(
            required=False, allow_null=True, allow_blank=True, help_text="Another learner's username."
        ),
        "email": serializers.CharField(
            required=False, allow_null=True, allow_blank=True, help_text="Another learner's address, without `user`."
        ),
        "mode": serializers.CharField(required=False, allow_null=True),
        "is_active": serializers.BooleanField(required=False, allow_null=True),
        "enrollment_attributes": AttributeSerializer(many=True, required=False, allow_null=True),
        "force_enrollment": serializers.BooleanField(required=False, allow_null=True),
        "cohort": serializers.CharField(required=False, allow_null=True),
        "email_opt_in": serializers.BooleanField(required=False, allow_null=True),
        "enterprise_uuid": serializers.CharField(required=False, allow_null=True, allow_blank=True),
        "linked_enterprise_customer": serializers.CharField(required=False, allow_null=True),
    },
)
PAGE = inline_serializer(
    "EnrollmentPage",
    {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "count": serializers.IntegerField(),
        "num_pages": serializers.IntegerField(),
        "current_page": serializers.IntegerField(),
        "start": serializers.IntegerField(),
        "results": EnrollmentSerializer(many=True),
    },
)
LIST = PolymorphicProxySerializer(
    "EnrollmentList", [EnrollmentSerializer(many=True), PAGE], resource_type_field_name=None, many=False
)

OPERATIONS: dict[str, dict[str, Any]] = {
    "v1.enrollments.EnrollmentView": {
        "get": operation(
            "Show an enrollment",
            {
                200: OpenApiResponse(EnrollmentSerializer, "The enrollment, active or not; empty if there is none."),
                404: HIDDEN,
            },
            (400, 401, 403),
            operation_id="enrollment_v1_enrollment_retrieve",
            parameters=[COURSE_ID, USERNAME],
        )
    },
    "v1.enrollments.OwnEnrollmentView": {
        "get": operation(
            "Show the caller's own enrollment",
            {200: OpenApiResponse(EnrollmentSerializer, "The enrollment, active or not; empty if there is none.")},
            (400, 401, 403),
            operation_id="enrollment_v1_enrollment_retrieve_own",
            parameters=[COURSE_ID],
        )
    },
    "v1.enrollments.EnrollmentListView": {
        "get": operation(
            "List a learner's enrollments",
            {200: OpenApiResponse(LIST, "Oldest first; a page if one is asked for.")},
            (400, 401, 403, 404),
            operation_id="enrollment_v1_enrollment_list",
            parameters=[
                OpenApiParameter("user", OpenApiTypes.STR, description="A username; the caller's without it."),
                OpenApiParameter("include_inactive", OpenApiTypes.BOOL, description="Also those that have ended."),
                OpenApiParameter("page", OpenApiTypes.INT),
                OpenApiParameter("page_size", OpenApiTypes.INT, description="10 without it, 100 at most."),
            ],
        ),
        "post": operation(
            "Enroll a learner, or change an enrollment",
            {
                200: OpenApiResponse(EnrollmentSerializer, "The enrollment as it is now."),
                404: HIDDEN,
                406: OpenApiResponse(PROBLEM, "There is no such learner, or nobody is named, or JSON is not accepted."),
            },
            (400, 401, 403, 415),
            request=REQUEST,
        ),
    },
    "v1.courses.CourseDetailsView": {
        "get": operation(
            "Show what enrolling in a course means",
            {200: CourseDetailsSerializer},
            (400,),
            parameters=[
                COURSE_ID,
                OpenApiParameter(
                    "include_expired", OpenApiTypes.STR, description="Anything but an empty text: also expired modes."
                ),
            ],
            auth=[],
        )
    },
}
