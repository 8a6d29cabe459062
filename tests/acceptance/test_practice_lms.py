"""The practice LMS of the demo's site, which plays the host."""

import json

import pytest
from rest_framework.test import APIClient

from credit import api as credit
from demo.rows import add_course
from demo.sample import COURSE_KEY
from tests.enrollment.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("demo.urls")]

LEARNER = {"username": "amara", "course_key": COURSE_KEY}


@pytest.fixture
def registrar():
    add_course()
    client = APIClient()
    client.force_authenticate(UserFactory(is_staff=True))
    return client


@pytest.fixture
def amara():
    return UserFactory(username="amara")


def test_a_grade_and_an_exam_make_a_learner_eligible(registrar, amara):
    assert registrar.post("/practice-lms/courses/", {"course_key": COURSE_KEY}).status_code == 201
    assert registrar.post("/practice-lms/enrollments/", LEARNER).status_code == 201
    registrar.post("/practice-lms/grades/", {**LEARNER, "percent": 0.69})
    registrar.post("/practice-lms/exam-results/", {**LEARNER, "passed": True})
    progress = registrar.get("/practice-lms/progress/", LEARNER).json()
    assert progress == {
        "requirements": {"Minimum grade": None, "Final exam": "satisfied"},
        "eligible": False,
        "requests": {},
    }
    progress = registrar.post("/practice-lms/grades/", {**LEARNER, "percent": 0.7}).json()
    assert progress == {
        "requirements": {"Minimum grade": "satisfied", "Final exam": "satisfied"},
        "eligible": True,
        "requests": {},
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({**LEARNER, "course_key": "no key"}, 400, id="no course key"),
        pytest.param({"course_key": COURSE_KEY}, 400, id="nobody"),
        pytest.param({**LEARNER, "percent": 2}, 400, id="no fraction"),
        pytest.param({**LEARNER, "username": "nobody", "percent": 1}, 404, id="unknown learner"),
    ],
)
def test_a_bad_grade_is_refused(registrar, body, status):
    assert registrar.post("/practice-lms/grades/", body).status_code == status


@pytest.mark.parametrize(
    ("page", "body"),
    [
        pytest.param("courses", {"course_key": "course-v1:A+B+C"}, id="publishing a course without credit"),
        pytest.param("courses", {"course_key": "library-v1:A+B"}, id="publishing a library"),
        pytest.param("enrollments", {**LEARNER, "username": "nobody"}, id="enrolling nobody"),
        pytest.param("enrollments", {**LEARNER, "course_key": "course-v1:A+B+C"}, id="enrolling in no course"),
        pytest.param("grades", [], id="no object"),
        pytest.param("grades", {**LEARNER, "percent": 1, "username": "\ud800"}, id="no text"),
    ],
)
def test_what_the_apps_refuse_is_told(registrar, amara, page, body):
    response = registrar.post(f"/practice-lms/{page}/", json.dumps(body), content_type="application/json")
    assert response.status_code == 400


@pytest.mark.parametrize("page", ["courses", "enrollments", "grades", "exam-results", "progress"])
def test_it_is_for_staff_only(client, amara, page):
    assert client.post(f"/practice-lms/{page}/").status_code == 401
    client.force_login(amara)
    assert client.post(f"/practice-lms/{page}/").status_code == 403
    assert credit.get_credit_requests_for_user("amara") == []
