"""Who may enroll, and into how many seats."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enrollment import ports
from enrollment.errors import CourseFullError, EnrollmentClosedError
from enrollment.models import CourseEnrollment
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

TOMORROW = timezone.now() + timedelta(days=1)
OPEN: dict[str, object] = {}
CLOSED = {"enrollment_start": TOMORROW}
INVITATION_ONLY = {"invitation_only": True}


def somebody(user, course):
    pass


def global_staff(user, course):
    user.is_staff = True
    user.save()


def course_staff(user, course):
    CourseAccessRoleFactory(user=user, course_id=course.id, role="staff")


def instructor(user, course):
    CourseAccessRoleFactory(user=user, course_id=course.id, role="instructor")


def organisation_staff(user, course):
    CourseAccessRoleFactory(user=user, course_id=None, org=course.org, role="staff")


def coach(user, course):
    CourseAccessRoleFactory(user=user, course_id=course.id, role="ccx_coach")


def invited(user, course):
    CourseEnrollmentAllowedFactory(email=user.email.upper(), course_id=course.id)


def invited_before(user, course):
    CourseEnrollmentAllowedFactory(email=user.email, course_id=course.id, user=user)


def invited_like_somebody_else(user, course):
    CourseEnrollmentAllowedFactory(email=user.email, course_id=course.id, user=UserFactory())


def staff_and_invited(user, course):
    global_staff(user, course)
    invited(user, course)


def staff_and_invited_like_somebody_else(user, course):
    global_staff(user, course)
    invited_like_somebody_else(user, course)


INVITE_ONLY_SITE = {"COURSES_INVITE_ONLY": True}
STRICT_WINDOW = {"DISABLE_ALLOWED_ENROLLMENT_IF_ENROLLMENT_CLOSED": True}
UNCONFIRMED = {"ENROLLMENT_PORTS": {"ProfilePort": "tests.enrollment.doubles.NobodyConfirmed"}}


@pytest.mark.rule("enrollment.access")
@pytest.mark.parametrize(
    ("who", "course_facts", "site", "may"),
    [
        pytest.param(somebody, OPEN, {}, True, id="open course"),
        pytest.param(somebody, CLOSED, {}, False, id="closed course"),
        pytest.param(somebody, INVITATION_ONLY, {}, False, id="invitation only"),
        pytest.param(somebody, OPEN, INVITE_ONLY_SITE, False, id="invitation only everywhere"),
        pytest.param(global_staff, CLOSED | INVITATION_ONLY, {}, True, id="global staff everywhere"),
        pytest.param(course_staff, CLOSED | INVITATION_ONLY, {}, True, id="staff of the course"),
        pytest.param(instructor, CLOSED | INVITATION_ONLY, {}, True, id="instructor of the course"),
        pytest.param(organisation_staff, CLOSED, {}, False, id="staff of the organisation is not staff of the course"),
        pytest.param(coach, CLOSED, {}, False, id="coach is not staff"),
        pytest.param(invited, CLOSED | INVITATION_ONLY, {}, True, id="invited, whatever the window"),
        pytest.param(invited, OPEN, INVITE_ONLY_SITE, True, id="invited, on a closed site"),
        pytest.param(invited_before, CLOSED, {}, True, id="invited, and came in that way before"),
        pytest.param(invited_like_somebody_else, OPEN, {}, False, id="somebody else used the invitation"),
        pytest.param(staff_and_invited_like_somebody_else, OPEN, {}, False, id="also for staff"),
        pytest.param(invited, CLOSED, STRICT_WINDOW, False, id="invited, but the window counts"),
        pytest.param(invited, OPEN, STRICT_WINDOW, True, id="invited, inside the window"),
        pytest.param(staff_and_invited, CLOSED, STRICT_WINDOW, True, id="the window does not count for staff"),
        pytest.param(invited, CLOSED, UNCONFIRMED, False, id="invited at an unconfirmed address"),
        pytest.param(invited_like_somebody_else, OPEN, UNCONFIRMED, True, id="an unconfirmed address is nobody's"),
    ],
)
def test_who_may_enroll(settings, who, course_facts, site, may):
    for name, value in site.items():
        setattr(settings, name, value)
    user, course = UserFactory(), CourseFactory(**course_facts)
    who(user, course)

    assert ports.access().can_enroll(user, course) is may

    if may:
        CourseEnrollment.enroll(user, course.id, check_access=True)
    else:
        with pytest.raises(EnrollmentClosedError):
            CourseEnrollment.enroll(user, course.id, check_access=True)
    assert CourseEnrollment.is_enrolled(user, course.id) is may


@pytest.mark.rule("enrollment.capacity")
@pytest.mark.parametrize(
    ("cap", "taken", "may"),
    [
        pytest.param(None, 3, True, id="no cap"),
        pytest.param(2, 1, True, id="one seat left"),
        pytest.param(2, 2, False, id="no seat left"),
        pytest.param(0, 0, False, id="nobody"),
    ],
)
@pytest.mark.parametrize("who", [somebody, global_staff], ids=["learner", "staff"])
def test_full_course_takes_nobody_else(cap, taken, may, who):
    user, course = UserFactory(), CourseFactory(max_student_enrollments_allowed=cap)
    who(user, course)
    CourseEnrollmentFactory.create_batch(taken, course=course)
    CourseEnrollmentFactory(course=course, is_active=False)

    if may:
        CourseEnrollment.enroll(user, course.id, check_access=True)
    else:
        with pytest.raises(CourseFullError):
            CourseEnrollment.enroll(user, course.id, check_access=True, can_upgrade=True)
    assert CourseEnrollment.is_enrolled(user, course.id) is may
