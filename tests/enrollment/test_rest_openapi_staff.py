"""The OpenAPI description of the endpoints for staff, and of version 2."""

import json
import re

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.enrollment.rest import V1

V2 = "/api/enrollment/v2/"


@pytest.fixture(scope="module")
def description():
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("get", f"{V1}enrollments/", {200, 400, 401, 403, 406, 429}),
        ("post", f"{V1}unenroll/", {200, 204, 400, 401, 403, 404, 406, 409, 415}),
        ("get", f"{V1}roles/", {200, 400, 401, 403, 406, 429}),
        ("get", f"{V1}enrollment_allowed/", {200, 400, 401, 403, 406, 429}),
        ("post", f"{V1}enrollment_allowed/", {201, 400, 401, 403, 406, 409, 415, 429}),
        ("delete", f"{V1}enrollment_allowed/", {204, 400, 401, 403, 404, 406, 415, 429}),
        ("get", f"{V2}enrollments/{{username}},{{course_id}}/", {200, 400, 401, 403, 404, 406, 429}),
        ("get", f"{V2}enrollment/", {200, 400, 401, 403, 404, 406, 429}),
        ("post", f"{V2}enrollment/", {200, 400, 401, 403, 404, 406, 415, 429}),
        ("get", f"{V2}enrollments/", {200, 400, 401, 403, 404, 406, 429}),
        ("get", f"{V2}courses/{{course_id}}/", {200, 400, 404, 406, 429}),
        ("get", f"{V2}roles/", {200, 400, 401, 403, 406, 429}),
        ("post", f"{V2}enrollment/unenroll/", {200, 204, 400, 401, 403, 404, 406, 409, 415}),
        ("get", f"{V2}enrollment/enrollment_allowed/", {200, 400, 401, 403, 406, 429}),
        ("post", f"{V2}enrollment/enrollment_allowed/", {201, 400, 401, 403, 406, 409, 415, 429}),
        ("delete", f"{V2}enrollment/enrollment_allowed/", {204, 400, 401, 403, 404, 406, 415, 429}),
    ],
)
def test_every_operation_declares_what_it_answers(description, method, path, statuses):
    responses = description["paths"][path][method]["responses"]

    assert {int(status) for status in responses} == statuses
    if 429 in statuses:
        assert "Retry-After" in responses["429"]["headers"]


def test_version_2_declares_problems(description):
    kinds = {
        media_type
        for path, operations in description["paths"].items()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        for media_type in response.get("content", {})
        if path.startswith(V2) and int(status) >= 400
    }
    assert kinds == {"application/problem+json"}


def test_whatever_is_referred_to_exists(description):
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(description)))
    assert named <= set(description["components"]["schemas"])


def test_only_invitations_take_forms(description):
    bodies = {
        path: set(operations["post"]["requestBody"]["content"])
        for path, operations in description["paths"].items()
        if path in (f"{V1}enrollment_allowed/", f"{V1}unenroll/", f"{V2}enrollment/")
    }
    forms = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
    assert bodies == {
        f"{V1}enrollment_allowed/": forms,
        f"{V1}unenroll/": {"application/json"},
        f"{V2}enrollment/": {"application/json"},
    }


def test_the_key_opens_what_is_not_for_staff_alone(description):
    def opened(path):
        return any("apiKey" in scheme for scheme in description["paths"][path]["get"]["security"])

    assert [opened(f"{V1}{path}") for path in ("roles/", "enrollments/", "enrollment_allowed/")] == [True, False, False]
