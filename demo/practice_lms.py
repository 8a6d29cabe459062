"""A practice LMS: what a host does when a course is published, a learner enrolls, a grade or an exam comes in.

The service has no endpoints for these: a host calls the apps' Python API, as is done here. For staff only.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.shortcuts import get_object_or_404
from django.urls import path
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from rest_framework import serializers, status
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coursecredit.problems import ApiViewMixin
from credit import api as credit
from credit.choices import GRADE_NAME, GRADE_NAMESPACE, PROCTORED_EXAM_NAMESPACE, RequirementStatus
from demo import sample
from enrollment import api as enrollment


class CourseInput(serializers.Serializer[Any]):
    """A course, named by its key."""

    course_key = serializers.CharField()

    def validate_course_key(self, text: str) -> CourseKey:
        try:
            return CourseKey.from_string(text)
        except InvalidKeyError as exc:
            raise serializers.ValidationError("This is no course key.") from exc


class LearnerInput(CourseInput):
    """A learner in a course."""

    username = serializers.CharField()


class GradeInput(LearnerInput):
    """A learner's final grade, from 0 to 1."""

    percent = serializers.FloatField(min_value=0, max_value=1)


class ExamInput(LearnerInput):
    """What proctoring has found."""

    passed = serializers.BooleanField()


class PracticeView(ApiViewMixin, APIView):
    """A page of the practice LMS: JSON in, JSON out."""

    permission_classes = (IsAdminUser,)


class PublishedCourses(PracticeView):
    """Publishing a course tells the credit app its requirements."""

    def post(self, request: Request) -> Response:
        course_key = _checked(CourseInput(data=request.data))["course_key"]
        credit.set_credit_requirements(
            course_key,
            [
                {
                    "namespace": GRADE_NAMESPACE,
                    "name": GRADE_NAME,
                    "display_name": sample.GRADE_NAME,
                    "criteria": {"min_grade": _minimum_grade(course_key)},
                },
                {
                    "namespace": PROCTORED_EXAM_NAMESPACE,
                    "name": sample.EXAM_ID,
                    "display_name": sample.EXAM_NAME,
                    "criteria": {},
                },
            ],
        )
        return Response(credit.get_credit_requirements(course_key), status=status.HTTP_201_CREATED)


class Enrollments(PracticeView):
    """Enrolling somebody in the verified mode, which may earn credit."""

    def post(self, request: Request) -> Response:
        given = _checked(LearnerInput(data=request.data))
        row = enrollment.add_enrollment(given["username"], str(given["course_key"]), mode="verified")
        return Response(row, status=status.HTTP_201_CREATED)


class Grades(PracticeView):
    """The grade book: a grade that is good enough satisfies its requirement."""

    def post(self, request: Request) -> Response:
        given = _checked(GradeInput(data=request.data))
        if given["percent"] >= _minimum_grade(given["course_key"]):
            _record(given, GRADE_NAMESPACE, GRADE_NAME, RequirementStatus.SATISFIED, {"final_grade": given["percent"]})
        return _progress(given)


class ExamResults(PracticeView):
    """The exam system: proctoring accepts an attempt or does not."""

    def post(self, request: Request) -> Response:
        given = _checked(ExamInput(data=request.data))
        result = RequirementStatus.SATISFIED if given["passed"] else RequirementStatus.FAILED
        _record(given, PROCTORED_EXAM_NAMESPACE, sample.EXAM_ID, result, {})
        return _progress(given)


class Progress(PracticeView):
    """How far a learner has come in a course."""

    def get(self, request: Request) -> Response:
        return _progress(_checked(LearnerInput(data=request.query_params)))


def _checked(form: serializers.Serializer[Any]) -> dict[str, Any]:
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _minimum_grade(course_key: CourseKey) -> float:
    facts = enrollment.get_course_facts(course_key)
    return 1.0 if facts is None or facts.minimum_grade_credit is None else facts.minimum_grade_credit


def _record(given: dict[str, Any], namespace: str, name: str, result: RequirementStatus, reason: Any) -> None:
    user = get_object_or_404(get_user_model(), username=given["username"])
    credit.set_credit_requirement_status(user, given["course_key"], namespace, name, result.value, reason)


def _progress(given: dict[str, Any]) -> Response:
    username, course_key = given["username"], given["course_key"]
    requirements = credit.get_credit_requirement_status(course_key, username)
    return Response(
        {
            "requirements": {requirement["display_name"]: requirement["status"] for requirement in requirements},
            "eligible": credit.is_user_eligible_for_credit(username, course_key),
            "requests": {
                request["provider"]["id"]: request["status"]
                for request in credit.get_credit_requests_for_user(username)
            },
        }
    )


urlpatterns = [
    path("courses/", PublishedCourses.as_view()),
    path("enrollments/", Enrollments.as_view()),
    path("grades/", Grades.as_view()),
    path("exam-results/", ExamResults.as_view()),
    path("progress/", Progress.as_view()),
]
