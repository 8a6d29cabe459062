"""The OpenAPI description of the credit endpoints."""

import pytest
from drf_spectacular.generators import SchemaGenerator

V1 = "/api/credit/v1/"


@pytest.fixture(scope="module")
def description():
    return SchemaGenerator().get_schema(request=None, public=True)


def test_every_operation_declares_what_it_answers(description):
    declared = {
        (method, path.removeprefix(V1)): {int(status) for status in operation["responses"]}
        for path, operations in description["paths"].items()
        if path.startswith(V1)
        for method, operation in operations.items()
    }

    assert declared == {
        ("get", "courses/"): {200, 400, 401, 403, 406},
        ("post", "courses/"): {201, 400, 401, 403, 406, 415},
        ("get", "courses/{course_key}/"): {200, 400, 401, 403, 404, 406},
        ("put", "courses/{course_key}/"): {200, 201, 400, 401, 403, 404, 406, 415},
        ("patch", "courses/{course_key}/"): {200, 400, 401, 403, 404, 406, 415},
        ("get", "providers/"): {200, 400, 401, 403, 406},
        ("get", "providers/{provider_id}/"): {200, 400, 401, 403, 404, 406},
        ("post", "providers/{provider_id}/request/"): {200, 400, 401, 403, 404, 406, 415},
        ("post", "providers/{provider_id}/callback/"): {200, 400, 403, 404, 406, 409, 415, 429},
        ("get", "eligibility/"): {200, 400, 401, 403, 406},
    }


def test_only_callbacks_need_no_credentials(description):
    open_to_all = [
        path
        for path, operations in description["paths"].items()
        for operation in operations.values()
        if path.startswith(V1) and (not operation.get("security") or {} in operation["security"])
    ]

    assert open_to_all == [f"{V1}providers/{{provider_id}}/callback/"]


def test_a_callback_has_exactly_its_keys(description):
    schema = description["components"]["schemas"]["CreditProviderCallback"]

    assert set(schema["properties"]) == set(schema["required"]) == {"request_uuid", "status", "timestamp", "signature"}
