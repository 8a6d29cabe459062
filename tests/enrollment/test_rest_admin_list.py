"""GET enrollments: everybody's, for staff (enrollment contract 10.8)."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.credit.rest import client_of, staff_client
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, UserFactory
from tests.enrollment.rest import V1
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.rest.list")]

URL = f"{V1}enrollments"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEMO, OTHER = "course-v1:edX+DemoX+2026", "course-v1:edX+Other+2026"


@pytest.fixture
def world():
    for place, (name, course_id) in enumerate([("ann", DEMO), ("bob", DEMO), ("bob", OTHER)]):
        user = UserFactory._meta.model.objects.filter(username=name).first() or UserFactory(
            username=name, email=f"{name}@example.com"
        )
        CourseEnrollmentFactory(
            user=user, course=None, course_id=course_id, created=NOON + timedelta(days=place), is_active=place != 1
        )


def listed(**query):
    response = staff_client().get(URL, query)
    assert response.status_code == 200, response.content
    return [(row["user"], row["course_id"]) for row in response.json()["results"]]


def test_everything_is_told_newest_first(world):
    CourseFactory(id=DEMO)

    assert staff_client().get(URL).json() == {
        "next": None,
        "previous": None,
        "results": [
            {
                "created": "2026-03-03T12:00:00Z",
                "mode": "audit",
                "is_active": True,
                "user": "bob",
                "course_id": OTHER,
            },
            {
                "created": "2026-03-02T12:00:00Z",
                "mode": "audit",
                "is_active": False,
                "user": "bob",
                "course_id": DEMO,
            },
            {
                "created": "2026-03-01T12:00:00Z",
                "mode": "audit",
                "is_active": True,
                "user": "ann",
                "course_id": DEMO,
            },
        ],
    }


ALL = [("bob", OTHER), ("bob", DEMO), ("ann", DEMO)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({}, ALL, id="nothing"),
        pytest.param({"course_id": "", "username": "", "email": ""}, ALL, id="empty parameters"),
        pytest.param({"unknown": "x"}, ALL, id="unknown parameter"),
        pytest.param({"course_id": OTHER}, ALL[:1], id="course_id"),
        pytest.param({"course_key": OTHER}, ALL[:1], id="course_key"),
        pytest.param({"course_key": OTHER, "course_id": DEMO}, ALL[:1], id="course_key wins"),
        pytest.param({"course_key": OTHER, "course_id": "nonsense"}, ALL[:1], id="course_key wins over nonsense"),
        pytest.param({"course_ids": f"{OTHER},edX+DemoX+2026"}, ALL, id="course_ids"),
        pytest.param({"course_ids": "edX+Demo,edX+O"}, [], id="course_ids that only begin so"),
        pytest.param({"course_keys": "edX+Other", "course_ids": DEMO}, ALL[:1], id="course_keys win"),
        pytest.param({"username": "ann,nobody"}, ALL[2:], id="username"),
        pytest.param({"username": "nobody"}, [], id="unknown username"),
        pytest.param({"course_id": "course-v1:no+such+course"}, [], id="unknown course"),
        pytest.param({"email": "BOB@example.com,x"}, ALL[:2], id="email"),
        pytest.param({"email": ","}, [], id="no email"),
        pytest.param({"username": "bob", "course_id": DEMO}, ALL[1:2], id="both"),
    ],
)
def test_parameters_filter(world, query, found):
    assert listed(**query) == found


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        pytest.param({"course_id": "DemoX"}, {"course_id": "[DemoX] is not a valid course key."}, id="course_id"),
        pytest.param({"course_key": "DemoX"}, {"course_key": "[DemoX] is not a valid course key."}, id="course_key"),
        pytest.param({"username": "1*2"}, {"username": "[1*2] is not a valid username."}, id="username"),
        pytest.param({"username": "ann,,bob"}, {"username": "[] is not a valid username."}, id="empty username"),
        pytest.param({"username": "a"}, {"username": "[a] is not a valid username."}, id="short username"),
        pytest.param(
            {"cursor": "nonsense"},
            {"cursor": "A page is found by the `next` or `previous` of another one, and by nothing else."},
            id="cursor",
        ),
        pytest.param({"page_size": "0"}, {"page_size": "Ensure this value is greater than or equal to 1."}, id="0"),
        pytest.param({"page_size": "101"}, {"page_size": "Ensure this value is less than or equal to 100."}, id="101"),
        pytest.param({"page_size": "many"}, {"page_size": "A valid integer is required."}, id="many"),
        pytest.param({"page_size": "9" * 2000}, {"page_size": "String value too large."}, id="huge"),
        pytest.param(
            {"course_id": "x", "username": "1*2", "email": "e," * 100},
            {
                "course_id": "[x] is not a valid course key.",
                "username": "[1*2] is not a valid username.",
                "email": "At most 100 are taken at once, not 101.",
            },
            id="all at once",
        ),
    ],
)
def test_wrong_parameters_are_all_named(world, query, errors):
    response = staff_client().get(URL, query)

    assert response.status_code == 400
    assert response.json() == {"field_errors": {name: {"developer_message": text} for name, text in errors.items()}}


@pytest.mark.parametrize("name", ["username", "email", "course_ids", "course_keys"])
def test_a_hundred_are_taken_at_once_and_no_more(name):
    items = [f"item{number}" for number in range(101)]

    assert listed(**{name: ",".join(items[:100])}) == []
    response = staff_client().get(URL, {name: ",".join(items)})

    text = "At most 100 are taken at once, not 101."
    assert (response.status_code, response.json()) == (400, {"field_errors": {name: {"developer_message": text}}})


def test_a_host_may_take_other_usernames(settings, world):
    assert staff_client().get(URL, {"username": "bo.b"}).status_code == 400
    settings.ENROLLMENT_USERNAME_FILTER_PATTERN = r"[\w .@_+-]{2,30}"
    assert listed(username="bo.b") == []


def test_nul_is_refused_like_everything_unreadable():
    response = staff_client().get(f"{URL}?username=a%00b")
    assert (response.status_code, response.json()["error_code"]) == (400, "malformed_body")


def test_pages_lead_to_each_other_and_keep_the_question(world):
    client = staff_client()
    first = client.get(URL, {"page_size": 1, "email": "bob@example.com", "course_ids": "edX+DemoX,edX+Other"})
    second = client.get(first.json()["next"])
    back = client.get(second.json()["previous"])

    assert first.json()["next"].startswith(f"http://testserver{URL}?")
    assert [len(page.json()["results"]) for page in (first, second)] == [1, 1]
    assert (first.json()["previous"], second.json()["next"], back.json()["previous"]) == (None, None, None)
    assert back.json()["results"] == first.json()["results"] != second.json()["results"]


def test_a_hundred_are_on_a_page():
    user = UserFactory()
    for number in range(101):
        CourseEnrollmentFactory(user=user, course=None, course_id=f"course-v1:edX+{number}+1")
    client = staff_client()

    page = client.get(URL).json()

    assert len(page["results"]) == 100
    assert len(client.get(page["next"]).json()["results"]) == 1


@pytest.mark.rule("enrollment.budgets")
@pytest.mark.parametrize("rows", [1, 40])
def test_a_page_takes_two_statements(rows):
    for _ in range(rows):
        CourseEnrollmentFactory()
    client = staff_client()
    with statements(without=("django_session",)) as run:
        assert client.get(URL).status_code == 200
    assert len([text for text in run.texts if "enrollment_" in text]) == len(run) - 1 == 2, run  # and the caller


def test_nobody_but_staff_may_see_it(world):
    anonymous, learner = client_of().get(URL), client_of(UserFactory()).get(URL)

    assert (anonymous.status_code, anonymous.json()) == (
        401,
        {
            "detail": "Authentication credentials were not provided.",
            "developer_message": "Authentication credentials were not provided.",
            "error_code": "not_authenticated",
        },
    )
    assert (learner.status_code, learner.json()) == (
        403,
        {
            "detail": "You do not have permission to perform this action.",
            "developer_message": "You do not have permission to perform this action.",
            "error_code": "permission_denied",
        },
    )
