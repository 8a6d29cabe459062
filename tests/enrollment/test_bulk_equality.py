"""A thousand items at once do what as many single requests do, one after the other: over a broad table of cases."""

import random
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import TestCase
from django.utils import timezone

from coursecredit.errors import DomainError
from enrollment import api
from enrollment.models import (
    Course,
    CourseAccessRole,
    CourseEnrollment,
    CourseEnrollmentAllowed,
    CourseEnrollmentAttribute,
    CourseMode,
)
from enrollment.signals import ENROLL_STATUS_CHANGE, ENROLLMENT_TRACK_UPDATED, UNENROLL_DONE
from events.testing import captured_events
from tests.enrollment.doubles import RecordingTracker

pytestmark = pytest.mark.django_db

ITEMS = 240
LEARNERS = [f"learner{number:02}" for number in range(30)]
STAFF = LEARNERS[0]
WITHOUT_ADDRESS = LEARNERS[1]

FACTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "open": {},
    "closed": {"enrollment_end": -1},
    "not+yet": {"enrollment_start": 1},
    "invited": {"invitation_only": True},
    "full": {"max_student_enrollments_allowed": 0},
    "few+seats": {"max_student_enrollments_allowed": 3},
    "all+expired": {},
    "for+credit": {},
    "professional": {},
}
OFFERS: dict[str, dict[str, int | None]] = {  # days until each mode expires
    "plain": {},
    "professional": {"professional": None},
    "all+expired": {"verified": -1},
    "for+credit": {"audit": None, "credit": None},
}
USUAL = {"audit": None, "verified": 1, "honor": -1}
GONE = "gone"

ORDER = [{"namespace": "order", "name": "order_number", "value": "EDX-1"}]
TWICE = [*ORDER, {"namespace": "order", "name": "order_number", "value": "EDX-2"}]
PROVIDER = [{"namespace": "credit", "name": "provider_id", "value": "hogwarts"}]
ATTRIBUTES = [None, None, None, [], ORDER, TWICE, PROVIDER]


def key_of(name: str) -> str:
    return f"course-v1:edX+{name.replace('+', '_')}+2026"


COURSES = [key_of(name) for name in [*FACTS, GONE]]


@pytest.fixture(autouse=True)
def _tracker(settings):
    settings.ENROLLMENT_PORTS = {"TrackerPort": "tests.enrollment.doubles.RecordingTracker"}


def make_world(dice: random.Random) -> None:
    """Learners and courses of every kind, with enrollments, roles and invitations here and there."""
    model, now = get_user_model(), timezone.now()
    users = model.objects.bulk_create(
        [
            model(
                username=name,
                email="" if name == WITHOUT_ADDRESS else f"{name.title()}@example.com",
                first_name="Robin",
                is_staff=name == STAFF,
                is_active=dice.random() < 0.9,
            )
            for name in LEARNERS
        ]
    )
    for name, facts in FACTS.items():
        dates = {fact: now + timedelta(days=value) for fact, value in facts.items() if fact.startswith("enrollment_")}
        Course.objects.create(id=key_of(name), **{**facts, **dates})
        for slug, days in OFFERS.get(name, USUAL).items():
            expiry = None if days is None else now + timedelta(days=days)
            CourseMode.objects.create(course_id=key_of(name), mode_slug=slug, min_price=9, expiration_datetime=expiry)
    for course_id in COURSES:
        for user in dice.sample(users, 12):
            mode = dice.choice(["audit", "verified", "honor", "credit"])
            row = CourseEnrollment.objects.create(
                user=user, course_id=course_id, mode=mode, is_active=dice.random() < 0.5
            )
            if dice.random() < 0.5:
                CourseEnrollmentAttribute.objects.create(enrollment=row, namespace="old", name="one", value="1")
        for user in dice.sample(users, 3):
            CourseAccessRole.objects.create(
                user=user, course_id=course_id, role=dice.choice(["staff", "ccx_coach", "beta_testers"])
            )
        for user in dice.sample([user for user in users if user.email], 8):
            CourseEnrollmentAllowed.objects.create(
                email=user.email.upper(), course_id=course_id, user=dice.choice([None, None, user, users[2]])
            )


def make_items(dice: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "username": dice.choice(LEARNERS),
            "course_id": dice.choice(COURSES),
            "mode": dice.choice([None, None, "audit", "verified", "honor", "credit", "professional"]),
            "is_active": dice.choice([None, None, True, False]),
            "enrollment_attributes": dice.choice(ATTRIBUTES),
        }
        for _ in range(ITEMS)
    ]


def one_by_one(items: list[dict[str, Any]], *, force: bool) -> list[Any]:
    return [one(item["username"], item["course_id"], item, force=force) for item in items]


def one(username: str, course_id: str, item: dict[str, Any], *, force: bool) -> dict[str, Any]:
    before = state_of(api.get_enrollment(username, course_id))
    try:
        after = api.request_enrollment(
            username,
            course_id,
            mode=item["mode"],
            is_active=item["is_active"],
            enrollment_attributes=item["enrollment_attributes"],
            privileged=True,
            force_enrollment=force,
        )
    except DomainError as exc:
        error = {"error_code": exc.code, "message": str(exc)}
        return {"before": None, "after": None, "invited": False, "error": error}
    return {"before": before, "after": state_of(after), "invited": False, "error": None}


def at_once(items: list[dict[str, Any]], *, force: bool) -> list[Any]:
    return api.enroll_in_bulk(items, requested_by=None, force_enrollment=force)


def state_of(enrollment: Any) -> dict[str, Any] | None:
    return enrollment and {"mode": enrollment["mode"], "is_active": enrollment["is_active"]}


def what_happens(apply: Callable[[], list[Any]]) -> dict[str, Any]:
    """Apply, look at everything that others can see, and undo it."""
    RecordingTracker.calls.clear()
    with transaction.atomic(), captured_events() as events, heard_signals() as signals:
        with TestCase.captureOnCommitCallbacks(execute=True):
            answers = apply()
        seen = {
            "answers": answers,
            "enrollments": enrollments(),
            "invitations": list(CourseEnrollmentAllowed.objects.order_by("pk").values()),
            "events": [(event.event_type, told(event.data["enrollment"])) for event in events],
            "signals": signals,
            "tracked": [(name, data, context) for name, data, context, _ in RecordingTracker.calls],
        }
        transaction.set_rollback(True)
    return seen


def enrollments() -> dict[Any, Any]:
    return {
        (row.user.username, row.course_id): {
            "state": (row.mode, row.is_active),
            "attributes": list(row.attributes.order_by("pk").values_list("namespace", "name", "value")),
            "history": list(row.history.order_by("history_date").values_list("history_type", "mode", "is_active")),
        }
        for row in CourseEnrollment.objects.select_related("user")
    }


def told(payload: Any) -> Any:
    return payload.user, payload.course, payload.mode, payload.is_active, payload.created_by


@contextmanager
def heard_signals():
    heard: list[Any] = []

    def status(event, user, mode, course_id, **kwargs):
        heard.append(("status", event, user.username, mode, course_id))

    def track(user, course_key, mode, countdown, **kwargs):
        heard.append(("track", user.username, str(course_key), mode, countdown))

    def unenrolled(course_enrollment, skip_refund, **kwargs):
        row = course_enrollment
        heard.append(("left", row.username, row.course_id, row.mode, row.is_active, skip_refund, row.unsaved_fields()))

    pairs = [(ENROLL_STATUS_CHANGE, status), (ENROLLMENT_TRACK_UPDATED, track), (UNENROLL_DONE, unenrolled)]
    for signal, receiver in pairs:
        signal.connect(receiver)
    try:
        yield heard
    finally:
        for signal, receiver in pairs:
            signal.disconnect(receiver)


@pytest.mark.rule("enrollment.bulk.equality")
@pytest.mark.parametrize(
    ("seed", "force", "rules"),
    [
        pytest.param(1, False, {}, id="as it is"),
        pytest.param(2, True, {}, id="forced"),
        pytest.param(
            3,
            False,
            {
                "DISABLE_ALLOWED_ENROLLMENT_IF_ENROLLMENT_CLOSED": True,
                "ENROLLMENT_STRICT_MODE_ATTRIBUTES": True,
                "ENROLLMENT_DEFAULT_MODE_WHEN_ALL_EXPIRED": False,
            },
            id="strict",
        ),
        pytest.param(
            4, False, {"COURSES_INVITE_ONLY": True, "COURSE_MODE_DEFAULTS": {"slug": "honor"}}, id="invited only"
        ),
    ],
)
def test_bulk_does_what_single_requests_do(settings, seed, force, rules):
    for name, value in rules.items():
        setattr(settings, name, value)
    dice = random.Random(seed)
    make_world(dice)
    items = make_items(dice)

    expected = what_happens(partial(one_by_one, items, force=force))
    actual = what_happens(partial(at_once, items, force=force))

    for subject, value in expected.items():
        assert actual[subject] == value, subject
    assert {answer["error"] and answer["error"]["error_code"] for answer in actual["answers"]} >= {
        None,
        "mode_mismatch",
        "mode_unavailable",
        "course_not_found",
        "course_full",
    }
