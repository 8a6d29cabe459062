"""Programs that others have written for Open edX's enrollment API, unmodified, against this service.

`make clients` builds their environment and names it in `CLIENTS_PYTHON`. The service runs as in production.
"""

from datetime import datetime, timedelta

import pytest

from tests.clients.processes import Refused
from tests.clients.rows import CLOSED, CROWD, CROWDED, FULL, LAPSED, LEGACY, OPEN, PAID, UNKNOWN

pytestmark = [pytest.mark.slow, pytest.mark.rule("enrollment.clients")]

NO_DATES = {"enrollment_start": None, "enrollment_end": None, "course_start": None, "course_end": None}


def mode(slug, name, **others):
    """Return a course mode as it is told."""
    nothing = dict.fromkeys(("expiration_datetime", "description", "sku", "bulk_sku"))
    return {"slug": slug, "name": name, "min_price": 0, "suggested_prices": "", "currency": "usd", **nothing, **others}


AUDIT, CREDIT = mode("audit", "Audit"), mode("credit", "Credit")
VERIFIED = mode(
    "verified",
    "Verified Certificate",
    min_price=49,
    suggested_prices="10,20",
    expiration_datetime="2036-11-01T12:30:00Z",
    sku="8CF08E5",
    bulk_sku="A5B6DBE",
)
DEMO = {
    "course_id": OPEN,
    "course_name": "Demonstration",
    **NO_DATES,
    "course_start": "2026-02-03T00:00:00Z",
    "invite_only": False,
    "course_modes": [AUDIT, VERIFIED, CREDIT],
    "pacing_type": "Instructor Paced",
}
OLD = {
    "course_id": LEGACY,
    "course_name": "Old",
    **NO_DATES,
    "invite_only": False,
    "course_modes": [AUDIT],
    "pacing_type": "Self Paced",
}
NO_LONGER_SOLD = "course mode is expired or otherwise unavailable for course run"


def told(username, *, mode, is_active=True, course=DEMO, created):
    """Return an enrollment as it is told, made at the moment that another answer told."""
    assert datetime.fromisoformat(created).utcoffset() == timedelta(0)
    return {"created": created, "mode": mode, "is_active": is_active, "course_details": course, "user": username}


class TestEdxEnterprise:
    """The client of the LMS in edx-enterprise: staff of a portal enroll learners, with a JWT."""

    @pytest.fixture
    def portal(self, clients):
        return lambda method, *arguments, **options: clients.call(
            "edx-enterprise", "portal", method, *arguments, **options
        )

    def test_reads_courses_and_their_modes(self, portal):
        assert portal("get_course_details", OPEN) == DEMO
        assert portal("get_course_details", LEGACY) == OLD
        assert portal("get_course_modes", OPEN) == [VERIFIED, AUDIT]  # as it sorts them, without credit
        assert portal("has_course_mode", OPEN, "verified") is True
        assert portal("has_course_mode", OPEN, "professional") is False

    @pytest.mark.parametrize("course_id", [UNKNOWN, "no key", "course-v1:edX+Demo"])
    def test_takes_an_unknown_course_for_one_without_modes(self, portal, course_id):
        assert portal("get_course_details", course_id) == {}
        assert portal("get_course_modes", course_id) == []

    def test_enrolls_upgrades_and_unenrolls(self, portal, learner):
        enrolled = portal("enroll_user_in_course", learner, OPEN, "audit", enterprise_uuid="2f3c")
        created = enrolled["created"]
        assert enrolled == told(learner, mode="audit", created=created)
        assert portal("enroll_user_in_course", learner, OPEN, "audit") == enrolled  # with the text "None" as uuid
        assert portal("is_enrolled", learner, OPEN) is True

        upgraded = told(learner, mode="verified", created=created)
        assert portal("update_course_enrollment_mode_for_user", learner, OPEN, "verified") == upgraded
        assert portal("get_course_enrollment", learner, OPEN) == upgraded
        assert portal("get_enrolled_courses", learner) == [upgraded]

        assert portal("unenroll_user_from_course", learner, OPEN) is True
        assert portal("unenroll_user_from_course", learner, OPEN) is False
        assert portal("is_enrolled", learner, OPEN) is False
        assert portal("get_course_enrollment", learner, OPEN) == {**upgraded, "is_active": False}
        assert portal("get_enrolled_courses", learner) == []

        assert portal("enroll_user_in_course", learner, OPEN, "verified") == upgraded

    def test_downgrades(self, portal, learner):
        portal("enroll_user_in_course", learner, OPEN, "verified")
        assert portal("update_course_enrollment_mode_for_user", learner, OPEN, "audit")["mode"] == "audit"

    def test_lists_several_courses_oldest_first(self, portal, learner):
        both = [portal("enroll_user_in_course", learner, course_id, "audit") for course_id in (LEGACY, OPEN)]
        assert both[0] == told(learner, mode="audit", course=OLD, created=both[0]["created"])
        assert portal("get_enrolled_courses", learner) == both

    @pytest.mark.parametrize("name", ["learner0", "nobody"])
    def test_takes_an_empty_answer_for_nothing(self, portal, name):
        assert portal("get_course_enrollment", name, PAID) is None
        assert portal("is_enrolled", name, PAID) is False
        assert portal("unenroll_user_from_course", name, PAID) is False

    @pytest.mark.parametrize(
        ("course_id", "mode", "options", "status", "code", "text"),
        [
            pytest.param(OPEN, "professional", {}, 400, "mode_unavailable", NO_LONGER_SOLD, id="a mode not offered"),
            pytest.param(LAPSED, "verified", {}, 400, "mode_unavailable", NO_LONGER_SOLD, id="a mode that has expired"),
            pytest.param(CLOSED, "audit", {}, 400, "enrollment_closed", CLOSED, id="closed"),
            pytest.param(FULL, "audit", {}, 400, "course_full", FULL, id="full"),
            pytest.param(UNKNOWN, "audit", {}, 400, "course_not_found", "No course ", id="no such course"),
            pytest.param("course 7", "audit", {}, 400, "invalid_course_id", "No course ", id="no course key"),
            pytest.param(OPEN, "audit", {"cohort": "blue"}, 400, "cohort_not_found", "blue", id="no such cohort"),
        ],
    )
    def test_is_told_what_is_wrong_and_nothing_is_stored(
        self, portal, learner, course_id, mode, options, status, code, text
    ):
        with pytest.raises(Refused) as refused:
            portal("enroll_user_in_course", learner, course_id, mode, **options)
        assert (refused.value.status, refused.value.body["error_code"]) == (status, code)
        assert text in refused.value.body["message"]
        assert portal("get_course_enrollment", learner, course_id) is None

    def test_is_told_which_modes_there_are(self, portal, learner):
        with pytest.raises(Refused) as refused:
            portal("enroll_user_in_course", learner, OPEN, "professional")
        assert refused.value.body["course_details"] == DEMO

    def test_is_told_that_nobody_has_the_name(self, portal):
        with pytest.raises(Refused) as refused:
            portal("enroll_user_in_course", "nobody", OPEN, "audit")
        assert (refused.value.status, refused.value.body["error_code"]) == (406, "user_not_found")

    @pytest.mark.parametrize(
        ("name", "mode", "status", "body"),
        [
            pytest.param("luna", "audit", 404, "", id="somebody else"),
            pytest.param("nobody", "audit", 404, "", id="nobody, which is not told"),
            pytest.param("ron", "verified", 403, None, id="a mode that is sold"),
        ],
    )
    def test_a_learners_token_opens_nothing_more(self, clients, name, mode, status, body):
        with pytest.raises(Refused) as refused:
            clients.call("edx-enterprise", "ron", "enroll_user_in_course", name, OPEN, mode)
        assert refused.value.status == status
        assert body is None or refused.value.body == body
        assert clients.call("edx-enterprise", "portal", "is_enrolled", "luna", OPEN) is False

    def test_a_wrong_secret_opens_nothing(self, clients):
        with pytest.raises(Refused) as refused:
            clients.call("edx-enterprise", "nobody", "get_enrolled_courses", "ron")
        assert refused.value.status == 401


def shown(username, *, mode, is_active=True, created):
    """Return what edx-api-client makes of an enrollment in the open course."""
    modes = [
        {name: each[name] for name in ("slug", "name", "min_price", "suggested_prices", "currency")}
        | {"expiration_datetime": "2036-11-01 12:30:00+00:00" if each is VERIFIED else None}
        for each in DEMO["course_modes"]
    ]
    return {
        "course_id": OPEN,
        "created": created,
        "mode": mode,
        "is_active": is_active,
        "is_verified": mode == "verified",
        "user": username,
        "course_details": {
            "course_id": OPEN,
            "course_start": "2026-02-03 00:00:00+00:00",
            "enrollment_end": None,
            "invite_only": False,
            "course_modes": modes,
        },
    }


class TestEdxApiClient:
    """edx-api-client: a course site that acts for its learners, or as staff, with a bearer token."""

    @pytest.fixture
    def campus(self, clients):
        return lambda method, *arguments, **options: clients.call(
            "edx-api-client", "campus", method, *arguments, **options
        )

    def test_a_learner_enrolls_and_lists(self, clients):
        def by_hermione(method, *arguments, **options):
            return clients.call("edx-api-client", "hermione", method, *arguments, **options)

        assert by_hermione("get_student_enrollments") == []
        enrolled = by_hermione("create_audit_student_enrollment", OPEN)
        assert enrolled == shown("hermione", mode="audit", created=enrolled["created"])
        assert by_hermione("create_student_enrollment", OPEN) == enrolled
        assert by_hermione("get_student_enrollments") == [enrolled]
        assert by_hermione("deactivate_enrollment", OPEN) == enrolled  # learners leave through their host
        with pytest.raises(Refused) as refused:
            by_hermione("create_verified_student_enrollment", OPEN)
        assert (refused.value.status, refused.value.body["error_code"]) == (403, "mode_forbidden")
        with pytest.raises(Refused) as refused:
            by_hermione("get_enrollments")
        assert refused.value.status == 403

    def test_staff_enroll_upgrade_and_unenroll(self, campus, learner):
        enrolled = campus("create_audit_student_enrollment", OPEN, username=learner)
        upgraded = shown(learner, mode="verified", created=enrolled["created"])
        assert campus("create_verified_student_enrollment", OPEN, username=learner) == upgraded
        assert campus("deactivate_enrollment", OPEN, username=learner) == {**upgraded, "is_active": False}

    def test_order_numbers_are_kept(self, campus, service, learner):
        order = {"namespace": "order", "name": "order_number", "value": "EDX-1000"}
        campus("create_student_enrollment", OPEN, "verified", username=learner, enrollment_attributes=[order])
        assert service.rows(
            "SELECT namespace, name, value FROM enrollment_courseenrollmentattribute AS attribute"
            " JOIN enrollment_courseenrollment AS enrollment ON enrollment.id = enrollment_id"
            " JOIN auth_user ON auth_user.id = user_id WHERE username = ?",
            learner,
        ) == [("order", "order_number", "EDX-1000")]

    @pytest.mark.parametrize(
        ("attributes", "code"),
        [
            pytest.param([{"namespace": "order", "name": "order_number"}], "attribute_invalid", id="without a value"),
            pytest.param({"namespace": "order"}, "attribute_invalid", id="no list, as its documentation has it"),
        ],
    )
    def test_bad_attributes_store_nothing(self, campus, learner, attributes, code):
        with pytest.raises(Refused) as refused:
            campus("create_student_enrollment", OPEN, username=learner, enrollment_attributes=attributes)
        assert (refused.value.status, refused.value.body["error_code"]) == (400, code)
        assert campus("get_enrollments", course_id=OPEN, usernames=[learner]) == []

    def test_a_closed_course_has_to_be_forced(self, campus, learner):
        with pytest.raises(Refused) as refused:
            campus("create_student_enrollment", CLOSED, username=learner)
        assert (refused.value.status, refused.value.body["error_code"]) == (400, "enrollment_closed")
        forced = campus("create_student_enrollment", CLOSED, username=learner, force_enrollment=True)
        assert (forced["course_id"], forced["is_active"]) == (CLOSED, True)

    def test_lists_the_enrollments_of_some_learners(self, campus, learner):
        campus("create_audit_student_enrollment", OPEN, username=learner)
        campus("create_audit_student_enrollment", LEGACY, username=learner)
        listed = campus("get_enrollments", usernames=[learner, "nobody"])
        assert [(row["user"], row["course_id"], row["mode"]) for row in listed] == [
            (learner, LEGACY, "audit"),  # newest first
            (learner, OPEN, "audit"),
        ]

    def test_turns_pages_to_the_end(self, campus):
        listed = campus("get_enrollments", course_id=CROWDED)
        assert sorted(row["user"] for row in listed) == sorted(f"crowd{n}" for n in range(CROWD))


class TestEdxRestApiClient:
    """edx-rest-api-client: the session that services share, whose addresses are their own."""

    @pytest.fixture
    def send(self, clients):
        def send(method, path, *, account="worker", version="v1", **options):
            address = f"/api/enrollment/{version}{path}"
            return clients.call("edx-rest-api-client", account, "request", method, address, **options)

        return send

    def test_reads_expired_modes_as_shops_ask_for_them(self, send):
        answer = send("GET", f"/course/{LAPSED}/?include_expired=1")
        assert [mode["slug"] for mode in answer["body"]["course_modes"]] == ["audit", "verified"]
        assert answer["headers"]["Cache-Control"] == "max-age=60"

    def test_retries_an_order_without_an_effect(self, send, learner):
        order = {
            "user": learner,
            "mode": "verified",
            "is_active": True,
            "course_details": {"course_id": OPEN},
            "enrollment_attributes": [{"namespace": "order", "name": "order_number", "value": "EDX-1"}],
        }
        first, second = (send("POST", "/enrollment", json=order) for _ in range(2))
        assert (first["status"], second["status"]) == (200, 200)
        assert first["body"] == second["body"]

    def test_refuses_to_change_mode_and_leave_at_once(self, send, learner):
        body = {"user": learner, "course_details": {"course_id": OPEN}}
        send("POST", "/enrollment", json={**body, "mode": "verified"})
        with pytest.raises(Refused) as refused:
            send("POST", "/enrollment", json={**body, "mode": "audit", "is_active": False})
        assert (refused.value.status, refused.value.body["error_code"]) == (400, "mode_mismatch")
        assert "Enrollment mode mismatch" in refused.value.body["message"]

    def test_tells_what_somebody_may_do(self, send):
        assert send("GET", "/roles/")["body"] == {"roles": [], "is_staff": True}
        assert send("GET", "/roles/", account="luna")["body"] == {"roles": [], "is_staff": False}

    def test_invites_and_takes_back(self, send):
        person = {"email": "New@Example.com", "course_id": OPEN}
        invited = send("POST", "/enrollment_allowed/", json={**person, "auto_enroll": True})
        created = invited["body"]["created"]
        row = {**person, "auto_enroll": True, "created": created, "user": None}
        assert (invited["status"], invited["body"]) == (201, row)
        with pytest.raises(Refused) as refused:
            send("POST", "/enrollment_allowed/", json=person)
        assert refused.value.status == 409
        assert send("GET", "/enrollment_allowed/", params={"email": "new@example.com"})["body"] == [row]
        assert send("DELETE", "/enrollment_allowed/", json=person)["status"] == 204
        with pytest.raises(Refused) as refused:
            send("DELETE", "/enrollment_allowed/", json=person)
        assert refused.value.status == 404

    def test_retires_enrollments(self, send):
        send("POST", "/enrollment", json={"user": "leaver", "course_details": {"course_id": OPEN}})
        answers = [
            send("POST", "/unenroll/", account="retirer", json={"username": "leaver"})["status"] for _ in range(2)
        ]
        assert answers == [200, 204]
        assert send("GET", f"/enrollment/leaver,{OPEN}")["body"]["is_active"] is False

    @pytest.mark.parametrize(
        ("account", "username", "status"),
        [
            pytest.param("retirer", "waiting", 409, id="not yet"),
            pytest.param("retirer", "locked", 409, id="a step that is done"),
            pytest.param("retirer", "luna", 404, id="who stays"),
            pytest.param("worker", "leaver", 403, id="staff who may not"),
        ],
    )
    def test_retires_nobody_else(self, send, account, username, status):
        with pytest.raises(Refused) as refused:
            send("POST", "/unenroll/", account=account, json={"username": username})
        assert refused.value.status == status

    def test_enrolls_a_class_in_one_call(self, send, learner):
        items = [
            {"username": learner, "course_id": OPEN, "mode": "verified"},
            {"email": "guest@example.com", "course_id": OPEN},
            {"username": learner, "course_id": CLOSED},
        ]
        answer = send("POST", "/bulk/", json={"items": items, "invite_unknown": True})
        assert (answer["status"], answer["body"]["succeeded"], answer["body"]["failed"]) == (200, 2, 1)
        enrolled, invited, refused = answer["body"]["results"]
        assert (enrolled["before"], enrolled["after"]) == (None, {"mode": "verified", "is_active": True})
        assert invited["invited"] is True
        assert refused["error"]["error_code"] == "enrollment_closed"
        [listed] = send("GET", "/enrollment", params={"user": learner})["body"]
        assert listed == told(learner, mode="verified", created=listed["created"])

    def test_reads_version_2(self, send, learner):
        send("POST", "/enrollment", json={"user": learner, "course_details": {"course_id": OPEN}})
        path = "/enrollments/?page_size=1&view=minimal"
        page = send("GET", path, version="v2", params={"username": learner})["body"]
        assert (page["count"], page["num_pages"], page["next"]) == (1, 1, None)
        with pytest.raises(Refused) as refused:
            send("GET", f"/courses/{UNKNOWN}/", version="v2")
        assert (refused.value.status, refused.value.body["status"]) == (404, 404)

    def test_is_told_to_wait(self, send):
        answers = [send("GET", "/enrollment", account="neville")["status"] for _ in range(40)]
        with pytest.raises(Refused) as refused:
            send("GET", "/enrollment", account="neville")
        assert (answers, refused.value.status) == ([200] * 40, 429)
