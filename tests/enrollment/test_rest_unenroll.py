"""POST unenroll/ (enrollment contract 10.9)."""

import pytest

from enrollment.models import CourseEnrollment, RetirementRequest
from events.learning.signals import COURSE_ENROLLMENT_CHANGED, COURSE_UNENROLLMENT_COMPLETED
from events.testing import captured_events
from tests.credit.rest import client_of
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, UserFactory
from tests.enrollment.rest import KEY, V1, server_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.rest.unenroll")]

URL = f"{V1}unenroll/"
UNKNOWN = "Nobody has asked to remove an account of this name."


@pytest.fixture
def retirer():
    return client_of(UserFactory(is_superuser=True))


@pytest.fixture
def bob():
    return UserFactory(username="bob")


def retire(username="bob", state="RETIRING_ENROLLMENTS"):
    return RetirementRequest.objects.create(username=username, state=state)


def enroll(user, *courses, **fields):
    for course_id in courses:
        CourseEnrollmentFactory(user=user, course=CourseFactory(id=course_id), **fields)


def active():
    return CourseEnrollment.objects.active().count()


def test_everything_ends_and_the_organisations_are_told_once(retirer, bob):
    enroll(bob, "course-v1:edX+A+1", "course-v1:edX+B+1", "course-v1:MITx+A+1")
    enroll(bob, "course-v1:left+A+1", is_active=False)
    enroll(UserFactory(), "course-v1:edX+C+1")
    retire()

    with captured_events() as events:
        response = retirer.post(URL, {"username": "bob"}, format="json")

    assert (response.status_code, sorted(response.json())) == (200, ["MITx", "edX", "left"])
    assert active() == 1
    told = [emission.signal for emission in events]
    assert (told.count(COURSE_UNENROLLMENT_COMPLETED), told.count(COURSE_ENROLLMENT_CHANGED), len(told)) == (3, 3, 6)


def test_the_second_time_there_is_nothing_left(retirer, bob):
    enroll(bob, "course-v1:edX+A+1")
    retire()
    retirer.post(URL, {"username": "bob"}, format="json")

    response = retirer.post(URL, {"username": "bob"}, format="json")

    assert (response.status_code, response.content) == (204, b"")


def test_a_course_that_is_gone_counts(retirer, bob):
    CourseEnrollmentFactory(user=bob, course=None, course_id="course-v1:gone+A+1")
    retire()
    assert retirer.post(URL, {"username": "bob"}, format="json").json() == ["gone"]
    assert active() == 0


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param({}, "Username not specified.", id="no username"),
        pytest.param({"username": None}, "Username not specified.", id="null"),
        pytest.param([], "Username not specified.", id="no object"),
        pytest.param({"username": ""}, UNKNOWN, id="empty"),
        pytest.param({"username": 7}, UNKNOWN, id="number"),
        pytest.param({"username": ["bob"]}, UNKNOWN, id="list"),
        pytest.param({"username": "nobody"}, UNKNOWN, id="unknown"),
        pytest.param({"username": "BOB"}, UNKNOWN, id="another case"),
        pytest.param({"username": "ann"}, UNKNOWN, id="no retirement"),
        pytest.param({"username": "ghost"}, UNKNOWN, id="retirement, but no account"),
        pytest.param({"username": "b" * 5000}, UNKNOWN, id="long"),
    ],
)
def test_who_is_not_being_removed_is_not_found(retirer, bob, body, text):
    retire()
    retire("ghost")
    enroll(bob, "course-v1:edX+A+1")
    enroll(UserFactory(username="ann"), "course-v1:edX+B+1")

    response = retirer.post(URL, body, format="json")

    assert (response.status_code, response.json()) == (404, text)
    assert active() == 2


@pytest.mark.parametrize("state", ["PENDING", "ERRORED", "ABORTED", "COMPLETE", "ENROLLMENTS_COMPLETE"])
def test_a_removal_that_is_not_being_worked_on_is_a_conflict(retirer, bob, state):
    enroll(bob, "course-v1:edX+A+1")
    retire(state=state)

    response = retirer.post(URL, {"username": "bob"}, format="json")

    assert (response.status_code, response.json()) == (
        409,
        {
            "message": "The removal of this account has not begun, has failed, or is over.",
            "error_code": "retirement_not_in_progress",
        },
    )
    assert active() == 1


@pytest.mark.parametrize("caller", ["learner", "staff", "server", "server with a learner", "nobody"])
def test_nobody_else_may(settings, bob, caller):
    settings.EDX_API_KEY = KEY
    enroll(bob, "course-v1:edX+A+1")
    retire()
    client = {
        "learner": lambda: client_of(bob),
        "staff": lambda: client_of(UserFactory(is_staff=True)),
        "server": server_client,
        "server with a learner": lambda: server_client(bob),
        "nobody": client_of,
    }[caller]()

    response = client.post(URL, {"username": "bob"}, format="json")

    assert response.status_code == (401 if caller in ("nobody", "server") else 403)
    assert set(response.json()) == {"detail", "message", "error_code"}
    assert active() == 1


def test_it_is_never_limited(settings, retirer, bob):
    settings.ENROLLMENT_THROTTLE_RATES = {"user": "1/minute", "staff": "1/minute"}
    retire()
    assert {retirer.post(URL, {"username": "bob"}, format="json").status_code for _ in range(3)} == {204}
