"""The endpoints' names and addresses, with and without a slash at the end (enrollment contract 2.2, 10.1)."""

from urllib.parse import unquote

import pytest
from django.urls import Resolver404, resolve, reverse

from enrollment.rest_api.v1.enrollments import EnrollmentView, OwnEnrollmentView
from tests.enrollment.rest import COURSE, V1

LEGACY = "edX/DemoX/2026_T1"


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("name", "kwargs", "path"),
    [
        ("courseenrollment", {"username": "bob", "course_id": COURSE}, f"enrollment/bob,{COURSE}"),
        ("courseenrollment", {"username": "bob", "course_id": LEGACY}, f"enrollment/bob,{LEGACY}"),
        ("courseenrollment", {"username": "Ünal @.+-_", "course_id": COURSE}, f"enrollment/Ünal @.+-_,{COURSE}"),
        ("courseenrollment", {"course_id": COURSE}, f"enrollment/{COURSE}"),
        ("courseenrollment", {"course_id": LEGACY}, f"enrollment/{LEGACY}"),
        ("courseenrollments", {}, "enrollment"),
        ("courseenrollmentdetails", {"course_id": COURSE}, f"course/{COURSE}"),
        ("courseenrollmentdetails", {"course_id": LEGACY}, f"course/{LEGACY}"),
    ],
)
def test_names_and_addresses(name, kwargs, path, slash):
    match = resolve(V1 + path + slash)

    assert (match.view_name, match.kwargs) == (f"enrollment:{name}", kwargs)
    assert unquote(reverse(f"enrollment:{name}", kwargs=kwargs)) == V1 + path


def test_a_comma_separates_a_username():
    match = resolve(f"{V1}enrollment/Bob,course-v1:a+b+c")

    assert (match.func.cls, match.kwargs) == (EnrollmentView, {"username": "Bob", "course_id": "course-v1:a+b+c"})


def test_a_comma_after_no_username_is_part_of_a_key():
    match = resolve(f"{V1}enrollment/a!,b+c+d")

    assert (match.func.cls, match.kwargs) == (OwnEnrollmentView, {"course_id": "a!,b+c+d"})


@pytest.mark.parametrize(
    "path", ["enrollment/1", "enrollment/bob,1", "course/1", "course/a+b", "course", "enrollment//"]
)
def test_what_no_course_key_can_be_is_no_address(path):
    with pytest.raises(Resolver404):
        resolve(V1 + path)
