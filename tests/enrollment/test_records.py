"""The rows themselves: what is unique, what is kept of their past, what they tell about themselves."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.migrations.loader import MigrationLoader
from django.http import HttpResponse
from django.utils import timezone
from simple_history.middleware import HistoryRequestMiddleware

from enrollment.models import (
    CourseAccessRole,
    CourseEnrollment,
    CourseEnrollmentAllowed,
    CourseEnrollmentAttribute,
    CourseGrade,
    EmailOptIn,
    ManualEnrollmentAudit,
)
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

COURSE = "course-v1:edX+Demo+2026"


@pytest.mark.rule("enrollment.constraints")
@pytest.mark.parametrize(
    "again",
    [
        pytest.param(lambda user: CourseEnrollmentFactory(user=user, course_id=COURSE, course=None), id="enrollment"),
        pytest.param(
            lambda user: CourseEnrollmentAllowed.objects.create(
                email=["Eve@Example.com", "eve@example.COM"][CourseEnrollmentAllowed.objects.count()], course_id=COURSE
            ),
            id="invitation, without regard to case",
        ),
        pytest.param(
            lambda user: CourseEnrollmentAllowed.objects.bulk_create(
                [CourseEnrollmentAllowed(email="Eve@example.com", course_id=COURSE)]
            ),
            id="invitation, written in bulk",
        ),
        pytest.param(
            lambda user: CourseAccessRoleFactory(user=user, org="edX", course_id=None), id="role on an organisation"
        ),
        pytest.param(
            lambda user: CourseAccessRoleFactory(user=user, org="edX", course_id=COURSE), id="role on a course"
        ),
        pytest.param(lambda user: EmailOptIn.objects.create(user=user, org="edX", value="True"), id="mail preference"),
        pytest.param(
            lambda user: CourseGrade.objects.create(user=user, course_id=COURSE, percent_grade=0.5), id="grade"
        ),
    ],
)
def test_one_row_at_most(again):
    user = UserFactory()
    again(user)
    with pytest.raises(IntegrityError), transaction.atomic():
        again(user)


def test_one_value_per_attribute():
    row = CourseEnrollmentFactory()
    CourseEnrollmentAttribute.objects.create(enrollment=row, namespace="order", name="order_number", value="1")
    with pytest.raises(IntegrityError), transaction.atomic():
        CourseEnrollmentAttribute.objects.create(enrollment=row, namespace="order", name="order_number", value="2")


@pytest.mark.parametrize("percent_grade", [-0.1, 1.1])
def test_grade_is_a_fraction(percent_grade):
    with pytest.raises(IntegrityError), transaction.atomic():
        CourseGrade.objects.create(user=UserFactory(), course_id=COURSE, percent_grade=percent_grade)


@pytest.mark.rule("enrollment.comparison")
def test_case_matters_in_usernames_and_course_keys():
    row = CourseEnrollmentFactory(user__username="Bob", course__id="course-v1:edX+Demo+2026")
    CourseEnrollmentFactory(user__username="bob", course__id="course-v1:edX+demo+2026")

    found = CourseEnrollment.objects.filter(user__username="Bob", course_id="course-v1:edX+Demo+2026")
    assert list(found) == [row]
    assert CourseEnrollment.get_enrollment(row.user, "course-v1:edX+demo+2026") is None


def test_history_of_an_enrollment_has_every_change_and_nothing_else():
    row = CourseEnrollmentFactory(mode="audit")
    row.save()
    row.refresh_from_db()
    row.save()
    row.mode = "verified"
    row.save(update_fields=["mode"])
    CourseEnrollment.objects.get().save()

    kept = list(row.history.order_by("history_date"))
    assert [(past.history_type, past.mode) for past in kept] == [("+", "audit"), ("~", "verified")]
    assert all(isinstance(past.history_id, uuid.UUID) for past in kept)
    assert kept[0].instance == row


def test_history_has_only_what_was_written():
    row = CourseEnrollmentFactory(mode="audit")
    row.mode = "verified"
    row.save(update_fields=["is_active"])
    assert row.history.count() == 1
    row.save()
    assert [past.mode for past in row.history.order_by("history_date")] == ["audit", "verified"]


def test_history_knows_who_acted(rf):
    row, staff = CourseEnrollmentFactory(), UserFactory()

    def leave(request):
        row.deactivate()
        return HttpResponse()

    request = rf.post("/")
    request.user = staff
    HistoryRequestMiddleware(leave)(request)

    assert [past.history_user for past in row.history.order_by("history_date")] == [None, staff]


def test_course_that_is_gone_is_no_error():
    row = CourseEnrollmentFactory()
    assert row.course_overview == row.course
    row.course.delete()
    found = CourseEnrollment.objects.get()
    assert (found.course_overview, found.username) == (None, row.username)


def test_what_a_row_tells_about_a_user():
    row = CourseEnrollmentFactory(mode="honor")
    left = CourseEnrollmentFactory(user=row.user, is_active=False, mode="verified")
    nobody = AnonymousUser()

    assert CourseEnrollment.get_enrollment(row.user, row.course_id) == row
    assert CourseEnrollment.get_enrollment(nobody, row.course_id) is None
    assert CourseEnrollment.is_enrolled(row.user, row.course_id)
    assert not CourseEnrollment.is_enrolled(row.user, left.course_id)
    assert CourseEnrollment.enrollment_mode_for_user(row.user, left.course_id) == ("verified", False)
    assert CourseEnrollment.enrollment_mode_for_user(nobody, left.course_id) == (None, None)
    assert list(CourseEnrollment.enrollments_for_user(row.user)) == [row]


def test_counts_leave_out_the_course_team():
    course = CourseFactory(max_student_enrollments_allowed=2)
    team = [
        CourseAccessRoleFactory(role=role, course_id=course.id).user for role in ("staff", "instructor", "ccx_coach")
    ]
    whole_org = CourseAccessRoleFactory(role="staff", org="edX", course_id=None).user
    for user in [*team, whole_org]:
        CourseEnrollmentFactory(user=user, course=course, mode="honor")
    CourseEnrollmentFactory(course=course, is_active=False)
    learner = CourseEnrollmentFactory(course=course, mode="verified").user
    rows = CourseEnrollment.objects

    assert rows.num_enrolled_in_exclude_admins(course.id) == 2
    assert rows.is_course_full(course)
    assert not rows.is_course_full(CourseFactory(max_student_enrollments_allowed=1))
    assert rows.is_course_full(CourseFactory(max_student_enrollments_allowed=0))
    assert not rows.is_course_full(CourseFactory())
    assert rows.enrollment_counts(course.id) == {"honor": 4, "verified": 1, "total": 5}
    assert rows.users_enrolled_in(course.id).count() == 5
    assert rows.users_enrolled_in(course.id, include_inactive=True).count() == 6
    assert list(rows.users_enrolled_in(course.id, verified_only=True)) == [learner]


class TestInvitations:
    def test_are_found_by_address_and_by_who_used_them(self):
        user, other = UserFactory(email="Eve@Example.com"), UserFactory()
        free = CourseEnrollmentAllowedFactory(email="eve@example.COM", course_id=COURSE)
        mine = CourseEnrollmentAllowedFactory(email="eve@example.com", user=user)
        taken = CourseEnrollmentAllowedFactory(email="eve@example.com", user=other)
        invitations = CourseEnrollmentAllowed.objects

        assert set(invitations.for_user(user)) == {free, mine}
        assert [row.valid_for_user(user) for row in (free, mine, taken)] == [True, True, False]
        assert list(invitations.may_enroll_and_unenrolled(COURSE)) == [free]
        assert free.email == "eve@example.COM"

    def test_nobody_is_invited_by_an_empty_address(self):
        CourseEnrollmentAllowedFactory(email="")
        assert not CourseEnrollmentAllowed.objects.for_user(UserFactory(email="")).exists()

    def test_retirement_deletes_all_of_an_address(self):
        kept = CourseEnrollmentAllowedFactory(email="adam@example.com")
        CourseEnrollmentAllowedFactory(email="Eve@example.com")
        CourseEnrollmentAllowedFactory(email="eve@example.com")

        assert CourseEnrollmentAllowed.objects.retire("EVE@example.com")
        assert list(CourseEnrollmentAllowed.objects.all()) == [kept]
        assert not CourseEnrollmentAllowed.objects.retire("eve@example.com")


class TestManualAudit:
    def audit(self, enrollment, **values):
        return ManualEnrollmentAudit.objects.create(
            enrollment=enrollment, state_transition="N/A", **{"enrolled_email": "eve@example.com", **values}
        )

    def test_latest_by_address_and_by_enrollment(self):
        now, row = timezone.now(), CourseEnrollmentFactory()
        latest = self.audit(row, time_stamp=now)
        self.audit(None, time_stamp=now - timedelta(days=1))

        assert ManualEnrollmentAudit.objects.latest_for_email("Eve@example.com") == latest
        assert ManualEnrollmentAudit.objects.latest_for_enrollment(row) == latest
        assert ManualEnrollmentAudit.objects.latest_for_email("adam@example.com") is None

    def test_retirement_reaches_history(self):
        audit = self.audit(None, reason="asked by phone")
        audit.enrolled_email = "later@example.com"
        audit.save()
        other = self.audit(None, enrolled_email="adam@example.com", reason="kept")

        assert ManualEnrollmentAudit.objects.retire("later@example.com", retired_email="gone@example.invalid")

        audit.refresh_from_db()
        assert (audit.enrolled_email, audit.reason) == ("gone@example.invalid", "")
        assert {(past.enrolled_email, past.reason) for past in audit.history.all()} == {("gone@example.invalid", "")}
        other.refresh_from_db()
        assert other.reason == "kept"
        assert not ManualEnrollmentAudit.objects.retire("later@example.com", retired_email="gone@example.invalid")


def test_roles_of_the_same_kind_on_course_and_organisation_are_apart():
    user = UserFactory()
    CourseAccessRoleFactory(user=user, org="edX", course_id=None)
    on_course = CourseAccessRoleFactory(user=user, org="edX", course_id=COURSE)
    assert list(CourseAccessRole.objects.on_course(COURSE).staff()) == [on_course]


def test_migrations_are_complete_and_can_be_undone():
    call_command("makemigrations", "enrollment", check=True, dry_run=True, verbosity=0)
    migrations = [
        migration for (app, _), migration in MigrationLoader(None).disk_migrations.items() if app == "enrollment"
    ]
    assert migrations
    assert all(operation.reversible for migration in migrations for operation in migration.operations)
