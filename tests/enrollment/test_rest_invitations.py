"""GET, POST and DELETE enrollment_allowed/ (enrollment contract 10.11)."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from enrollment.models import CourseEnrollmentAllowed, ManualEnrollmentAudit
from tests.credit.rest import client_of, staff_client
from tests.enrollment.factories import CourseEnrollmentAllowedFactory, UserFactory
from tests.enrollment.rest import COURSE, V1

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.rest.invitations")]

URL = f"{V1}enrollment_allowed/"
EMAIL = "Eve@example.com"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
INCOMPLETE = {"message": "Both `email` and `course_id` are required.", "error_code": "invitation_incomplete"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def invitation():
    return CourseEnrollmentAllowedFactory(email=EMAIL, course_id=COURSE, created=NOON)


def audits():
    rows = ManualEnrollmentAudit.objects.order_by("pk")
    return list(rows.values_list("state_transition", "enrolled_email", "enrolled_by__username"))


class TestGet:
    def test_tells_all_but_the_rows_id(self, invitation):
        learner = UserFactory()
        CourseEnrollmentAllowedFactory(email=EMAIL, course_id="a/b/c", auto_enroll=True, user=learner, created=NOON)

        response = staff_client().get(URL, {"email": EMAIL.lower()})

        created = "2026-03-01T12:00:00Z"
        assert (response.status_code, response.json()) == (
            200,
            [
                {"email": EMAIL, "course_id": COURSE, "auto_enroll": False, "created": created, "user": None},
                {"email": EMAIL, "course_id": "a/b/c", "auto_enroll": True, "created": created, "user": learner.pk},
            ],
        )

    @pytest.mark.parametrize("own", [EMAIL, "mallory@example.com", ""])
    def test_without_an_address_it_is_the_callers(self, invitation, own):
        client = client_of(UserFactory(is_staff=True, email=own))
        assert len(client.get(URL).json()) == (own == EMAIL)

    @pytest.mark.parametrize("email", ["", "mallory@example.com", "nonsense", "💩"])
    def test_of_others_there_are_none(self, invitation, email):
        response = staff_client().get(URL, {"email": email})
        assert (response.status_code, response.json()) == (200, [])


class TestPost:
    @pytest.mark.parametrize(
        ("body", "auto_enroll"),
        [
            pytest.param({}, False, id="nothing said"),
            pytest.param({"auto_enroll": True}, True, id="true"),
            pytest.param({"auto_enroll": False}, False, id="false"),
        ],
    )
    def test_invites_and_records_who_did(self, body, auto_enroll):
        client = client_of(UserFactory(username="staff", is_staff=True))

        response = client.post(URL, {"email": EMAIL, "course_id": COURSE, **body}, format="json")

        row = CourseEnrollmentAllowed.objects.get()
        assert (response.status_code, response.json()) == (
            201,
            {
                "email": EMAIL,
                "course_id": COURSE,
                "auto_enroll": auto_enroll,
                "created": row.created.isoformat().replace("+00:00", "Z"),
                "user": None,
            },
        )
        assert (row.email, row.course_id, row.auto_enroll) == (EMAIL, COURSE, auto_enroll)
        assert audits() == [("from unenrolled to allowed to enroll", EMAIL, "staff")]

    @pytest.mark.parametrize("text", ["true", "True", "TRUE", "false"])
    @pytest.mark.parametrize("kind", [FORM, "multipart"])
    def test_forms_say_it_in_words(self, text, kind):
        fields = {"email": EMAIL, "course_id": COURSE.replace("+", "%2B" if kind == FORM else "+"), "auto_enroll": text}
        if kind == FORM:
            body = "&".join(f"{name}={value}" for name, value in fields.items())
            response = staff_client().generic("POST", URL, body, kind)
        else:
            response = staff_client().post(URL, fields, format=kind)

        assert response.status_code == 201, response.content
        assert CourseEnrollmentAllowed.objects.get().auto_enroll is (text != "false")

    @pytest.mark.parametrize("email", [EMAIL, EMAIL.lower()])
    def test_twice_is_a_conflict(self, invitation, email):
        response = staff_client().post(URL, {"email": email, "course_id": COURSE}, format="json")

        assert (response.status_code, response.json()) == (
            409,
            {"message": "This address is invited to this course already.", "error_code": "invitation_exists"},
        )
        assert audits() == []

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            pytest.param({"email": None}, "invitation_incomplete", id="no email"),
            pytest.param({"email": ""}, "invitation_incomplete", id="empty email"),
            pytest.param({"course_id": None}, "invitation_incomplete", id="no course"),
            pytest.param({"course_id": ""}, "invitation_incomplete", id="empty course"),
            pytest.param({"email": ["a@b.com"]}, "malformed_body", id="email that is a list"),
            pytest.param({"course_id": 7}, "malformed_body", id="course that is a number"),
            pytest.param({"email": "eve"}, "invalid_email", id="no address"),
            pytest.param({"email": f"{'e' * 250}@example.com"}, "invalid_email", id="long address"),
            pytest.param({"course_id": "DemoX"}, "invalid_course_id", id="no course key"),
            pytest.param({"course_id": f"course-v1:{'x' * 250}+b+c"}, "invalid_course_id", id="long course key"),
            pytest.param({"auto_enroll": "true"}, "invalid_auto_enroll", id="text"),
            pytest.param({"auto_enroll": 1}, "invalid_auto_enroll", id="number"),
            pytest.param({"auto_enroll": None}, "invalid_auto_enroll", id="null"),
        ],
    )
    def test_malformed_bodies_change_nothing(self, changes, code):
        response = staff_client().post(URL, {"email": EMAIL, "course_id": COURSE, **changes}, format="json")

        assert (response.status_code, response.json()["error_code"]) == (400, code)
        assert set(response.json()) == {"message", "error_code"}
        assert not CourseEnrollmentAllowed.objects.exists()
        assert audits() == []

    def test_a_form_says_true_or_false(self):
        response = staff_client().post(
            URL, {"email": EMAIL, "course_id": COURSE, "auto_enroll": "yes"}, format="multipart"
        )
        assert (response.status_code, response.json()) == (
            400,
            {"message": "`auto_enroll` must be true or false.", "error_code": "invalid_auto_enroll"},
        )

    @pytest.mark.parametrize("body", ["[]", "7", '"text"', "{", "null"])
    def test_the_body_is_an_object(self, body):
        response = staff_client().generic("POST", URL, body, "application/json")
        assert (response.status_code, response.json()["error_code"]) == (400, "malformed_body")


class TestDelete:
    @pytest.mark.parametrize(
        "send",
        [
            pytest.param(lambda client, fields: client.delete(URL, fields, format="json"), id="JSON"),
            pytest.param(lambda client, fields: client.delete(URL, fields, format="multipart"), id="form"),
            pytest.param(lambda client, fields: client.delete(URL, query_params=fields), id="query"),
            pytest.param(
                lambda client, fields: client.generic(
                    "DELETE", f"{URL}?{urlencode(fields)}", "null", "application/json"
                ),
                id="query and no object",
            ),
            pytest.param(
                lambda client, fields: client.delete(
                    URL, {"email": fields["email"]}, query_params={"course_id": fields["course_id"]}, format="json"
                ),
                id="half and half",
            ),
        ],
    )
    def test_withdraws_and_records_who_did(self, invitation, send):
        client = client_of(UserFactory(username="staff", is_staff=True))

        response = send(client, {"email": EMAIL.lower(), "course_id": COURSE})

        assert (response.status_code, response.content) == (204, b"")
        assert not CourseEnrollmentAllowed.objects.exists()
        assert audits() == [("from allowed to enroll to unenrolled", EMAIL, "staff")]

    @pytest.mark.parametrize(
        ("fields", "status", "code"),
        [
            pytest.param({}, 400, "invitation_incomplete", id="nothing"),
            pytest.param({"email": EMAIL}, 400, "invitation_incomplete", id="no course"),
            pytest.param({"email": "", "course_id": COURSE}, 400, "invitation_incomplete", id="empty email"),
            pytest.param({"email": 7, "course_id": COURSE}, 400, "malformed_body", id="number"),
            pytest.param({"email": EMAIL, "course_id": "DemoX"}, 400, "invalid_course_id", id="no course key"),
            pytest.param({"email": EMAIL, "course_id": "a/b/c"}, 404, "invitation_not_found", id="other course"),
            pytest.param({"email": "x@y.zz", "course_id": COURSE}, 404, "invitation_not_found", id="other address"),
            pytest.param({"email": "eve", "course_id": COURSE}, 404, "invitation_not_found", id="no address"),
        ],
    )
    def test_what_cannot_be_withdrawn_stays(self, invitation, fields, status, code):
        response = staff_client().delete(URL, fields, format="json")

        assert (response.status_code, response.json()["error_code"]) == (status, code)
        assert set(response.json()) == {"message", "error_code"}
        assert CourseEnrollmentAllowed.objects.get() == invitation
        assert audits() == []


def test_bodies_that_miss_something_are_told_what(invitation):
    client = staff_client()
    for method in ("POST", "DELETE"):
        response = client.generic(method, URL, json.dumps({"email": EMAIL}), "application/json")
        assert (response.status_code, response.json()) == (400, INCOMPLETE)
