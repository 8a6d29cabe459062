"""What is told about an enrollment, to other services and inside this process."""

import logging
from datetime import UTC, datetime
from functools import partial

import pytest
from django.db import transaction

from enrollment.models import CourseEnrollment
from enrollment.signals import ENROLL_STATUS_CHANGE, ENROLLMENT_TRACK_UPDATED, UNENROLL_DONE
from events.learning.data import CourseData, CourseEnrollmentData, UserData, UserPersonalData
from events.learning.signals import COURSE_ENROLLMENT_CREATED
from events.testing import captured_events
from tests.enrollment.doubles import RecordingTracker
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, LearnerProfileFactory, UserFactory

pytestmark = pytest.mark.django_db

CHANGED = ("org.openedx.learning.course.enrollment.changed.v1",)
CREATED = (*CHANGED, "org.openedx.learning.course.enrollment.created.v1")
COMPLETED = (*CHANGED, "org.openedx.learning.course.unenrollment.completed.v1")
ENROLLED, LEFT, MOVED, REFUNDED = "enroll", "unenroll", "track updated", "unenroll done"

NONE, INACTIVE, ACTIVE = None, False, True


@pytest.fixture
def told():
    """Names of the in-process signals, with their arguments, in the order in which they are received."""
    calls = []

    def status(event, **arguments):
        calls.append((event, arguments))

    def record(name, **arguments):
        calls.append((name, arguments))

    receivers = [
        (ENROLL_STATUS_CHANGE, status),
        (ENROLLMENT_TRACK_UPDATED, partial(record, MOVED)),
        (UNENROLL_DONE, partial(record, REFUNDED)),
    ]
    for signal, receiver in receivers:
        signal.connect(receiver, weak=False)
    yield calls
    for signal, receiver in receivers:
        signal.disconnect(receiver)


def enroll(**options):
    return lambda user, course_id: CourseEnrollment.enroll(user, course_id, **options)


def update(**options):
    return lambda user, course_id: CourseEnrollment.get_enrollment(user, course_id).update_enrollment(**options)


def unenroll(user, course_id):
    CourseEnrollment.unenroll(user, course_id)


@pytest.mark.rule("enrollment.events")
@pytest.mark.parametrize(
    ("before", "do", "public", "inside"),
    [
        pytest.param(NONE, enroll(mode="verified"), CREATED, [ENROLLED], id="new"),
        pytest.param(NONE, enroll(is_active=False), (), [], id="new, not in use"),
        pytest.param(INACTIVE, enroll(mode="audit"), CREATED, [ENROLLED], id="again, same mode"),
        pytest.param(INACTIVE, enroll(mode="verified"), CREATED, [ENROLLED, MOVED], id="again, other mode"),
        pytest.param(INACTIVE, enroll(mode="audit", is_active=False), (), [], id="stays out, same mode"),
        pytest.param(INACTIVE, enroll(mode="verified", is_active=False), CHANGED, [MOVED], id="stays out, other mode"),
        pytest.param(ACTIVE, enroll(mode="audit"), (), [], id="enrolled already"),
        pytest.param(ACTIVE, enroll(mode="verified"), CHANGED, [MOVED], id="enrolled already, other mode"),
        pytest.param(ACTIVE, update(mode="verified"), CHANGED, [MOVED], id="mode changes"),
        pytest.param(ACTIVE, update(mode="audit"), (), [], id="mode stays"),
        pytest.param(ACTIVE, update(is_active=True), (), [], id="stays active"),
        pytest.param(INACTIVE, update(is_active=True), CREATED, [ENROLLED], id="made active by an update"),
        pytest.param(ACTIVE, update(is_active=False), COMPLETED, [LEFT, REFUNDED], id="made inactive by an update"),
        pytest.param(ACTIVE, unenroll, COMPLETED, [LEFT, REFUNDED], id="leaves"),
        pytest.param(INACTIVE, unenroll, (), [], id="has left already"),
        pytest.param(NONE, unenroll, (), [], id="was never enrolled"),
    ],
)
def test_every_real_change_is_told_once(django_capture_on_commit_callbacks, told, before, do, public, inside):
    user, course = UserFactory(), CourseFactory()
    if before is not None:
        CourseEnrollmentFactory(user=user, course=course, is_active=before, mode="audit")

    with captured_events() as events, django_capture_on_commit_callbacks(execute=True):
        do(user, course.id)
        assert told == []

    assert tuple(event.event_type for event in events) == public
    assert [name for name, _ in told] == inside
    row = CourseEnrollment.get_enrollment(user, course.id)
    for event in events:
        assert (event.data["enrollment"].mode, event.data["enrollment"].is_active) == (row.mode, row.is_active)


def test_public_payload():
    user = UserFactory(username="bob", email="bob@example.com")
    LearnerProfileFactory(user=user, name="Bob Example")
    start, end = datetime(2026, 2, 3, tzinfo=UTC), datetime(2026, 12, 20, tzinfo=UTC)
    course = CourseFactory(id="course-v1:edX+DemoX+2026_T1", display_name="Demonstration", start=start, end=end)

    with captured_events() as events:
        row = CourseEnrollment.enroll(user, course.id, "verified")

    row.refresh_from_db()
    payload = CourseEnrollmentData(
        user=UserData(
            id=user.pk,
            is_active=True,
            pii=UserPersonalData(username="bob", email="bob@example.com", name="Bob Example"),
        ),
        course=CourseData(
            course_key=events[0].data["enrollment"].course.course_key,
            display_name="Demonstration",
            start=start,
            end=end,
        ),
        mode="verified",
        is_active=True,
        creation_date=row.created,
    )
    assert [event.data for event in events] == [{"enrollment": payload}] * 2
    assert str(payload.course.course_key) == course.id
    assert {event.metadata.time for event in events} == {row.created} == {row.history.get().history_date}


def test_public_payload_of_what_is_unknown():
    user = UserFactory(first_name="", last_name="")

    with captured_events() as events:
        CourseEnrollment.enroll(user, "course-v1:edX+Gone+2026")

    payload = events[0].data["enrollment"]
    assert payload.user.pii.name == ""
    assert (payload.course.display_name, payload.course.start, payload.course.end) == ("", None, None)


def test_change_is_dated_as_in_history():
    row = CourseEnrollmentFactory()
    with captured_events() as events:
        row.deactivate()
    assert {event.metadata.time for event in events} == {row.history.first().history_date}


def test_rolled_back_change_is_not_told(django_capture_on_commit_callbacks, told):
    row = CourseEnrollmentFactory()

    @transaction.atomic
    def leave_and_fail():
        row.deactivate()
        raise RuntimeError

    with (
        captured_events() as events,
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises(RuntimeError),
    ):
        leave_and_fail()

    assert (list(events), told) == ([], [])


def test_arguments_of_the_signals_inside(django_capture_on_commit_callbacks, told):
    row = CourseEnrollmentFactory(mode="audit")
    with django_capture_on_commit_callbacks(execute=True):
        row.update_enrollment(mode="verified", is_active=False, skip_refund=True)

    arguments = {
        name: {key: value for key, value in some.items() if key not in ("signal", "sender")} for name, some in told
    }
    assert arguments == {
        LEFT: {"user": row.user, "mode": "verified", "course_id": row.course_id, "cost": None, "currency": None},
        MOVED: {
            "user": row.user,
            "course_key": arguments[MOVED]["course_key"],
            "mode": "verified",
            "countdown": 30,
        },
        REFUNDED: {"course_enrollment": row, "skip_refund": True},
    }
    assert str(arguments[MOVED]["course_key"]) == row.course_id


def test_two_changes_in_one_transaction_are_told_as_they_were(django_capture_on_commit_callbacks, told):
    row = CourseEnrollmentFactory(mode="audit")
    with django_capture_on_commit_callbacks(execute=True):
        row.change_mode("honor")
        row.change_mode("verified")
    assert [arguments["mode"] for _, arguments in told] == ["honor", "verified"]


def test_failing_receivers_harm_nobody(django_capture_on_commit_callbacks, told, caplog):
    def fail(**arguments):
        raise RuntimeError("broken")

    for signal in (ENROLL_STATUS_CHANGE, COURSE_ENROLLMENT_CREATED):
        signal.connect(fail)
    try:
        with django_capture_on_commit_callbacks(execute=True), caplog.at_level(logging.CRITICAL):
            row = CourseEnrollment.enroll(UserFactory(), CourseFactory().id)
    finally:
        for signal in (ENROLL_STATUS_CHANGE, COURSE_ENROLLMENT_CREATED):
            signal.disconnect(fail)

    assert row.is_active
    assert [name for name, _ in told] == [ENROLLED]


@pytest.mark.django_db(transaction=True)
def test_failing_receiver_that_django_cannot_name_harms_nobody(caplog):
    def fail(text, **arguments):
        raise RuntimeError(text)

    nameless = partial(fail, "broken")  # Signal.send_robust itself fails on one without a __qualname__
    ENROLL_STATUS_CHANGE.connect(nameless)
    try:
        row = CourseEnrollment.enroll(UserFactory(), CourseFactory().id)
    finally:
        ENROLL_STATUS_CHANGE.disconnect(nameless)

    assert row.is_active
    assert "on_commit()" in caplog.text


class TestTracker:
    @pytest.fixture
    def tracked(self, settings):
        settings.ENROLLMENT_PORTS = {"TrackerPort": "tests.enrollment.doubles.RecordingTracker"}
        RecordingTracker.calls.clear()
        return RecordingTracker.calls

    def test_activation(self, django_capture_on_commit_callbacks, tracked):
        user = UserFactory(username="bob", email="bob@example.com")
        start = datetime(2026, 2, 3, tzinfo=UTC)
        course = CourseFactory(id="course-v1:edX+DemoX+2026", start=start, self_paced=True)

        with django_capture_on_commit_callbacks(execute=True):
            CourseEnrollment.enroll(user, course.id, "verified", enterprise_uuid="a-1")

        assert tracked == [
            (
                "edx.course.enrollment.activated",
                {"user_id": user.pk, "course_id": course.id, "mode": "verified", "username": "bob"},
                {"course_id": course.id, "org_id": "edX", "enterprise_uuid": "a-1", "enterprise_enrollment": True},
                {
                    "category": "conversion",
                    "label": course.id,
                    "org": "edX",
                    "course": "DemoX",
                    "run": "2026",
                    "mode": "verified",
                    "email": "bob@example.com",
                    "course_start": start,
                    "course_pacing": "self",
                },
            )
        ]

    def test_every_real_change_by_its_name(self, django_capture_on_commit_callbacks, tracked):
        row = CourseEnrollmentFactory(mode="audit")
        with django_capture_on_commit_callbacks(execute=True):
            row.deactivate()
            row.deactivate()
            row.update_enrollment(mode="verified", is_active=True)

        assert [(name.rpartition(".")[2], data["mode"]) for name, data, _, _ in tracked] == [
            ("deactivated", "audit"),
            ("activated", "verified"),
            ("mode_changed", "verified"),
        ]
        assert "username" not in tracked[0][1]
        assert tracked[0][2] == {"course_id": row.course_id, "org_id": "edX"}

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(
        ("tracker", "failure"),
        [
            pytest.param("BrokenTracker", "OSError", id="sink out of reach"),
            pytest.param("NoSuchTracker", "ImproperlyConfigured", id="no tracker there"),
        ],
    )
    def test_failure_is_logged(self, settings, caplog, tracker, failure):
        settings.ENROLLMENT_PORTS = {"TrackerPort": f"tests.enrollment.doubles.{tracker}"}
        row = CourseEnrollment.enroll(UserFactory(), CourseFactory().id)
        assert caplog.messages == [
            f"The tracker failed on edx.course.enrollment.activated of enrollment {row.pk}: {failure}."
        ]
