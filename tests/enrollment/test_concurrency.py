"""Learners who do the same thing at the same moment, on real parallel transactions."""

from functools import partial

import pytest
from django.db import transaction

from enrollment import api
from enrollment.errors import CourseEnrollmentExistsError, CourseEnrollmentFullError
from enrollment.models import CourseEnrollment
from events.testing import captured_events
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    UserFactory,
)
from tests.support import in_parallel

pytestmark = [pytest.mark.database("postgresql", "mysql"), pytest.mark.django_db(transaction=True)]

ROUNDS = 5
CREATED = "org.openedx.learning.course.enrollment.created.v1"
ONE = [{"namespace": "order", "name": f"part{n}", "value": "first"} for n in range(3)]
TWO = [{"namespace": "order", "name": f"part{n}", "value": "second"} for n in range(2, 5)]


def kinds(results):
    return sorted(type(result).__name__ for result in results)


@pytest.mark.rule("enrollment.concurrency.same_learner")
@pytest.mark.parametrize("before", [None, False], ids=["new", "left before"])
def test_learner_who_clicks_twice_is_enrolled_once(before):
    for _ in range(ROUNDS):
        user, course = UserFactory(), CourseFactory()
        if before is not None:
            CourseEnrollmentFactory(user=user, course=course, is_active=before, mode="honor")
        add = partial(api.add_enrollment, user.username, course.id)

        with captured_events() as events:
            results = in_parallel(add, add, add)

        assert kinds(results) == ["CourseEnrollmentExistsError", "CourseEnrollmentExistsError", "dict"]
        enrollment = api.get_enrollment(user.username, course.id)
        assert all(
            (result.enrollment if isinstance(result, CourseEnrollmentExistsError) else result) == enrollment
            for result in results
        )
        row = CourseEnrollment.objects.get(user=user)
        assert [event.event_type for event in events].count(CREATED) == 1
        assert row.history.count() == (1 if before is None else 2)


@pytest.mark.rule("enrollment.concurrency.same_learner")
def test_unchecked_enrolling_ends_in_one_of_the_modes():
    for _ in range(ROUNDS):
        user, course = UserFactory(), CourseFactory()
        modes = ("audit", "verified", "honor")

        with captured_events() as events:
            rows = in_parallel(*(partial(CourseEnrollment.enroll, user, course.id, mode) for mode in modes))

        stored = CourseEnrollment.objects.get(user=user)
        assert {row.pk for row in rows} == {stored.pk}
        assert stored.mode in modes
        assert [event.event_type for event in events].count(CREATED) == 1
        assert stored.history.count() == 3


@pytest.mark.rule("enrollment.concurrency.capacity")
@pytest.mark.parametrize("left_before", [0, 4], ids=["new", "some left before"])
def test_no_more_learners_than_seats(left_before):
    for _ in range(ROUNDS):
        course = CourseFactory(max_student_enrollments_allowed=2)
        CourseAccessRoleFactory(course_id=course.id, role="staff", user=CourseEnrollmentFactory(course=course).user)
        users = UserFactory.create_batch(6)
        for user in users[:left_before]:
            CourseEnrollmentFactory(user=user, course=course, is_active=False)

        results = in_parallel(*(partial(api.add_enrollment, user.username, course.id) for user in users))

        assert [isinstance(result, CourseEnrollmentFullError) for result in results].count(True) == 4
        assert CourseEnrollment.objects.num_enrolled_in_exclude_admins(course.id) == 2


@pytest.mark.rule("enrollment.concurrency.attributes")
def test_attributes_are_one_set_or_the_other():
    for _ in range(ROUNDS):
        row = CourseEnrollmentFactory()
        write = partial(api.set_enrollment_attributes, row.user.username, row.course_id)
        assert in_parallel(*(partial(write, attributes) for attributes in (ONE, TWO, ONE, TWO))) == [None] * 4
        assert api.get_enrollment_attributes(row.user.username, row.course_id) in (ONE, TWO)


@pytest.mark.rule("enrollment.concurrency.same_row")
def test_leaving_twice_is_told_once():
    for _ in range(ROUNDS):
        row = CourseEnrollmentFactory()
        leave = partial(api.update_enrollment, row.user.username, row.course_id, is_active=False)

        with captured_events() as events:
            results = in_parallel(leave, leave, partial(api.unenroll_user_from_all_courses, row.user.username))

        assert kinds(results) == ["dict", "dict", "set"]
        assert len(events) == 2
        assert row.history.count() == 2


@pytest.mark.rule("enrollment.concurrency.same_row")
def test_mode_and_activity_change_side_by_side():
    for _ in range(ROUNDS):
        row = CourseEnrollmentFactory(mode="audit")
        change = partial(api.update_enrollment, row.user.username, row.course_id)
        in_parallel(partial(change, mode="audit", is_active=False), partial(row.change_mode, "verified"))
        row.refresh_from_db()
        assert not row.is_active
        assert row.mode in ("audit", "verified")


def test_deadlock_is_tried_again():
    first, second = CourseEnrollmentFactory(), CourseEnrollmentFactory()
    second.user = first.user
    second.save()
    ids = [first.pk, second.pk]

    @transaction.atomic
    def crosswise():
        for pk in reversed(ids):
            CourseEnrollment.objects.select_for_update().get(pk=pk)
        return "done"

    for _ in range(ROUNDS):
        CourseEnrollment.objects.filter(pk__in=ids).update(is_active=True)
        results = in_parallel(partial(api.unenroll_user_from_all_courses, first.user.username), crosswise)
        assert isinstance(results[0], set)
        assert not CourseEnrollment.objects.filter(pk__in=ids, is_active=True).exists()
