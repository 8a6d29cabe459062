"""What the apps above ask this one."""

from datetime import UTC, datetime

import pytest

from enrollment import api
from enrollment.errors import InvalidCourseKeyError
from enrollment.types import CourseFacts, EnrollmentState, ProfileFacts
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, LearnerProfileFactory, UserFactory
from tests.support import statements

pytestmark = pytest.mark.django_db


def test_state_of_an_enrollment():
    row = CourseEnrollmentFactory(mode="verified", is_active=False)

    with statements() as run:
        state = api.get_enrollment_state(row.user_id, row.course_id)

    assert state == EnrollmentState(mode="verified", is_active=False, created=row.created)
    assert len(run) == 1, run


def test_no_enrollment_has_no_state():
    assert api.get_enrollment_state(UserFactory().pk, CourseFactory().id) is None


def test_states_of_all_enrollments_of_one_learner():
    rows = [CourseEnrollmentFactory(mode="verified", is_active=False)]
    rows.append(CourseEnrollmentFactory(user=rows[0].user))
    CourseEnrollmentFactory()

    with statements() as run:
        states = api.get_enrollment_states(rows[0].user_id)

    assert states == {
        row.course_id: EnrollmentState(mode=row.mode, is_active=row.is_active, created=row.created) for row in rows
    }
    assert len(run) == 1, run


def test_one_attribute_of_all_enrollments_of_one_learner():
    row, other = CourseEnrollmentFactory(), CourseEnrollmentFactory()
    CourseEnrollmentFactory(user=row.user)
    for enrollment, name, value in ((row, "provider_id", "a"), (row, "order", "b"), (other, "provider_id", "c")):
        enrollment.attributes.create(namespace="credit", name=name, value=value)

    with statements() as run:
        values = api.get_attribute_values(row.user_id, namespace="credit", name="provider_id")

    assert values == {row.course_id: "a"}
    assert len(run) == 1, run


def test_course_facts():
    end = datetime(2026, 12, 20, tzinfo=UTC)
    course = CourseFactory(display_name=None, end=end, minimum_grade_credit=0.8, id="course-v1:edX+Demo+2026_T1")

    with statements() as run:
        facts = api.get_course_facts(course.id)

    assert facts == CourseFacts(course_id=course.id, display_name="2026 T1", end=end, minimum_grade_credit=0.8)
    assert len(run) == 1, run


def test_unknown_course_has_no_facts():
    assert api.get_course_facts("course-v1:edX+Gone+2026") is None


def test_profile():
    profile = LearnerProfileFactory(name="Bob", mailing_address="1 Street", country="DE", language="es")

    with statements() as run:
        facts = api.get_profile(profile.user_id)

    assert facts == ProfileFacts(name="Bob", mailing_address="1 Street", country="DE", language="es")
    assert len(run) == 1, run


def test_learner_without_profile_has_none():
    assert api.get_profile(UserFactory().pk) is None


@pytest.mark.parametrize("ask", [lambda key: api.get_enrollment_state(1, key), api.get_course_facts])
def test_what_is_no_course_key_is_refused_before_any_statement(ask):
    with statements() as run, pytest.raises(InvalidCourseKeyError):
        ask("invalidcourse")
    assert len(run) == 0, run
