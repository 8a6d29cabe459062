"""POST enrollment: each step in its order, each answer (enrollment contract 10.6)."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, connections
from django.utils import timezone

from enrollment.models import CourseEnrollment, CourseEnrollmentAttribute, EmailOptIn
from enrollment.ports import PreventEnrollment
from tests.credit.rest import client_of
from tests.enrollment.doubles import RecordingTracker
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)
from tests.enrollment.rest import COURSE, KEY, V1, ask, callers, server_client
from tests.support import statements

pytestmark = pytest.mark.django_db

PAST, FUTURE = -timedelta(days=1), timedelta(days=1)
MISMATCH = (400, "mode_mismatch")
UNAVAILABLE = (400, "mode_unavailable")
HIDDEN = (404, None)


@pytest.fixture(autouse=True)
def _key(settings):
    settings.EDX_API_KEY = KEY


@pytest.fixture
def course():
    return CourseFactory(id=COURSE)


def offer(*slugs, expired=()):
    """Let the course offer modes, of which some cannot be chosen any more."""
    for slug in slugs:
        when = timezone.now() + PAST if slug in expired else None
        CourseModeFactory(course_id=COURSE, mode_slug=slug, expiration_datetime=when)


def stored(username="bob"):
    """Return mode and activity of somebody's enrollment, or None."""
    return (
        CourseEnrollment.objects.filter(user__username=username, course_id=COURSE)
        .values_list("mode", "is_active")
        .first()
    )


def case(name, caller, body, *, modes=(), expired=(), was=None, course=None, invited=False, answer, then):
    return pytest.param(caller, body, modes, expired, was, course or {}, invited, answer, then, id=name)


CLOSED, FULL, INVITATION_ONLY = (
    {"enrollment_end": PAST},
    {"max_student_enrollments_allowed": 0},
    {"invitation_only": True},
)
BOB = {"user": "bob"}
WORKED_CASES = [
    case("a learner gets the default mode", "learner", {}, answer=200, then=("audit", True)),
    case("a learner gets the free mode", "learner", {}, modes=("verified", "audit"), answer=200, then=("audit", True)),
    case(
        "a mode that is not offered",
        "learner",
        {"mode": "audit"},
        modes=("professional",),
        answer=UNAVAILABLE,
        then=None,
    ),
    case(
        "a learner asks for a paid mode",
        "learner",
        {"mode": "verified"},
        modes=("verified", "audit"),
        was=("audit", True),
        answer=(403, "mode_forbidden"),
        then=("audit", True),
    ),
    case(
        "a learner cannot leave",
        "learner",
        {"is_active": False},
        was=("audit", True),
        answer=200,
        then=("audit", True),
    ),
    case("a learner names another", "learner", {"user": "staff"}, answer=HIDDEN, then=None),
    case("a learner names nobody that exists", "learner", {"user": "nobody"}, answer=HIDDEN, then=None),
    case("a server names nobody that exists", "server", {"user": "nobody"}, answer=(406, "user_not_found"), then=None),
    case(
        "a server downgrades",
        "server",
        {**BOB, "mode": "audit", "is_active": True},
        modes=("verified", "audit"),
        was=("verified", True),
        answer=200,
        then=("audit", True),
    ),
    case(
        "a server downgrades and ends at once",
        "server",
        {**BOB, "mode": "audit", "is_active": False},
        modes=("verified", "audit"),
        was=("verified", True),
        answer=MISMATCH,
        then=("verified", True),
    ),
    case(
        "a server ends an enrollment in a mode that has expired",
        "server",
        {**BOB, "mode": "verified", "is_active": False},
        modes=("verified", "audit"),
        expired=("verified",),
        was=("verified", True),
        answer=200,
        then=("verified", False),
    ),
    case(
        "a server upgrades to a mode that has expired",
        "server",
        {**BOB, "mode": "verified"},
        modes=("verified", "audit"),
        expired=("verified",),
        was=("audit", True),
        answer=200,
        then=("verified", True),
    ),
    case(
        "staff upgrade to a mode that has expired",
        "staff",
        {**BOB, "mode": "verified"},
        modes=("verified", "audit"),
        expired=("verified",),
        was=("audit", True),
        answer=UNAVAILABLE,
        then=("audit", True),
    ),
    case(
        "staff force a way into a closed course",
        "staff",
        {**BOB, "mode": "verified", "force_enrollment": True},
        modes=("verified",),
        course=CLOSED,
        answer=200,
        then=("verified", True),
    ),
    case(
        "staff without force",
        "staff",
        {**BOB, "mode": "verified"},
        modes=("verified",),
        course=CLOSED,
        answer=(400, "enrollment_closed"),
        then=None,
    ),
    case(
        "a server's force is ignored",
        "server",
        {**BOB, "mode": "verified", "force_enrollment": True},
        modes=("verified",),
        course=CLOSED,
        answer=(400, "enrollment_closed"),
        then=None,
    ),
    case(
        "a learner's force is ignored",
        "learner",
        {"mode": "audit", "force_enrollment": True},
        course=CLOSED,
        answer=(400, "enrollment_closed"),
        then=None,
    ),
    case("a full course", "learner", {}, course=FULL, answer=(400, "course_full"), then=None),
    case(
        "a full course and somebody in it",
        "learner",
        {},
        course=FULL,
        was=("audit", True),
        answer=200,
        then=("audit", True),
    ),
    case("without an invitation", "learner", {}, course=INVITATION_ONLY, answer=(400, "enrollment_closed"), then=None),
    case("with an invitation", "learner", {}, course=INVITATION_ONLY, invited=True, answer=200, then=("audit", True)),
    case(
        "an activity that is none",
        "server",
        {**BOB, "mode": None, "is_active": "foo"},
        answer=(400, "invalid_is_active"),
        then=None,
    ),
]


@pytest.mark.rule("enrollment.rest.worked-cases")
@pytest.mark.parametrize(
    ("caller", "body", "modes", "expired", "was", "facts", "invited", "answer", "then"), WORKED_CASES
)
def test_worked_cases(caller, body, modes, expired, was, facts, invited, answer, then):
    clients = callers()
    moments = {name: timezone.now() + value if isinstance(value, timedelta) else value for name, value in facts.items()}
    CourseFactory(id=COURSE, **moments)
    offer(*modes, expired=expired)
    if was is not None:
        CourseEnrollmentFactory(
            user=get_user_model().objects.get(username="bob"), course_id=COURSE, mode=was[0], is_active=was[1]
        )
    if invited:
        CourseEnrollmentAllowedFactory(email="bob@example.com", course_id=COURSE)

    response = ask(clients[caller], **body)

    if answer == 200:
        assert (response.status_code, response.json()["user"]) == (200, "bob")
        assert (response.json()["mode"], response.json()["is_active"]) == then
    elif answer == HIDDEN:
        assert (response.status_code, response.content) == (404, b"")
    else:
        assert (response.status_code, response.json()["error_code"]) == answer
    assert stored() == then


# --- what is answered


@pytest.fixture
def bob():
    return UserFactory(username="bob", email="Bob@Example.com")


@pytest.fixture
def learner(bob):
    return client_of(bob)


@pytest.fixture
def server(bob):
    return server_client()


def answer(response):
    return response.status_code, response.json() if response.content else b""


def refused(code, message, **more):
    return {"message": message, "error_code": code, **more}


@pytest.mark.usefixtures("course")
def test_an_enrollment_is_answered_as_it_is_then(learner):
    response = ask(learner)

    assert response.status_code == 200
    assert response.json() == learner.get(f"{V1}enrollment/{COURSE}").json()
    assert response.json() == {
        "created": response.json()["created"],
        "mode": "audit",
        "is_active": True,
        "course_details": learner.get(f"{V1}course/{COURSE}").json(),
        "user": "bob",
    }


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize("path", ["enrollment", "enrollment/"])
def test_a_repeat_gets_the_same_answer(learner, path):
    body = {"course_details": {"course_id": COURSE}}
    first, second = (learner.post(V1 + path, body, format="json") for _ in range(2))

    assert answer(first) == answer(second)
    assert CourseEnrollment.objects.count() == 1


def test_a_course_that_is_unknown(server):
    unknown = "course-v1:edX+Unknown+2026_T1"

    assert answer(ask(server, unknown, user="bob")) == (
        400,
        refused("course_not_found", f"No course '{unknown}' found for enrollment."),
    )


@pytest.mark.usefixtures("course")
def test_a_mode_error_carries_what_is_offered(server):
    offer("professional")

    assert answer(ask(server, user="bob", mode="audit")) == (
        400,
        refused(
            "mode_unavailable",
            f"The audit course mode is expired or otherwise unavailable for course run {COURSE}. "
            "Available modes: professional.",
            course_details=server.get(f"{V1}course/{COURSE}").json(),
        ),
    )


@pytest.mark.parametrize(
    ("facts", "code", "reason"),
    [
        ({"enrollment_end": PAST}, "enrollment_closed", "Enrollment in this course is closed for the learner."),
        ({"max_student_enrollments_allowed": 0}, "course_full", "The course is full."),
    ],
)
def test_other_errors_name_learner_and_course(learner, facts, code, reason):
    moments = {name: timezone.now() + value if isinstance(value, timedelta) else value for name, value in facts.items()}
    CourseFactory(id=COURSE, **moments)

    assert answer(ask(learner)) == (
        400,
        refused(
            code,
            f"An error occurred while creating the new course enrollment for user 'bob' in course '{COURSE}': {reason}",
        ),
    )


def test_a_data_backend_that_is_not_there(settings, learner):
    settings.ENROLLMENT_DATA_API = "no.such.module"

    status, body = answer(ask(learner))

    assert (status, body["error_code"]) == (400, "backend_unavailable")
    assert "no.such.module" not in body["message"]


# --- form

NO_COURSE = "Course ID must be specified to create a new enrollment: give it as `course_details.course_id`."


@pytest.mark.parametrize(
    "body",
    [{}, [], "text", 7, None, {"course_details": None}, {"course_details": []}, {"course_details": COURSE}]
    + [{"course_details": {"course_id": value}} for value in (None, "", 0, [], {})]
    + [{"course_id": COURSE}],
)
def test_without_a_course(learner, body):
    response = learner.post(f"{V1}enrollment", json.dumps(body), content_type="application/json")

    assert answer(response) == (400, refused("course_id_missing", NO_COURSE))


@pytest.mark.parametrize("course_id", ["a+b+c", "1", "course-v1:a+b", f"{COURSE}\n", "x" * 300, f" {COURSE}"])
def test_a_course_key_that_is_none(learner, course_id):
    assert answer(ask(learner, course_id)) == (
        400,
        refused("invalid_course_id", f"No course '{course_id[:255]}' found for enrollment."),
    )


@pytest.mark.parametrize("course_id", [7, True, [COURSE], {"course_id": COURSE}])
def test_a_course_key_of_another_type(learner, course_id):
    assert answer(ask(learner, course_id)) == (400, refused("invalid_course_id", "No course '' found for enrollment."))


IS_ACTIVE = refused("invalid_is_active", "`is_active` must be true, false or null.")
FORCE = refused("invalid_force_enrollment", "`force_enrollment` must be true, false or null.")


def misshapen(name, what="text or null"):
    return refused("malformed_body", f"`{name}` must be {what}.")


def bad_attribute(message):
    return refused("attribute_invalid", message, localizedMessage=message)


NOT_A_LIST = bad_attribute("Enrollment attributes must be a list.")
ATTRIBUTE = {"namespace": "order", "name": "order_number", "value": "EDX-1000"}
MISSHAPEN = [
    *((name, value, IS_ACTIVE) for name in ["is_active"] for value in ("foo", "true", "", 1, 0, [], {}, 1.5)),
    *((name, value, FORCE) for name in ["force_enrollment"] for value in ("foo", "true", "", 1, 0, [], {})),
    *(("email_opt_in", value, misshapen("email_opt_in", "true, false or null")) for value in ("true", 1, [])),
    *((name, value, misshapen(name)) for name in ("mode", "cohort", "enterprise_uuid") for value in (1, True, [], {})),
    *((name, value, misshapen(name)) for name in ("user", "email") for value in (1, True, [], {})),
    *(("enrollment_attributes", value, NOT_A_LIST) for value in ("", "x", {}, 7, True)),
    (
        "enrollment_attributes",
        [None],
        bad_attribute("An enrollment attribute must have namespace, name and value."),
    ),
    *(
        (
            "enrollment_attributes",
            [ATTRIBUTE, {key: value for key, value in ATTRIBUTE.items() if key != part}],
            bad_attribute(f"An enrollment attribute lacks its {part}."),
        )
        for part in ATTRIBUTE
    ),
    *(
        (
            "enrollment_attributes",
            [{**ATTRIBUTE, "value": value}],
            bad_attribute("The value of an enrollment attribute must be text of at most 255 characters."),
        )
        for value in (None, 7, True, "x" * 256)
    ),
]


class Hook:
    """Remembers what it was asked; keeps out whoever is called mallory."""

    calls: list[Any] = []

    def before_request(self, user, course_key, is_server_request, data):
        self.calls.append((user.username, course_key, is_server_request, data, connection.in_atomic_block))
        if user.username == "mallory":
            raise PreventEnrollment("Her company has not paid.")


@pytest.fixture
def hook(settings):
    settings.ENROLLMENT_PORTS = {"PreEnrollHook": [f"{__name__}.Hook"]}
    Hook.calls.clear()
    return Hook


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize(("name", "value", "body"), MISSHAPEN)
def test_what_is_misshapen_is_refused_before_anything_happens(hook, server, name, value, body):
    response = ask(server, **{"user": "bob", name: value})

    assert answer(response) == (400, body)
    assert (hook.calls, CourseEnrollment.objects.count()) == ([], 0)


@pytest.mark.usefixtures("course")
def test_null_and_unknown_fields_say_nothing(learner):
    names = ("user", "email", "mode", "is_active", "enrollment_attributes", "force_enrollment", "cohort")
    body = dict.fromkeys((*names, "email_opt_in", "enterprise_uuid", "linked_enterprise_customer"))
    details = {"course_id": COURSE, "email_opt_in": "true"}

    response = learner.post(
        f"{V1}enrollment", {**body, "course_details": details, "colour": "blue", "user": ""}, format="json"
    )

    assert response.status_code == 200
    assert not EmailOptIn.objects.exists()


@pytest.mark.parametrize("body", ["{", "{'a': 1}", '{"mode": "\\u0000"}', '{"mode": NaN}', b"\xff"])
def test_a_body_that_cannot_be_read(learner, body):
    response = learner.post(f"{V1}enrollment", body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["error_code"] == "malformed_body"
    assert response.json()["message"] == response.json()["detail"]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])
def test_a_body_is_json(learner, kind):
    response = learner.post(f"{V1}enrollment", "course_id=a", content_type=kind)

    assert (response.status_code, response.json()["error_code"]) == (415, "unsupported_media_type")
    assert response.json()["message"] == response.json()["detail"]


# --- the order of the steps


class Embargo:
    """Keeps everybody out."""

    def check(self, user, course_key, ip, path):
        return f"/embargo/{user.username}/{course_key}/?ip={ip}&from={path}"


FAULTS = [  # each step's fault, in the order of the steps
    ("course_id_missing", {"course_details": {}}),
    ("invalid_course_id", {"course_details": {"course_id": "a+b+c"}}),
    ("user_not_found", {"user": "nobody"}),
    ("embargoed", {}),
    ("invalid_is_active", {"is_active": "foo"}),
    ("invalid_force_enrollment", {"force_enrollment": "foo"}),
    ("attribute_invalid", {"enrollment_attributes": "foo"}),
    ("prevented", {"user": "mallory"}),
    ("course_not_found", {"course_details": {"course_id": "course-v1:edX+Unknown+2026_T1"}}),
]


@pytest.mark.rule("enrollment.rest.order")
@pytest.mark.parametrize(("earlier", "later"), [(a, b) for a in range(len(FAULTS)) for b in range(a, len(FAULTS))])
def test_the_first_fault_answers(settings, earlier, later):
    """With the faults of two steps, and of none that is embargoed unless it is one of them."""
    UserFactory(username="bob")
    UserFactory(username="mallory")
    codes = {FAULTS[earlier][0], FAULTS[later][0]}
    settings.ENROLLMENT_PORTS = {"PreEnrollHook": [f"{__name__}.Hook"]}
    if "embargoed" in codes:
        settings.ENROLLMENT_PORTS["EmbargoPort"] = f"{__name__}.Embargo"
    CourseFactory(id=COURSE)
    body = {"course_details": {"course_id": COURSE}, "user": "bob", **FAULTS[later][1], **FAULTS[earlier][1]}

    response = server_client().post(f"{V1}enrollment", body, format="json")

    assert response.json()["error_code"] == FAULTS[earlier][0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"user": "nobody", "mode": "verified", "is_active": "foo"}, HIDDEN, id="another learner"),
        pytest.param({"email": "staff@example.com", "is_active": "foo"}, HIDDEN, id="another address"),
        pytest.param({"mode": "verified", "is_active": "foo"}, (403, "mode_forbidden"), id="a paid mode"),
        pytest.param({"mode": "", "is_active": "foo"}, (403, "mode_forbidden"), id="a mode of no name"),
        pytest.param(
            {"user": "bob", "email": "staff@example.com", "is_active": 1}, (400, "invalid_is_active"), id="own name"
        ),
    ],
)
@pytest.mark.usefixtures("course")
def test_what_a_learner_may_not_comes_first(learner, body, expected):
    response = ask(learner, **body)

    code = response.json()["error_code"] if response.content else None
    assert (response.status_code, code) == expected


# --- whom it is about


@pytest.mark.usefixtures("course", "bob")
@pytest.mark.parametrize("email", ["Bob@Example.com", "bob@example.com"])
def test_a_learner_is_found_by_address(email):
    response = ask(server_client(), email=email)

    assert (response.status_code, response.json()["user"]) == (200, "bob")


@pytest.mark.usefixtures("course", "bob")
def test_a_name_comes_before_an_address(server):
    UserFactory(username="alice", email="alice@example.com")

    assert ask(server, user="alice", email="bob@example.com").json()["user"] == "alice"


@pytest.mark.usefixtures("course", "bob")
@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"user": "nobody"}, refused("user_not_found", "The user nobody does not exist.")),
        ({"user": "Bob"}, refused("user_not_found", "The user Bob does not exist.")),
        (
            {"email": "nobody@example.com"},
            refused("user_not_found", "There is no user with this e-mail address."),
        ),
        (
            {"email": "shared@example.com"},
            refused("user_not_found", "Several users have this e-mail address: name one in `user`."),
        ),
        (
            {},
            refused("target_missing", "Nobody was named: say in `user` or `email` whose enrollment it is to be."),
        ),
        (
            {"user": "", "email": ""},
            refused("target_missing", "Nobody was named: say in `user` or `email` whose enrollment it is to be."),
        ),
    ],
)
def test_nobody_that_exists(fields, body):
    for username in ("one", "other"):
        UserFactory(username=username, email="shared@example.com")

    assert answer(ask(server_client(), **fields)) == (406, body)


@pytest.mark.usefixtures("course")
def test_a_server_with_a_user_may_speak_for_it(bob):
    assert ask(server_client(bob), mode="audit").json()["user"] == "bob"


# --- embargo


@pytest.fixture
def embargo(settings, course):
    settings.ENROLLMENT_PORTS = {"EmbargoPort": f"{__name__}.Embargo"}


def embargoed(ip, user="bob"):
    url = f"http://testserver/embargo/{user}/{COURSE}/?ip={ip}&from={V1}enrollment"
    text = "Learners in this location cannot enroll in this course."
    return 403, refused("embargoed", text, user_message_url=url)


@pytest.mark.usefixtures("embargo")
@pytest.mark.parametrize(
    ("caller", "headers", "ip"),
    [
        pytest.param("learner", {}, "127.0.0.1", id="a learner"),
        pytest.param("learner", {"X-Forwarded-For": "192.0.2.7"}, "127.0.0.1", id="a learner who makes it up"),
        pytest.param("server", {"X-Forwarded-For": "192.0.2.7"}, "192.0.2.7", id="a server that tells the learner's"),
        pytest.param("server", {}, "127.0.0.1", id="a server that does not"),
        pytest.param("staff", {"X-Forwarded-For": "192.0.2.7"}, "127.0.0.1", id="staff"),
    ],
)
def test_a_location_from_where_nobody_enrolls(caller, headers, ip):
    client = callers()[caller]
    client.credentials(**{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()})

    assert answer(ask(client, user="bob")) == embargoed(ip)
    assert stored() is None


@pytest.mark.usefixtures("embargo")
def test_behind_our_proxy_a_server_still_tells_the_learners_address(settings, server):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    server.credentials(HTTP_X_FORWARDED_FOR="192.0.2.7, 203.0.113.9")

    assert answer(ask(server, user="bob")) == embargoed("192.0.2.7")


@pytest.mark.usefixtures("embargo")
@pytest.mark.parametrize("role", ["staff", "instructor"])
def test_course_staff_are_never_kept_out(learner, bob, role):
    CourseAccessRoleFactory(user=bob, course_id=COURSE, role=role)

    assert ask(learner).status_code == 200


@pytest.mark.usefixtures("embargo")
def test_global_staff_are_never_kept_out_but_those_they_enroll_are(bob):
    staff = client_of(UserFactory(username="staff", is_staff=True))

    assert ask(staff).status_code == 200
    assert answer(ask(staff, user="bob")) == embargoed("127.0.0.1")


# --- hooks


@pytest.mark.usefixtures("course")
def test_hooks_see_the_request_first(hook, server):
    ask(server, user="bob", linked_enterprise_customer="acme")

    body = {"course_details": {"course_id": COURSE}, "user": "bob", "linked_enterprise_customer": "acme"}
    assert [call[:4] for call in hook.calls] == [("bob", COURSE, True, body)]


@pytest.mark.django_db(transaction=True)
def test_hooks_are_asked_outside_of_transactions(monkeypatch, hook):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    CourseFactory(id=COURSE)

    assert ask(client_of(UserFactory())).status_code == 200

    assert [call[4] for call in hook.calls] == [False]


@pytest.mark.usefixtures("course", "hook")
def test_what_a_hook_says_is_not_for_the_client():
    response = ask(client_of(UserFactory(username="mallory")))

    status, body = answer(response)
    assert (status, body["error_code"]) == (400, "prevented")
    assert body["message"].startswith(
        f"An error occurred while creating the new course enrollment for user 'mallory' in course '{COURSE}'"
    )
    assert "company" not in body["message"]
    assert not CourseEnrollment.objects.exists()


@pytest.mark.usefixtures("course")
def test_a_veto_is_told_in_its_own_words(settings, learner):
    settings.ENROLLMENT_PORTS = {"EnrollHook": ["tests.enrollment.doubles.KeepOut"]}
    text = "Pay your fees first."

    assert answer(ask(learner)) == (403, refused("enrollment_not_allowed", text, localizedMessage=text))


@pytest.mark.usefixtures("course")
def test_a_veto_against_leaving_too(settings, server, bob):
    settings.ENROLLMENT_PORTS = {"UnenrollHook": ["tests.enrollment.doubles.HoldBack"]}
    CourseEnrollmentFactory(user=bob, course_id=COURSE)
    text = "The exam is tomorrow."

    assert answer(ask(server, user="bob", is_active=False)) == (
        403,
        refused("unenrollment_not_allowed", text, localizedMessage=text),
    )
    assert stored() == ("audit", True)


# --- what comes with it

CREDIT = {"namespace": "credit", "name": "provider_id", "value": "hogwarts"}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param([CREDIT], ("credit", True), id="those that it needs"),
        pytest.param(None, ("credit", True), id="none"),
        pytest.param([], ("credit", True), id="an empty list"),
        pytest.param([{**CREDIT, "name": "invalid"}], ("verified", True), id="others"),
    ],
)
def test_attributes_that_a_mode_needs(server, bob, attributes, expected):
    CourseFactory(id=COURSE)
    offer("verified", "credit")
    CourseEnrollmentFactory(user=bob, course_id=COURSE, mode="verified")

    status, body = answer(ask(server, user="bob", mode="credit", enrollment_attributes=attributes))

    assert stored() == expected
    names = CourseEnrollmentAttribute.objects.values_list("namespace", "name", "value")
    if expected[0] == "credit":
        assert status == 200
        assert list(names) == [tuple(attribute.values()) for attribute in attributes or []]
    else:
        text = "The credit mode needs enrollment attributes that are missing; required: credit:provider_id."
        assert (status, body) == (400, refused("attributes_missing", text))
        assert list(names) == []


def test_mode_mismatch(server, bob):
    CourseFactory(id=COURSE)
    CourseEnrollmentFactory(user=bob, course_id=COURSE, mode="verified")

    status, body = answer(ask(server, user="bob", mode="audit", is_active=False))

    assert (status, body["error_code"]) == (400, "mode_mismatch")
    assert "Enrollment mode mismatch" in body["message"]


@pytest.mark.usefixtures("course")
def test_an_unknown_cohort_stores_nothing(learner):
    status, body = answer(ask(learner, cohort="blue", email_opt_in=True))

    assert (status, body["error_code"]) == (400, "cohort_not_found")
    assert "'blue'" in body["message"]
    assert (stored(), EmailOptIn.objects.count()) == (None, 0)


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize(("opt_in", "value"), [(True, "True"), (False, "False")])
def test_an_answer_to_mail_is_the_learners_not_the_callers(bob, opt_in, value):
    staff = client_of(UserFactory(is_staff=True))

    assert ask(staff, user="bob", email_opt_in=opt_in).status_code == 200

    assert list(EmailOptIn.objects.values_list("user__username", "org", "value")) == [("bob", "edX", value)]


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize(("sent", "told"), [("e1", "e1"), ("None", None), ("", None), (None, None)])
def test_an_enterprise_is_told_to_analytics(settings, learner, django_capture_on_commit_callbacks, sent, told):
    settings.ENROLLMENT_PORTS = {"TrackerPort": "tests.enrollment.doubles.RecordingTracker"}
    RecordingTracker.calls.clear()

    with django_capture_on_commit_callbacks(execute=True):
        assert ask(learner, enterprise_uuid=sent).status_code == 200

    assert [call[2].get("enterprise_uuid") for call in RecordingTracker.calls] == [told]


# --- the audit log


@pytest.fixture
def audited(caplog):
    """Return what the audit log was told of changes."""
    caplog.set_level(logging.INFO, logger="audit")
    return lambda: [
        record.getMessage().removeprefix("enrollment_change_requested ")
        for record in caplog.records
        if record.name == "audit" and record.getMessage().startswith("enrollment_change_requested")
    ]


def noted(user, mode, actual_mode, activation, actual_activation):
    return (
        f"course_id={COURSE!r} requested_mode={mode!r} actual_mode={actual_mode!r} requested_activation={activation!r} "
        f"actual_activation={actual_activation!r} user_id={user.pk!r}"
    )


@pytest.mark.parametrize(
    ("was", "asked", "status", "note"),
    [
        pytest.param(None, {}, 200, (None, "audit", None, True), id="enrolled"),
        pytest.param(None, {"mode": "nothing"}, 400, ("nothing", None, None, None), id="refused"),
        pytest.param(None, {"is_active": "foo"}, 400, (None, None, None, None), id="misshapen"),
        pytest.param(None, {"enrollment_attributes": 7}, 400, (None, None, None, None), id="misshapen attributes"),
        pytest.param("audit", {"is_active": False}, 200, (None, "audit", False, False), id="ended"),
        pytest.param("audit", {"mode": "audit"}, 200, ("audit", "audit", None, True), id="unchanged"),
        pytest.param(
            "audit", {"mode": "honor", "is_active": False}, 400, ("honor", "audit", False, True), id="refused change"
        ),
        pytest.param(None, {"mode": "x" * 200}, 400, ("x" * 100, None, None, None), id="a long mode"),
    ],
)
@pytest.mark.usefixtures("course")
def test_what_a_server_wants_is_noted(audited, server, bob, was, asked, status, note):
    if was is not None:
        CourseEnrollmentFactory(user=bob, course_id=COURSE, mode=was)

    assert ask(server, user="bob", **asked).status_code == status

    assert audited() == [noted(bob, *note)]


@pytest.mark.usefixtures("course")
def test_what_a_server_wants_is_noted_even_if_it_breaks(settings, audited, server, bob):
    settings.ENROLLMENT_PORTS = {"AccessPort": "tests.enrollment.doubles.BrokenTable"}
    broken = CourseFactory(id="course-v1:edX+Broken+2026").id

    with pytest.raises(DatabaseError):
        ask(server, broken, user="bob")

    assert len(audited()) == 1


def test_what_a_server_wants_is_noted_even_without_a_data_backend(settings, audited, server, bob):
    settings.ENROLLMENT_DATA_API = "no.such.module"

    assert ask(server, user="bob").status_code == 400

    assert audited() == [noted(bob, None, None, None, None)]


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize("fields", [{}, {"user": "nobody"}, {"user": "bob", "course_details": {}}])
def test_what_gets_nowhere_is_not_noted(audited, server, fields):
    body = {"course_details": {"course_id": COURSE}, **fields}

    assert server.post(f"{V1}enrollment", body, format="json").status_code in (400, 406)

    assert audited() == []


@pytest.mark.usefixtures("course")
def test_what_people_want_is_not_noted(audited, bob):
    ask(client_of(bob))
    ask(client_of(UserFactory(is_staff=True)), user="bob", mode="honor")

    assert audited() == []


# --- what it costs


@pytest.mark.parametrize(
    ("asked", "most"),
    [
        pytest.param({}, 15, id="enroll"),
        pytest.param({"enrollment_attributes": [ATTRIBUTE]}, 17, id="with attributes"),
        pytest.param({"mode": "verified"}, 15, id="in a paid mode"),
    ],
)
def test_statements_of_a_server(server, asked, most):
    CourseFactory(id=COURSE)
    offer("audit", "verified")

    with statements(without=("events_outboxevent",)) as run:
        assert ask(server, user="bob", **asked).status_code == 200

    assert len(run) <= most, run
