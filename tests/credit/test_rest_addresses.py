"""The endpoints' names and addresses (credit contract 5)."""

import pytest
from django.urls import resolve, reverse

KEY = "course-v1:HogwartsX+Potions101+1T2026"
V1 = "/api/credit/v1/"


@pytest.mark.parametrize(
    ("name", "kwargs", "path"),
    [
        ("creditcourse-list", {}, "courses/"),
        ("creditcourse-detail", {"course_key": KEY}, f"courses/{KEY}/"),
        ("creditcourse-detail", {"course_key": "a/b/c"}, "courses/a/b/c/"),
        ("creditprovider-list", {}, "providers/"),
        ("creditprovider-detail", {"provider_id": "Hogwarts-1"}, "providers/Hogwarts-1/"),
        ("create_request", {"provider_id": "Hogwarts-1"}, "providers/Hogwarts-1/request/"),
        ("provider_callback", {"provider_id": "Hogwarts-1"}, "providers/Hogwarts-1/callback"),
        ("eligibility_details", {}, "eligibility/"),
    ],
)
def test_names_and_addresses(name, kwargs, path):
    assert reverse(f"credit:{name}", kwargs=kwargs) == V1 + path

    match = resolve(V1 + path)
    assert (match.view_name, match.kwargs) == (f"credit:{name}", kwargs)


def test_a_callback_may_end_with_a_slash():
    match = resolve(f"{V1}providers/Hogwarts-1/callback/")

    assert (match.view_name, match.kwargs) == ("credit:provider_callback", {"provider_id": "Hogwarts-1"})
