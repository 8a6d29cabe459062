"""Where the reference answers 500, each with what is answered here (enrollment contract 10, and 7.5 and 7.8)."""

import pytest

from enrollment.choices import RetirementState
from enrollment.models import CourseEnrollment, CourseEnrollmentAllowed, RetirementRequest
from tests.credit.rest import client_of
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, UserFactory
from tests.enrollment.rest import COURSE, V1

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.rest.never-the-reference's-500")]

GONE = "course-v1:edX+Gone+2026_T1"
NO_KEY = "a+b+c"
INVITATION = {"email": "eve@example.com", "course_id": COURSE}


def with_attribute(**changes):
    attribute = {"namespace": "order", "name": "order_number", "value": "EDX-1", **changes}
    return {"course_details": {"course_id": COURSE}, "user": "eve", "enrollment_attributes": [attribute]}


@pytest.fixture
def clerk():
    """Staff who may do everything, in a site with one course that exists, and one that is gone."""
    CourseFactory(id=COURSE)
    learner = UserFactory(username="bob")
    CourseEnrollmentFactory(user=learner, course=CourseFactory(id=COURSE.replace("DemoX", "Other")))
    CourseEnrollment.objects.create(user=learner, course_id=GONE)
    UserFactory(username="eve")
    for state in (RetirementState.PENDING, RetirementState.ERRORED, RetirementState.ABORTED, "LOCKING_COMPLETE"):
        UserFactory(username=state)
        CourseEnrollmentFactory(user=UserFactory._meta.model.objects.get(username=state))
        RetirementRequest.objects.create(username=state, state=state)
    return client_of(UserFactory(username="clerk", is_staff=True, is_superuser=True))


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        pytest.param("get", f"enrollment/bob,{NO_KEY}", None, 400, "invalid_course_id", id="no key: one enrollment"),
        pytest.param("get", f"enrollment/{NO_KEY}", None, 400, "invalid_course_id", id="no key: one's own"),
        pytest.param("get", f"course/{NO_KEY}", None, 400, "invalid_course_id", id="no key: course details"),
        pytest.param(
            *("post", "enrollment_allowed/", {**INVITATION, "course_id": NO_KEY}, 400, "invalid_course_id"),
            id="no key: invitation",
        ),
        pytest.param(
            *("post", "enrollment_allowed/", {**INVITATION, "email": "eve"}, 400, "invalid_email"),
            id="no address: invitation",
        ),
        pytest.param(
            *("post", "enrollment_allowed/", {**INVITATION, "auto_enroll": "perhaps"}, 400, "invalid_auto_enroll"),
            id="no yes or no: invitation",
        ),
        pytest.param("post", "enrollment", with_attribute(value=None), 400, "attribute_invalid", id="attribute: null"),
        pytest.param("post", "enrollment", with_attribute(value=7), 400, "attribute_invalid", id="attribute: number"),
        pytest.param(
            *("post", "enrollment", with_attribute(value="x" * 256), 400, "attribute_invalid"), id="attribute: long"
        ),
        *(
            pytest.param(
                "post", "unenroll/", {"username": state}, 409, "retirement_not_in_progress", id=f"retire: {state}"
            )
            for state in ("PENDING", "ERRORED", "ABORTED", "LOCKING_COMPLETE")
        ),
    ],
)
def test_it_is_told_what_is_wrong(clerk, method, path, body, status, code):
    before = list(CourseEnrollment.objects.order_by("pk").values_list("pk", "mode", "is_active"))
    response = getattr(clerk, method)(f"{V1}{path}", body, format="json")
    assert (response.status_code, response.json()["error_code"]) == (status, code)
    assert response.json()["message"]
    assert list(CourseEnrollment.objects.order_by("pk").values_list("pk", "mode", "is_active")) == before
    assert not CourseEnrollmentAllowed.objects.exists()


def test_rows_whose_course_is_gone_are_listed(clerk):
    response = clerk.get(f"{V1}enrollments", {"username": "bob"})
    assert response.status_code == 200
    assert {row["course_id"] for row in response.json()["results"]} >= {GONE}


@pytest.mark.django_db(transaction=True)  # a transaction that made the course would not look into the cache
@pytest.mark.parametrize("cache", ["SilentCache", "ReadOnlyCache"])
def test_a_cache_that_fails_costs_time_only(settings, cache):
    CourseFactory(id=COURSE)
    settings.CACHES = {"default": {"BACKEND": f"tests.enrollment.test_course_details.{cache}"}}
    response = client_of().get(f"{V1}course/{COURSE}")
    assert (response.status_code, response.json()["course_id"]) == (200, COURSE)
