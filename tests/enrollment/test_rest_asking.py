"""POST enrollment: each step in its order, each answer (enrollment contract 10.6)."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from enrollment.models import CourseEnrollment
from tests.enrollment.factories import (
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)
from tests.enrollment.rest import COURSE, KEY, ask, callers, server_client

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


def test_a_course_that_is_unknown():
    server = server_client(UserFactory(username="bob"))
    unknown = "course-v1:edX+Unknown+2026_T1"

    response = ask(server, unknown)

    assert response.status_code == 400
    assert response.json() == {
        "message": f"No course '{unknown}' found for enrollment.",
        "error_code": "course_not_found",
    }
