"""Version 2 of the REST endpoints: what differs from version 1 (enrollment contract 16)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import Resolver404, resolve

from enrollment.models import CourseEnrollment, CourseEnrollmentAllowed, RetirementRequest
from tests.credit.rest import client_of, staff_client
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)
from tests.enrollment.rest import COURSE, KEY, V1, server_client
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.rest.v2")]

V2 = "/api/enrollment/v2/"
OF_BOB = f"{V2}enrollments/bob,{COURSE}/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TITLES = {
    "validation": "The request is not valid.",
    "authn": "Nobody is logged in, or the credentials are not valid.",
    "authz": "The caller may not do this.",
    "not-found": "There is no such thing.",
    "conflict": "This contradicts what has happened meanwhile.",
    "rate-limited": "The caller has called too often.",
}


@pytest.fixture(autouse=True)
def _key(settings):
    settings.EDX_API_KEY = KEY


@pytest.fixture
def course():
    return CourseFactory(id=COURSE)


@pytest.fixture
def bob():
    return UserFactory(username="bob", email="bob@example.com")


@pytest.fixture
def enrollment(bob, course):
    return CourseEnrollmentFactory(user=bob, course=course, created=NOON)


DETAILS = {
    "course_id": COURSE,
    "course_name": "Demonstration",
    "enrollment_start": None,
    "enrollment_end": None,
    "course_start": None,
    "course_end": None,
    "invite_only": False,
    "course_modes": [
        {
            "slug": "audit",
            "name": "Audit",
            "min_price": 0,
            "suggested_prices": "",
            "currency": "usd",
            "expiration_datetime": None,
            "description": None,
            "sku": None,
            "bulk_sku": None,
        }
    ],
    "pacing_type": "Instructor Paced",
}
RECORD = {"created": "2026-03-01T12:00:00Z", "mode": "audit", "is_active": True, "user": "bob"}


def is_problem(response, status, kind, code, detail=None, **members):
    """Compare a whole problem; without a text, any will do."""
    body = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, body) == (
        status,
        {
            "type": f"tag:coursecredit.org,2026:problems/{kind}",
            "title": TITLES[kind],
            "status": status,
            "detail": detail or body["detail"],
            "instance": response.wsgi_request.path,
            "error_code": code,
            **members,
        },
    )
    return True


def ask(client, course_id=COURSE, **fields):
    return client.post(f"{V2}enrollment/", {"course_details": {"course_id": course_id}, **fields}, format="json")


class TestOneEnrollment:
    def test_is_the_one_of_version_1(self, bob, enrollment):
        client = client_of(bob)
        response = client.get(OF_BOB)
        assert (response.status_code, response.json()) == (200, {**RECORD, "course_details": DETAILS})
        assert response.json() == client.get(f"{V1}enrollment/bob,{COURSE}").json()

    def test_in_short(self, bob, enrollment):
        response = client_of(bob).get(OF_BOB, {"view": "minimal"})
        assert response.json() == {**RECORD, "course_id": COURSE}

    def test_in_short_although_the_course_is_gone(self, bob, enrollment):
        enrollment.course.delete()
        assert client_of(bob).get(OF_BOB, {"view": "minimal"}).json() == {**RECORD, "course_id": COURSE}

    @pytest.mark.parametrize("view", ["", "full", "MINIMAL"])
    def test_no_other_word_shortens_it(self, bob, enrollment, view):
        assert "course_details" in client_of(bob).get(OF_BOB, {"view": view}).json()

    @pytest.mark.parametrize("view", ["", "minimal"])
    def test_where_there_is_none_the_answer_is_empty(self, bob, view):
        response = client_of(bob).get(OF_BOB, {"view": view})
        assert (response.status_code, response.content) == (200, b"")

    @pytest.mark.parametrize("name", ["bob", "nobody"])
    def test_others_are_not_found(self, enrollment, name):
        response = client_of(UserFactory()).get(f"{V2}enrollments/{name},{COURSE}/")
        assert is_problem(
            response, 404, "not-found", "not_found", "There is no such enrollment that you may see or change."
        )

    def test_no_course_key(self, bob):
        response = client_of(bob).get(f"{V2}enrollments/bob,a+b+c/")
        assert is_problem(response, 400, "validation", "invalid_course_id")


class TestList:
    def test_comes_in_pages_of_ten(self, bob):
        for day in range(12):
            CourseEnrollmentFactory(user=bob, created=NOON + timedelta(days=day))
        client = client_of(bob)

        first = client.get(f"{V2}enrollment/").json()
        second = client.get(first["next"]).json()

        whole = client.get(f"{V1}enrollment").json()
        address = f"http://testserver{V2}enrollment/"
        assert first == {
            "next": f"{address}?page=2",
            "previous": None,
            "count": 12,
            "num_pages": 2,
            "current_page": 1,
            "start": 0,
            "results": whole[:10],
        }
        assert second == {
            "next": None,
            "previous": address,
            "count": 12,
            "num_pages": 2,
            "current_page": 2,
            "start": 10,
            "results": whole[10:],
        }

    def test_in_short(self, bob, enrollment):
        response = client_of(bob).get(f"{V2}enrollment/", {"view": "minimal"})
        assert response.json()["results"] == [{**RECORD, "course_id": COURSE}]

    @pytest.mark.parametrize(("size", "taken"), [("3", 3), ("100", 11), ("1000", 11), ("0", 10), ("x", 10)])
    def test_at_most_a_hundred_on_a_page(self, bob, size, taken):
        CourseEnrollmentFactory.create_batch(11, user=bob)
        page = client_of(bob).get(f"{V2}enrollment/", {"page_size": size}).json()
        assert len(page["results"]) == taken

    @pytest.mark.parametrize("page", ["0", "2", "x", "-1", "9" * 30])
    def test_pages_that_do_not_exist(self, bob, page):
        response = client_of(bob).get(f"{V2}enrollment/", {"page": page})
        assert is_problem(response, 404, "not-found", "not_found")

    def test_somebody_elses_are_for_who_may_see_them(self, enrollment):
        for client, count in [(server_client(), 1), (staff_client(), 1), (client_of(UserFactory()), 0)]:
            assert client.get(f"{V2}enrollment/", {"user": "bob"}).json()["count"] == count


class TestRequest:
    def test_answers_as_version_1(self, bob, course):
        response = ask(client_of(bob))
        assert (response.status_code, response.json()["course_details"]) == (200, DETAILS)
        assert CourseEnrollment.is_enrolled(bob, COURSE)

    @pytest.mark.parametrize("named", [{"user": "nobody"}, {"email": "nobody@example.com"}])
    def test_a_learner_who_does_not_exist_is_not_found(self, course, named):
        response = ask(server_client(), **named)
        assert is_problem(response, 404, "not-found", "user_not_found")

    def test_nobody_named(self, course):
        assert is_problem(ask(server_client()), 400, "validation", "target_missing")

    @pytest.mark.parametrize("named", [{"user": "bob"}, {"user": "nobody"}, {"email": "bob@example.com"}])
    def test_others_are_hidden(self, bob, course, named):
        response = ask(client_of(UserFactory()), **named)
        assert is_problem(
            response, 404, "not-found", "not_found", "There is no such enrollment that you may see or change."
        )

    @pytest.mark.parametrize(
        ("fields", "status", "kind", "code"),
        [
            pytest.param({"course_id": ""}, 400, "validation", "course_id_missing", id="no course"),
            pytest.param({"course_id": "DemoX"}, 400, "validation", "invalid_course_id", id="no course key"),
            pytest.param({"course_id": "course-v1:a+b+c"}, 400, "validation", "course_not_found", id="unknown course"),
            pytest.param({"mode": "verified"}, 403, "authz", "mode_forbidden", id="mode of others"),
            pytest.param({"is_active": 1}, 400, "validation", "invalid_is_active", id="no boolean"),
            pytest.param({"cohort": "red"}, 400, "validation", "cohort_not_found", id="no cohort"),
            pytest.param({"enrollment_attributes": [7]}, 400, "validation", "attribute_invalid", id="no attribute"),
        ],
    )
    def test_refusals_are_problems_and_change_nothing(self, bob, course, fields, status, kind, code):
        assert is_problem(ask(client_of(bob), **fields), status, kind, code)
        assert not CourseEnrollment.objects.exists()

    def test_a_mode_that_is_not_offered_comes_with_those_that_are(self, bob, course):
        CourseModeFactory(course=course, mode_slug="professional")
        response = ask(client_of(bob), mode="audit")
        details = server_client().get(f"{V2}courses/{COURSE}/").json()
        assert [mode["slug"] for mode in details["course_modes"]] == ["professional"]
        assert is_problem(response, 400, "validation", "mode_unavailable", course_details=details)

    def test_what_a_hook_says_to_learners_is_for_them(self, settings, bob, course):
        settings.ENROLLMENT_PORTS = {"EnrollHook": ["tests.enrollment.doubles.KeepOut"]}
        text = "Pay your fees first."
        response = ask(client_of(bob))
        assert is_problem(response, 403, "authz", "enrollment_not_allowed", text, user_message=text)

    def test_what_another_hook_says_is_not(self, settings, bob, course):
        settings.ENROLLMENT_PORTS = {"PreEnrollHook": ["tests.enrollment.doubles.PreventEverything"]}
        text = "This site prevented the request before it changed anything."
        assert is_problem(ask(client_of(bob)), 400, "validation", "prevented", text)

    def test_a_site_without_its_store_does_not_say_where_it_should_be(self, settings, bob, course):
        settings.ENROLLMENT_DATA_API = "no.such.module"
        text = "The module that stores enrollments could not be loaded."
        assert is_problem(ask(client_of(bob)), 400, "validation", "backend_unavailable", text)


class TestCourse:
    def test_is_public(self, course):
        response = client_of().get(f"{V2}courses/{COURSE}/")
        assert (response.status_code, response.json(), response["Cache-Control"]) == (200, DETAILS, "max-age=60")

    def test_unknown(self):
        assert is_problem(client_of().get(f"{V2}courses/{COURSE}/"), 404, "not-found", "course_not_found")

    def test_no_course_key(self):
        assert is_problem(client_of().get(f"{V2}courses/a+b+c/"), 400, "validation", "invalid_course_id")
        assert client_of().get(f"{V2}courses/DemoX/").status_code == 404  # no address of ours


class TestRoles:
    def test_are_those_of_version_1(self, bob):
        CourseAccessRoleFactory(user=bob, course_id=COURSE)
        expected = {"roles": [{"org": "edX", "course_id": COURSE, "role": "staff"}], "is_staff": False}
        assert client_of(bob).get(f"{V2}roles/").json() == expected

    def test_of_nobody(self):
        assert is_problem(client_of().get(f"{V2}roles/"), 401, "authn", "not_authenticated")
        assert is_problem(server_client().get(f"{V2}roles/"), 400, "validation", "target_missing")


class TestInvitations:
    URL = f"{V2}enrollment/enrollment_allowed/"

    def test_are_made_listed_and_withdrawn(self):
        client, named = staff_client(), {"email": "Eve@example.com", "course_id": COURSE}

        created = client.post(self.URL, named, format="json")
        listed = client.get(self.URL, {"email": "eve@example.com"})
        deleted = client.delete(self.URL, named, format="json")

        assert (created.status_code, listed.status_code, deleted.status_code) == (201, 200, 204)
        assert listed.json() == [created.json()]
        assert not CourseEnrollmentAllowed.objects.exists()

    def test_twice_is_a_conflict(self):
        CourseEnrollmentAllowedFactory(email="eve@example.com", course_id=COURSE)
        response = staff_client().post(self.URL, {"email": "EVE@example.com", "course_id": COURSE}, format="json")
        assert is_problem(
            response, 409, "conflict", "invitation_exists", "This address is invited to this course already."
        )

    def test_none_to_withdraw(self):
        response = staff_client().delete(self.URL, {"email": "eve@example.com", "course_id": COURSE}, format="json")
        assert is_problem(response, 404, "not-found", "invitation_not_found")

    def test_a_body_that_is_no_object(self):
        response = staff_client().generic("POST", self.URL, "[]", "application/json")
        assert is_problem(response, 400, "validation", "malformed_body", "The body must be an object.")


class TestUnenrollment:
    URL = f"{V2}enrollment/unenroll/"

    @pytest.fixture
    def retirer(self):
        return client_of(UserFactory(is_superuser=True))

    def test_ends_everything(self, retirer, enrollment):
        RetirementRequest.objects.create(username="bob", state="RETIRING_ENROLLMENTS")
        response = retirer.post(self.URL, {"username": "bob"}, format="json")
        assert (response.status_code, response.json()) == (200, ["edX"])
        assert retirer.post(self.URL, {"username": "bob"}, format="json").status_code == 204

    @pytest.mark.parametrize("body", [{}, {"username": None}, {"username": 7}])
    def test_a_username_is_required(self, retirer, body):
        response = retirer.post(self.URL, body, format="json")
        errors = {"username": ["This field is required, as text."]}
        assert is_problem(response, 400, "validation", "invalid_fields", TITLES["validation"], errors=errors)

    @pytest.mark.parametrize(
        ("state", "status", "kind", "code"),
        [
            (None, 404, "not-found", "retirement_not_found"),
            ("PENDING", 409, "conflict", "retirement_not_in_progress"),
        ],
    )
    def test_who_is_not_being_removed_stays(self, retirer, enrollment, state, status, kind, code):
        if state is not None:
            RetirementRequest.objects.create(username="bob", state=state)
        response = retirer.post(self.URL, {"username": "bob"}, format="json")
        assert is_problem(response, status, kind, code)
        enrollment.refresh_from_db()
        assert enrollment.is_active


class TestEverybodys:
    URL = f"{V2}enrollments/"

    @pytest.fixture
    def rows(self):
        return [CourseEnrollmentFactory(created=NOON + timedelta(days=day)) for day in (1, 0, 2)]

    def test_come_in_pages_that_tell_how_many_there_are(self, rows):
        page = staff_client().get(self.URL, {"page_size": 2}).json()
        assert page == {
            "next": f"http://testserver{self.URL}?page=2&page_size=2",
            "previous": None,
            "count": 3,
            "num_pages": 2,
            "current_page": 1,
            "start": 0,
            "results": [
                {
                    "created": f"2026-03-0{day}T12:00:00Z",
                    "mode": "audit",
                    "is_active": True,
                    "user": row.username,
                    "course_id": row.course_id,
                }
                for day, row in ((3, rows[2]), (2, rows[0]))
            ],
        }

    @pytest.mark.parametrize(
        ("ordering", "places"),
        [
            ("created", [1, 0, 2]),
            ("-created", [2, 0, 1]),
            ("id", [0, 1, 2]),
            ("-id", [2, 1, 0]),
            ("user", [2, 0, 1]),
            ("", [2, 0, 1]),
        ],
    )
    def test_come_in_the_order_that_is_asked_for(self, rows, ordering, places):
        page = staff_client().get(self.URL, {"ordering": ordering}).json()
        assert [row["user"] for row in page["results"]] == [rows[place].username for place in places]

    @pytest.mark.parametrize(
        ("name", "deprecation"),
        [
            ("course_key", None),
            ("course_keys", None),
            ("course_id", "@1767225600"),
            ("course_ids", "@1767225600"),
        ],
    )
    def test_old_names_of_parameters_work_and_are_called_old(self, rows, name, deprecation):
        response = staff_client().get(self.URL, {name: rows[0].course_id})
        assert [row["user"] for row in response.json()["results"]] == [rows[0].username]
        assert response.get("Deprecation") == deprecation

    def test_wrong_parameters_are_all_named(self):
        response = staff_client().get(self.URL, {"course_key": "x", "username": "1*2", "email": "e," * 100})
        errors = {
            "course_key": ["[x] is not a valid course key."],
            "username": ["[1*2] is not a valid username."],
            "email": ["At most 100 are taken at once, not 101."],
        }
        assert is_problem(response, 400, "validation", "invalid_fields", TITLES["validation"], errors=errors)

    def test_a_hundred_are_on_a_page_and_no_more(self):
        user = UserFactory()
        for number in range(101):
            CourseEnrollmentFactory(user=user, course=None, course_id=f"course-v1:edX+{number}+1")
        client = staff_client()
        assert len(client.get(self.URL).json()["results"]) == 100
        assert len(client.get(self.URL, {"page_size": 1000}).json()["results"]) == 100

    @pytest.mark.rule("enrollment.budgets")
    @pytest.mark.parametrize("count", [1, 40])
    def test_a_page_takes_two_statements(self, count):
        rows = CourseEnrollmentFactory.create_batch(count)
        client = staff_client()
        query = {"username": rows[0].username, "course_keys": rows[0].course_id, "email": rows[0].user.email}
        for asked in ({}, query):
            with statements(without=("django_session",)) as run:
                assert client.get(self.URL, asked).status_code == 200
            assert len(run) == 3, run  # and the caller

    def test_are_for_staff(self, settings):
        denied = "You do not have permission to perform this action."
        assert is_problem(client_of().get(self.URL), 401, "authn", "not_authenticated")
        assert is_problem(client_of(UserFactory()).get(self.URL), 403, "authz", "permission_denied", denied)
        assert is_problem(server_client().get(self.URL), 401, "authn", "not_authenticated")


def test_who_calls_too_often_is_told_so(settings, bob):
    settings.ENROLLMENT_THROTTLE_RATES = {"user": "1/minute"}
    client = client_of(bob)
    client.get(f"{V2}enrollment/")
    response = client.get(f"{V1}enrollment")  # all versions together
    assert response.status_code == 429
    response = client.get(f"{V2}enrollment/")
    assert is_problem(response, 429, "rate-limited", "throttled")
    assert 0 < int(response["Retry-After"]) <= 60


@pytest.mark.parametrize(
    "path",
    ["enrollment", "enrollment/unenroll", "enrollment/enrollment_allowed", "enrollments", f"courses/{COURSE}", "roles"],
)
def test_every_address_ends_with_a_slash(path):
    resolve(f"{V2}{path}/")
    with pytest.raises(Resolver404):
        resolve(f"{V2}{path}")
