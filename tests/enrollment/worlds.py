"""The tables of the default data backend, filled by the same words as `enrollment.testing`.

`each_backend` runs a test on either: what is said of one data backend has to be true of the other.
"""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from enrollment import data, models, testing
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)


def add_user(username, *, is_staff=False):
    UserFactory(username=username, is_staff=is_staff)


def add_course(course_id, *, modes=(), expired=(), **facts):
    course = CourseFactory(id=course_id, **{"display_name": None, **facts})
    for slug in modes:
        deadline = timezone.now() - timedelta(days=1) if slug in expired else None
        CourseModeFactory(course=course, mode_slug=slug, expiration_datetime=deadline)


def remove_course(course_id):
    models.Course.objects.get(pk=course_id).delete()


def add_enrollment(username, course_id, *, mode, is_active=True):
    return CourseEnrollmentFactory(
        user=_user(username), course_id=course_id, course=None, mode=mode, is_active=is_active
    )


def invite(username, course_id, *, used_by=None):
    user = None if used_by is None else _user(used_by)
    CourseEnrollmentAllowedFactory(email=_user(username).email, course_id=course_id, user=user)


def give_role(username, role, *, org="", course_id=None):
    CourseAccessRoleFactory(user=_user(username), role=role, org=org, course_id=course_id)


def _user(username):
    return get_user_model().objects.get(username=username)


DEFAULT = SimpleNamespace(
    path="enrollment.data",
    backend=data,
    add_user=add_user,
    add_course=add_course,
    remove_course=remove_course,
    add_enrollment=add_enrollment,
    invite=invite,
    give_role=give_role,
)
MEMORY = SimpleNamespace(
    path="enrollment.testing",
    backend=testing,
    add_user=testing.add_user,
    add_course=testing.add_course,
    remove_course=testing.remove_course,
    add_enrollment=testing.add_enrollment,
    invite=testing.invite,
    give_role=testing.give_role,
)

each_backend = pytest.mark.parametrize(
    "world",
    [pytest.param(DEFAULT, id="tables", marks=pytest.mark.django_db), pytest.param(MEMORY, id="memory")],
)
