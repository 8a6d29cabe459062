"""Enrolling through the API: who gets in, in which mode, and what a refusal leaves behind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enrollment import api
from enrollment.errors import (
    CourseEnrollmentClosedError,
    CourseEnrollmentExistsError,
    CourseEnrollmentFullError,
    CourseModeNotFoundError,
    CourseNotFoundError,
    EnrollmentNotAllowedError,
    InvalidCourseKeyError,
    InvalidEnrollmentAttribute,
    UserNotFoundError,
)
from enrollment.models import CourseEnrollment, CourseEnrollmentAttribute
from events.testing import captured_events
from tests.enrollment.factories import (
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()
YESTERDAY, TOMORROW = NOW - timedelta(days=1), NOW + timedelta(days=1)
NO_ROW, OUT, IN = None, ("audit", False), ("audit", True)
ORDER = {"namespace": "order", "name": "order_number", "value": "EDX-1000"}


def plain(course):
    """Course without modes: it offers audit."""


def audit_and_verified(course):
    CourseModeFactory(course=course, mode_slug="audit")
    CourseModeFactory(course=course, mode_slug="verified")


def professional_only(course):
    CourseModeFactory(course=course, mode_slug="professional")


def audit_and_expired_verified(course):
    CourseModeFactory(course=course, mode_slug="audit")
    CourseModeFactory(course=course, mode_slug="verified", expiration_datetime=YESTERDAY)


def professional_and_expired_audit(course):
    professional_only(course)
    CourseModeFactory(course=course, mode_slug="audit", expiration_datetime=YESTERDAY)


def closed(course):
    audit_and_verified(course)
    course.enrollment_end = YESTERDAY
    course.save()


def full(course):
    audit_and_verified(course)
    course.max_student_enrollments_allowed = 1
    course.save()
    CourseEnrollmentFactory(course=course)


def closed_and_full(course):
    full(course)
    course.enrollment_end = YESTERDAY
    course.save()


def vanished(course):
    audit_and_verified(course)
    course.delete()


NAMED = {"mode": "audit"}
VERIFIED = {"mode": "verified"}
PAID = {"mode": "professional"}
STORE_ONLY = {"is_active": False}
FORCED = {"force_enrollment": True}
EXPIRED_TOO = {"include_expired": True}

MODE, CLOSED, FULL, EXISTS = (
    CourseModeNotFoundError,
    CourseEnrollmentClosedError,
    CourseEnrollmentFullError,
    CourseEnrollmentExistsError,
)


@pytest.mark.rule("enrollment.add.outcomes")
@pytest.mark.parametrize(
    ("before", "course_is", "asked", "after"),
    [
        pytest.param(NO_ROW, plain, {}, ("audit", True), id="new, no mode named"),
        pytest.param(NO_ROW, audit_and_verified, {}, ("audit", True), id="new, no mode named, two offered"),
        pytest.param(NO_ROW, audit_and_verified, VERIFIED, ("verified", True), id="new, mode named"),
        pytest.param(NO_ROW, audit_and_verified, VERIFIED | STORE_ONLY, ("verified", False), id="new, not in use"),
        pytest.param(NO_ROW, audit_and_verified, {"is_active": None}, ("audit", True), id="new, activity not said"),
        pytest.param(NO_ROW, professional_only, {}, MODE, id="new, only paid modes, none named"),
        pytest.param(NO_ROW, professional_only, NAMED, MODE, id="new, mode not offered"),
        pytest.param(NO_ROW, professional_only, PAID, ("professional", True), id="new, paid mode named"),
        pytest.param(NO_ROW, audit_and_expired_verified, VERIFIED, MODE, id="new, expired mode"),
        pytest.param(NO_ROW, audit_and_expired_verified, VERIFIED | EXPIRED_TOO, ("verified", True), id="accepted"),
        pytest.param(
            NO_ROW, audit_and_expired_verified, VERIFIED | STORE_ONLY, ("verified", False), id="expired, not in use"
        ),
        pytest.param(
            NO_ROW, professional_and_expired_audit, STORE_ONLY, ("audit", False), id="default expired, not in use"
        ),
        pytest.param(NO_ROW, closed, NAMED, CLOSED, id="new, closed"),
        pytest.param(NO_ROW, closed, NAMED | STORE_ONLY, CLOSED, id="new, closed, not in use"),
        pytest.param(NO_ROW, closed, NAMED | FORCED, ("audit", True), id="new, closed, forced"),
        pytest.param(NO_ROW, full, NAMED, FULL, id="new, full"),
        pytest.param(NO_ROW, full, NAMED | FORCED, FULL, id="new, full, forced"),
        pytest.param(NO_ROW, full, NAMED | STORE_ONLY, FULL, id="new, full, not in use"),
        pytest.param(NO_ROW, closed_and_full, NAMED, CLOSED, id="new, closed before full"),
        pytest.param(NO_ROW, closed_and_full, PAID, MODE, id="new, mode before closed"),
        pytest.param(NO_ROW, vanished, NAMED, CourseNotFoundError, id="new, no such course"),
        pytest.param(NO_ROW, vanished, {}, CourseNotFoundError, id="new, no such course, no mode named"),
        pytest.param(OUT, audit_and_verified, VERIFIED, ("verified", True), id="left before, other mode"),
        pytest.param(OUT, closed, NAMED, CLOSED, id="left before, closed"),
        pytest.param(OUT, closed, NAMED | FORCED, ("audit", True), id="left before, closed, forced"),
        pytest.param(OUT, full, NAMED, FULL, id="left before, full"),
        pytest.param(OUT, closed, VERIFIED | STORE_ONLY, ("verified", False), id="left before, stays out: no checks"),
        pytest.param(OUT, full, VERIFIED | STORE_ONLY, ("verified", False), id="left before, stays out, full"),
        pytest.param(OUT, professional_only, NAMED | STORE_ONLY, ("audit", False), id="left before, mode gone since"),
        pytest.param(OUT, vanished, NAMED | STORE_ONLY, ("audit", False), id="left before, course vanished since"),
        pytest.param(OUT, vanished, VERIFIED | STORE_ONLY, CourseNotFoundError, id="left before, no mode to change to"),
        pytest.param(OUT, vanished, NAMED, CourseNotFoundError, id="left before, no course to come back to"),
        pytest.param(
            ("verified", False), audit_and_verified, {}, ("audit", True), id="left before, default mode again"
        ),
        pytest.param(IN, audit_and_verified, {}, EXISTS, id="enrolled"),
        pytest.param(IN, audit_and_verified, NAMED, EXISTS, id="enrolled, same mode"),
        pytest.param(IN, audit_and_verified, VERIFIED, EXISTS, id="enrolled, other mode: unchanged"),
        pytest.param(IN, audit_and_verified, PAID, MODE, id="enrolled, other mode that is not offered"),
        pytest.param(IN, audit_and_verified, STORE_ONLY, EXISTS, id="enrolled, does not leave this way"),
        pytest.param(IN, closed, NAMED, EXISTS, id="enrolled, closed since"),
        pytest.param(IN, full, NAMED, EXISTS, id="enrolled, full since"),
        pytest.param(IN, professional_and_expired_audit, NAMED, EXISTS, id="enrolled, mode expired since"),
        pytest.param(IN, vanished, NAMED, EXISTS, id="enrolled, course vanished since"),
        pytest.param(IN, vanished, {}, EXISTS, id="enrolled, course vanished since, no mode named"),
    ],
)
def test_outcomes(before, course_is, asked, after):
    user, course = UserFactory(), CourseFactory()
    course_id = course.id
    if before is not None:
        mode, is_active = before
        CourseEnrollmentFactory(user=user, course=course, mode=mode, is_active=is_active)
    course_is(course)

    if isinstance(after, tuple):
        enrollment = api.add_enrollment(user.username, course_id, **asked)
        assert (enrollment["mode"], enrollment["is_active"]) == after
        assert enrollment == api.get_enrollment(user.username, course_id)
    else:
        with captured_events() as events, pytest.raises(after):
            api.add_enrollment(user.username, course_id, **asked)
        assert len(events) == 0

    stored = CourseEnrollment.objects.filter(user=user).values_list("mode", "is_active").first()
    assert stored == (after if isinstance(after, tuple) else before)


@pytest.mark.parametrize(
    ("course_is", "refusal"),
    [
        pytest.param(closed_and_full, UserNotFoundError, id="before whether the course is open"),
        pytest.param(professional_only, MODE, id="after the mode"),
        pytest.param(vanished, CourseNotFoundError, id="after the course"),
    ],
)
def test_unknown_user(course_is, refusal):
    course = CourseFactory()
    course_id = course.id
    course_is(course)
    with pytest.raises(refusal):
        api.add_enrollment("nobody", course_id)


def test_attributes_of_a_repeated_departure_are_kept():
    row = CourseEnrollmentFactory(is_active=False)
    api.add_enrollment(row.user.username, row.course_id, row.mode, False, enrollment_attributes=[ORDER])
    assert api.get_enrollment_attributes(row.user.username, row.course_id) == [ORDER]


def test_unknown_mode_tells_what_is_offered():
    course = CourseFactory()
    audit_and_expired_verified(course)
    CourseModeFactory(course=course, mode_slug="credit")

    with pytest.raises(CourseModeNotFoundError) as refusal:
        api.add_enrollment(UserFactory().username, course.id, "verified")

    assert str(refusal.value) == (
        f"The verified course mode is expired or otherwise unavailable for course run {course.id}. "
        "Available modes: audit, credit."
    )
    assert refusal.value.data == api.get_course_enrollment_details(course.id)


def test_repeat_carries_the_current_record():
    row = CourseEnrollmentFactory()
    with pytest.raises(CourseEnrollmentExistsError) as refusal:
        api.add_enrollment(row.user.username, row.course_id, "audit")
    assert refusal.value.enrollment == api.get_enrollment(row.user.username, row.course_id)


def test_hook_says_why_it_keeps_a_learner_out(settings):
    settings.ENROLLMENT_PORTS = {"EnrollHook": ["tests.enrollment.doubles.KeepOut"]}
    user, course = UserFactory(), CourseFactory()
    with pytest.raises(EnrollmentNotAllowedError, match=r"^Pay your fees first\.$"):
        api.add_enrollment(user.username, course.id)
    assert api.get_enrollment(user.username, course.id) is None


def test_invited_learner_gets_in_and_uses_the_invitation_up():
    user, course = UserFactory(), CourseFactory(invitation_only=True)
    invitation = CourseEnrollmentAllowedFactory(email=user.email, course_id=course.id)
    api.add_enrollment(user.username, course.id)
    invitation.refresh_from_db()
    assert invitation.user == user


def test_attributes_come_with_the_enrollment():
    user, course = UserFactory(), CourseFactory()
    api.add_enrollment(user.username, course.id, enrollment_attributes=[ORDER])
    assert api.get_enrollment_attributes(user.username, course.id) == [ORDER]


@pytest.mark.rule("enrollment.attributes")
@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        pytest.param([{"namespace": "order", "name": "n"}], "lacks its value", id="no value"),
        pytest.param([{"value": "1"}], "lacks its namespace", id="the first missing part is named"),
        pytest.param([ORDER, {**ORDER, "name": None}], "The name of", id="null"),
        pytest.param([{**ORDER, "value": 1}], "The value of", id="number"),
        pytest.param([{**ORDER, "value": True}], "The value of", id="boolean"),
        pytest.param([{**ORDER, "value": "x" * 256}], "The value of", id="too long"),
        pytest.param([{**ORDER, "value": "a\0b"}], "The value of", id="NUL"),
        pytest.param([{**ORDER, "namespace": "\udfff"}], "The namespace of", id="lone surrogate"),
        pytest.param(["order"], "must have namespace, name and value", id="no mapping"),
        pytest.param({"namespace": "order"}, "must be a list", id="no list"),
        pytest.param("order", "must be a list", id="text"),
    ],
)
def test_bad_attribute_changes_nothing(attributes, complaint):
    user, course = UserFactory(), CourseFactory()
    row = CourseEnrollmentFactory(mode="audit")
    CourseEnrollmentAttribute.objects.create(enrollment=row, **ORDER)

    for change in (
        lambda: api.add_enrollment(user.username, course.id, enrollment_attributes=attributes),
        lambda: api.update_enrollment(row.user.username, row.course_id, "honor", enrollment_attributes=attributes),
        lambda: api.set_enrollment_attributes(row.user.username, row.course_id, attributes),
    ):
        with pytest.raises(InvalidEnrollmentAttribute, match=complaint):
            change()

    row.refresh_from_db()
    assert row.mode == "audit"
    assert api.get_enrollment(user.username, course.id) is None
    assert api.get_enrollment_attributes(row.user.username, row.course_id) == [ORDER]


@pytest.mark.parametrize(
    "call",
    [
        api.get_enrollment,
        api.add_enrollment,
        api.update_enrollment,
        api.get_enrollment_attributes,
        api.is_enrollment_valid_for_proctoring,
        lambda username, course_id: api.set_enrollment_attributes(username, course_id, []),
        lambda username, course_id: api.get_course_enrollment_details(course_id),
        lambda username, course_id: api.validate_course_mode(course_id, "audit"),
    ],
)
def test_what_is_no_course_key_is_refused_before_any_statement(call, django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(InvalidCourseKeyError):
        call("bob", "invalidcourse")
