"""Learners who do the same thing at the same moment, on real parallel transactions."""

from functools import partial
from itertools import product

import pytest
from django.db import transaction

from enrollment import api
from enrollment.errors import CourseEnrollmentExistsError, CourseEnrollmentFullError, EnrollmentModeMismatchError
from enrollment.models import CourseEnrollment
from events.testing import captured_events
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)
from tests.support import in_parallel

pytestmark = [pytest.mark.database("postgresql", "mysql"), pytest.mark.django_db(transaction=True)]

ROUNDS = 5
CHANGED = "org.openedx.learning.course.enrollment.changed.v1"
CREATED = "org.openedx.learning.course.enrollment.created.v1"
COMPLETED = "org.openedx.learning.course.unenrollment.completed.v1"
SERVER = {"privileged": True, "server_request": True}
ONE = [{"namespace": "order", "name": f"part{n}", "value": "first"} for n in range(3)]
TWO = [{"namespace": "order", "name": f"part{n}", "value": "second"} for n in range(2, 5)]


def course_with(*slugs):
    course = CourseFactory()
    for slug in slugs:
        CourseModeFactory(course=course, mode_slug=slug)
    return course


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


@pytest.mark.rule("enrollment.concurrency.same_learner")
@pytest.mark.parametrize("before", [None, False], ids=["new", "left before"])
def test_equal_requests_get_equal_answers(before):
    # One test, because emptying all tables after each costs more than the rounds.
    for _, asked, seats in product(range(ROUNDS), ({}, SERVER), (None, 1)):
        user, course = UserFactory(), CourseFactory(max_student_enrollments_allowed=seats)
        if before is not None:
            CourseEnrollmentFactory(user=user, course=course, is_active=before, mode="honor")
        options = {"mode": "audit", "is_active": True, "enrollment_attributes": ONE, **asked}
        request = partial(api.request_enrollment, user.username, course.id, **options)

        with captured_events() as events:
            answers = in_parallel(request, request, request)

        assert answers == [api.get_enrollment(user.username, course.id)] * 3
        row = CourseEnrollment.objects.get(user=user)
        assert (row.mode, row.is_active) == ("audit", True)
        assert sorted(event.event_type for event in events) == [CHANGED, CREATED]
        assert row.history.count() == (1 if before is None else 2)
        assert api.get_enrollment_attributes(user.username, course.id) == ONE


@pytest.mark.rule("enrollment.concurrency.same_learner")
def test_requests_for_two_modes_end_in_one_that_was_asked_for():
    for _ in range(ROUNDS):
        user, course = UserFactory(), course_with("audit", "verified")
        request = partial(api.request_enrollment, user.username, course.id, **SERVER)

        with captured_events() as events:
            answers = in_parallel(*(partial(request, mode=mode) for mode in ("audit", "verified")))

        row = CourseEnrollment.objects.get(user=user)
        assert [answer["mode"] for answer in answers] == ["audit", "verified"]
        assert row.is_active
        assert [event.event_type for event in events].count(CREATED) == 1
        assert row.history.count() == 2  # whoever was second found an enrollment, and moved it
        assert events[-1].data["enrollment"].mode == row.mode == row.history.latest().mode


@pytest.mark.rule("enrollment.concurrency.same_learner")
def test_enrollment_that_turns_up_inactive_is_not_activated_by_a_change_of_mode():
    for _ in range(ROUNDS):
        user, course = UserFactory(), course_with("audit", "verified")
        request = partial(api.request_enrollment, user.username, course.id, **SERVER)

        store, move = in_parallel(
            partial(request, mode="audit", is_active=False), partial(request, mode="verified", is_active=None)
        )

        row = CourseEnrollment.objects.get(user=user)
        if isinstance(store, EnrollmentModeMismatchError):  # it came second, and would have left and moved
            assert (row.mode, row.is_active, move["is_active"]) == ("verified", True, True)
        else:
            assert (row.mode, row.is_active, move["is_active"]) == ("verified", False, False)
            assert (store["mode"], store["is_active"]) == ("audit", False)


@pytest.mark.rule("enrollment.concurrency.capacity")
def test_requests_never_take_more_than_the_seats_there_are():
    for _ in range(ROUNDS):
        course = CourseFactory(max_student_enrollments_allowed=2)
        users = UserFactory.create_batch(5)
        CourseEnrollmentFactory(user=users[0], course=course, is_active=False)

        # Each learner clicks twice: the second click finds the first one's seat, or none.
        answers = in_parallel(*(partial(api.request_enrollment, user.username, course.id) for user in users * 2))

        assert CourseEnrollment.objects.num_enrolled_in_exclude_admins(course.id) == 2
        assert kinds(answers) == ["CourseEnrollmentFullError"] * 6 + ["dict"] * 4
        assert [isinstance(answer, dict) for answer in answers[:5]] == [
            isinstance(answer, dict) for answer in answers[5:]
        ]


@pytest.mark.rule("enrollment.concurrency.attributes")
def test_attributes_of_requests_are_one_set_or_the_other():
    for _ in range(ROUNDS):
        user, course = UserFactory(), CourseFactory()
        request = partial(api.request_enrollment, user.username, course.id, **SERVER)
        answers = in_parallel(
            *(partial(request, enrollment_attributes=attributes) for attributes in (ONE, TWO, ONE, TWO))
        )
        assert kinds(answers) == ["dict"] * 4
        assert api.get_enrollment_attributes(user.username, course.id) in (ONE, TWO)


@pytest.mark.rule("enrollment.concurrency.same_row")
def test_requests_that_change_a_row_are_decided_one_after_the_other():
    for _ in range(ROUNDS):
        row = CourseEnrollmentFactory(mode="audit", course=course_with("audit", "verified"))
        request = partial(api.request_enrollment, row.user.username, row.course_id, **SERVER)

        with captured_events() as events:
            left, moved = in_parallel(
                partial(request, mode="audit", is_active=False), partial(request, mode="verified")
            )

        row.refresh_from_db()
        types = [event.event_type for event in events]
        assert (row.mode, moved["mode"]) == ("verified", "verified")
        if isinstance(left, EnrollmentModeMismatchError):  # it came second: the row is in another mode by then
            assert (row.is_active, types) == (True, [CHANGED])
        else:
            assert (row.is_active, types) == (False, [CHANGED, COMPLETED, CHANGED])
        assert row.history.count() == 1 + types.count(CHANGED)


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
