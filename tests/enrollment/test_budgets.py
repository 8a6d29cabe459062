"""How many statements the API may take (enrollment contract 15): exactly on PostgreSQL, constant everywhere."""

from functools import partial

import pytest
from django.db import connection

from coursecredit.request_cache import request_scope
from enrollment import api
from enrollment.choices import ALL_MODES
from enrollment.models import Course, CourseEnrollment, CourseMode
from tests.enrollment.factories import (
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)
from tests.support import statements

pytestmark = pytest.mark.django_db

OUTBOX = ("events_outboxevent",)
ORDER = [{"namespace": "order", "name": "order_number", "value": "EDX-1000"}]


def course_with_modes(**facts):
    course = CourseFactory(**facts)
    for slug in ("audit", "verified", "honor"):
        CourseModeFactory(course=course, mode_slug=slug)
    return course


def count(call):
    with statements(without=OUTBOX) as run:
        call()
    return len(run)


def pinned(call, budget, exactly):
    """Check the budget everywhere, and on PostgreSQL the very number."""
    taken = count(call)
    assert taken <= budget
    assert taken == exactly or connection.vendor != "postgresql"


@pytest.mark.parametrize("is_gone", [False, True], ids=["course", "course that is gone"])
def test_one_enrollment(is_gone):
    row = CourseEnrollmentFactory(course=course_with_modes())
    if is_gone:
        row.course.delete()
    pinned(partial(api.get_enrollment, row.user.username, row.course_id), budget=2, exactly=1)
    pinned(partial(api.get_enrollment, "nobody", row.course_id), budget=2, exactly=1)


@pytest.mark.parametrize("rows", [1, 500])
def test_list_of_any_length(rows):
    user = UserFactory()
    courses = Course.objects.bulk_create(Course(id=f"course-v1:edX+List{n:03}+2026", org="edX") for n in range(rows))
    CourseMode.objects.bulk_create(CourseMode(course=course, mode_slug="audit") for course in courses)
    CourseEnrollment.objects.bulk_create(CourseEnrollment(user=user, course=course) for course in courses)
    pinned(partial(api.get_enrollments, user.username), budget=3, exactly=1)
    pinned(partial(api.serialize_enrollments, CourseEnrollment.objects.all()), budget=3, exactly=3)
    assert len(api.get_enrollments(user.username)) == rows


@pytest.mark.django_db(transaction=True)
def test_course_details():
    course = course_with_modes()
    pinned(partial(api.get_course_enrollment_details, course.id), budget=2, exactly=1)
    pinned(partial(api.get_course_enrollment_details, course.id), budget=0, exactly=0)


@pytest.mark.parametrize("ask", [api.add_enrollment, api.request_enrollment])
@pytest.mark.parametrize(
    ("course_facts", "invited", "options", "budget", "exactly"),
    [
        pytest.param({}, False, {}, 15, 6, id="no mode named"),
        pytest.param({}, False, {"mode": "verified"}, 15, 6, id="mode named"),
        pytest.param({}, False, {"enrollment_attributes": ORDER}, 17, 7, id="attributes"),
        pytest.param({"max_student_enrollments_allowed": 1}, False, {}, 16, 9, id="cap"),
        pytest.param({"invitation_only": True}, True, {}, 16, 6, id="invitation"),
    ],
)
def test_enrolling(ask, course_facts, invited, options, budget, exactly):
    user, course = UserFactory(), course_with_modes(**course_facts)
    if invited:
        CourseEnrollmentAllowedFactory(email=user.email, course_id=course.id)
    with request_scope():
        pinned(partial(ask, user.username, course.id, **options), budget=budget, exactly=exactly)
    assert api.get_enrollment(user.username, course.id)["is_active"]


@pytest.mark.parametrize("modes", [1, 12])
def test_enrolling_costs_the_same_whatever_the_course_offers(modes):
    course = CourseFactory()
    for slug in sorted(ALL_MODES, key="audit".__ne__)[:modes]:
        CourseModeFactory(course=course, mode_slug=slug, min_price=1)
    user = UserFactory()
    pinned(partial(api.request_enrollment, user.username, course.id), budget=15, exactly=6)
    pinned(partial(api.request_enrollment, user.username, course.id), budget=15, exactly=3)


@pytest.mark.parametrize(
    ("before", "asked", "exactly"),
    [
        pytest.param(("audit", True), {}, 3, id="repeated"),
        pytest.param(("audit", True), {"enrollment_attributes": ORDER}, 5, id="repeated, with attributes"),
        pytest.param(("audit", True), {"mode": "verified"}, 5, id="mode changes"),
        pytest.param(("audit", True), {"mode": "verified", "enrollment_attributes": ORDER}, 7, id="with attributes"),
        pytest.param(("audit", True), {"is_active": False}, 5, id="leaves"),
        pytest.param(("audit", False), {"is_active": True}, 6, id="made active"),
        pytest.param(("audit", False), {}, 7, id="enrolls again"),
    ],
)
def test_requests_about_an_enrollment(before, asked, exactly):
    row = CourseEnrollmentFactory(course=course_with_modes(), mode=before[0], is_active=before[1])
    ask = partial(api.request_enrollment, row.user.username, row.course_id, privileged=True, server_request=True)
    pinned(partial(ask, **asked), budget=15, exactly=exactly)


def test_changing():
    row = CourseEnrollmentFactory(course=course_with_modes())
    change = partial(api.update_enrollment, row.user.username, row.course_id)
    pinned(partial(change, "verified"), budget=15, exactly=5)
    pinned(partial(change, is_active=False), budget=15, exactly=5)
    pinned(partial(change, is_active=True), budget=15, exactly=6)


@pytest.mark.parametrize("rows", [1, 20])
def test_leaving_any_number_of_courses_reads_no_more(rows):
    user = UserFactory()
    CourseEnrollmentFactory.create_batch(rows, user=user)
    with statements(without=OUTBOX) as run:
        api.unenroll_user_from_all_courses(user.username)
    reads = [text for text in run.texts if text.startswith("SELECT")]
    assert len(reads) == 4, run
    assert len(run) == 4 + 2 * rows, run
