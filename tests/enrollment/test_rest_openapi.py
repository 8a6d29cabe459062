"""The OpenAPI description of the learners' endpoints."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.enrollment.rest import V1

ONE = "enrollment/{username},{course_id}/"
OWN = "enrollment/{course_id}/"
LIST = "enrollment/"
COURSE = "course/{course_id}/"


@pytest.fixture(scope="module")
def description():
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("get", ONE, {200, 400, 401, 403, 404, 406, 429}),
        ("get", OWN, {200, 400, 401, 403, 406, 429}),
        ("get", LIST, {200, 400, 401, 403, 404, 406, 429}),
        ("post", LIST, {200, 400, 401, 403, 404, 406, 415, 429}),
        ("get", COURSE, {200, 400, 406, 429}),
    ],
)
def test_every_operation_declares_what_it_answers(description, method, path, statuses):
    responses = description["paths"][V1 + path][method]["responses"]

    assert {int(status) for status in responses} == statuses
    assert "Retry-After" in responses["429"]["headers"]


@pytest.mark.parametrize(("path", "schemes"), [(LIST, ["jwtAuth", "oauth2", "cookieAuth", "apiKey"]), (COURSE, [])])
def test_with_which_credentials(description, path, schemes):
    security = description["paths"][V1 + path]["get"].get("security", [])

    assert [name for alternative in security for name in alternative] == schemes


def test_the_key_is_a_header(description):
    assert description["components"]["securitySchemes"]["apiKey"] == {
        "type": "apiKey",
        "in": "header",
        "name": "X-Edx-Api-Key",
    }


def test_a_request_names_a_course_and_perhaps_more(description):
    schema = description["components"]["schemas"]["EnrollmentRequest"]

    assert schema["required"] == ["course_details"]
    assert set(schema["properties"]) == {
        "course_details",
        "user",
        "email",
        "mode",
        "is_active",
        "enrollment_attributes",
        "force_enrollment",
        "cohort",
        "email_opt_in",
        "enterprise_uuid",
        "linked_enterprise_customer",
    }
