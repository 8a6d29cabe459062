"""Reading and changing enrollments through the API."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey
from rest_framework.renderers import JSONRenderer

from coursecredit.errors import DomainError
from enrollment import api, data
from enrollment.errors import (
    CourseModeNotFoundError,
    CourseNotFoundError,
    EnrollmentNotFoundError,
    UnenrollmentNotAllowedError,
    UserNotFoundError,
)
from enrollment.models import CourseEnrollment
from enrollment.types import Role
from events.testing import captured_events
from tests.enrollment.doubles import ElsewhereCourse
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

COURSE = "course-v1:edX+DemoX+2026_T1"
GONE = "course-v1:edX+Gone+2026"
YESTERDAY = timezone.now() - timedelta(days=1)
CREDIT = {"namespace": "credit", "name": "provider_id", "value": "hogwarts"}
ORDER = {"namespace": "order", "name": "order_number", "value": "EDX-1000"}


def test_enrollment_as_clients_see_it(time_machine):
    time_machine.move_to(datetime(2026, 3, 1, 10, 15, 30, 123456, tzinfo=UTC), tick=False)
    course = CourseFactory(
        id=COURSE,
        display_name="Demonstration",
        start=datetime(2026, 2, 3, tzinfo=UTC),
        enrollment_end=datetime(2026, 12, 20, 20, 18, tzinfo=UTC),
    )
    CourseModeFactory(
        course=course,
        mode_slug="verified",
        mode_display_name="Verified Certificate",
        min_price=49,
        expiration_datetime=datetime(2026, 11, 1, tzinfo=UTC),
        sku="8CF08E5",
        bulk_sku="A5B6DBE",
        android_sku="not shown",
    )
    CourseModeFactory(course=course, mode_slug="credit", mode_display_name="Credit", suggested_prices="10,20")
    CourseModeFactory(course=course, mode_slug="honor", expiration_datetime=datetime(2026, 1, 1, tzinfo=UTC))
    UserFactory(username="bob")

    added = api.add_enrollment("bob", COURSE, "verified")

    expected = {
        "created": "2026-03-01T10:15:30.123456Z",
        "mode": "verified",
        "is_active": True,
        "course_details": {
            "course_id": COURSE,
            "course_name": "Demonstration",
            "enrollment_start": None,
            "enrollment_end": datetime(2026, 12, 20, 20, 18, tzinfo=UTC),
            "course_start": datetime(2026, 2, 3, tzinfo=UTC),
            "course_end": None,
            "invite_only": False,
            "course_modes": [
                {
                    "slug": "verified",
                    "name": "Verified Certificate",
                    "min_price": 49,
                    "suggested_prices": "",
                    "currency": "usd",
                    "expiration_datetime": "2026-11-01T00:00:00Z",
                    "description": None,
                    "sku": "8CF08E5",
                    "bulk_sku": "A5B6DBE",
                },
                {
                    "slug": "credit",
                    "name": "Credit",
                    "min_price": 0,
                    "suggested_prices": "10,20",
                    "currency": "usd",
                    "expiration_datetime": None,
                    "description": None,
                    "sku": None,
                    "bulk_sku": None,
                },
            ],
            "pacing_type": "Instructor Paced",
        },
        "user": "bob",
    }
    assert added == expected
    assert api.get_enrollment("bob", COURSE) == expected
    assert api.get_enrollment("bob", CourseKey.from_string(COURSE)) == expected
    assert api.get_enrollments("bob") == [expected]
    assert api.serialize_enrollments(CourseEnrollment.objects.all()) == [expected]
    assert b'"enrollment_end":"2026-12-20T20:18:00Z"' in JSONRenderer().render(expected)


def test_self_paced_course():
    row = CourseEnrollmentFactory(course__self_paced=True)
    enrollment = api.get_enrollment(row.user.username, row.course_id)
    assert enrollment["course_details"]["pacing_type"] == "Self Paced"


class TestReading:
    def test_list_is_of_active_ones_oldest_first(self):
        user = UserFactory()
        rows = [
            CourseEnrollmentFactory(user=user, created=timezone.now() - timedelta(days=days), is_active=days != 2)
            for days in (1, 2, 3)
        ]

        def listed(**options):
            return [row["course_details"]["course_id"] for row in api.get_enrollments(user.username, **options)]

        assert listed() == [rows[2].course_id, rows[0].course_id]
        assert listed(include_inactive=True) == [rows[2].course_id, rows[1].course_id, rows[0].course_id]

    def test_verified_ones(self):
        user = UserFactory()
        for mode in ("audit", "verified", "masters", "no-id-professional"):
            CourseEnrollmentFactory(user=user, mode=mode)
        assert [row["mode"] for row in api.get_verified_enrollments(user.username)] == ["verified", "masters"]

    def test_course_that_is_gone(self, caplog):
        gone = CourseEnrollmentFactory()
        kept = CourseEnrollmentFactory(user=gone.user)
        gone.course.delete()

        assert api.get_enrollment(gone.user.username, gone.course_id)["course_details"] is None
        with caplog.at_level(logging.WARNING):
            listed = api.get_enrollments(gone.user.username)

        assert [row["course_details"]["course_id"] for row in listed] == [kept.course_id]
        assert caplog.messages == [f"1 enrollments of user {gone.user_id} are left out: their courses are gone."]

    def test_unknown_user(self):
        course = CourseFactory()
        assert api.get_enrollments("nobody") == []
        assert api.get_enrollment("nobody", course.id) is None
        for ask in (
            lambda: api.get_enrollment_attributes("nobody", course.id),
            lambda: api.set_enrollment_attributes("nobody", course.id, []),
            lambda: api.update_enrollment("nobody", course.id, is_active=False),
            lambda: api.unenroll_user_from_all_courses("nobody"),
            lambda: api.get_user_roles("nobody"),
        ):
            with pytest.raises(UserNotFoundError):
                ask()

    def test_rows_of_one_course_for_other_apps(self):
        course = CourseFactory()
        young = CourseEnrollmentFactory(course=course)
        old = CourseEnrollmentFactory(course=course, created=YESTERDAY)
        CourseEnrollmentFactory(course=course, is_active=False)
        assert list(data.get_user_enrollments(CourseKey.from_string(course.id))) == [old, young]

    def test_roles(self):
        user = UserFactory()
        CourseAccessRoleFactory(user=user, org="edX", course_id=COURSE, role="staff")
        CourseAccessRoleFactory(user=user, org="", course_id=None, role="course_creator")
        assert api.get_user_roles(user.username) == [
            Role(org="edX", course_id=COURSE, role="staff"),
            Role(org="", course_id=None, role="course_creator"),
        ]


class TestUpdate:
    @pytest.mark.parametrize(
        ("before", "asked", "after"),
        [
            pytest.param(("audit", True), {"mode": "verified"}, ("verified", True), id="mode"),
            pytest.param(("audit", False), {"mode": "verified"}, ("verified", False), id="mode of an inactive one"),
            pytest.param(("audit", True), {"is_active": False}, ("audit", False), id="leaves"),
            pytest.param(("audit", False), {"is_active": True}, ("audit", True), id="comes back, no access checked"),
            pytest.param(("audit", True), {}, ("audit", True), id="nothing asked"),
            pytest.param(("audit", True), {"mode": "honor"}, CourseModeNotFoundError, id="expired mode"),
            pytest.param(
                ("audit", True), {"mode": "honor", "include_expired": True}, ("honor", True), id="expired mode accepted"
            ),
            pytest.param(("honor", True), {"mode": "honor", "is_active": False}, ("honor", False), id="leaves expired"),
            pytest.param(("audit", True), {"mode": "masters"}, CourseModeNotFoundError, id="mode that is not offered"),
        ],
    )
    def test_outcomes(self, before, asked, after):
        course = CourseFactory(invitation_only=True)
        for slug in ("audit", "verified"):
            CourseModeFactory(course=course, mode_slug=slug)
        CourseModeFactory(course=course, mode_slug="honor", expiration_datetime=YESTERDAY)
        row = CourseEnrollmentFactory(course=course, mode=before[0], is_active=before[1])

        if isinstance(after, tuple):
            enrollment = api.update_enrollment(row.user.username, course.id, **asked)
            assert enrollment == api.get_enrollment(row.user.username, course.id)
        else:
            with pytest.raises(after):
                api.update_enrollment(row.user.username, course.id, **asked)

        row.refresh_from_db()
        assert (row.mode, row.is_active) == (after if isinstance(after, tuple) else before)

    def test_needs_a_row(self):
        with pytest.raises(EnrollmentNotFoundError):
            api.update_enrollment(UserFactory().username, CourseFactory().id, is_active=False)
        with pytest.raises(EnrollmentNotFoundError):
            api.update_enrollment(UserFactory().username, GONE, is_active=False)

    def test_needs_the_course_only_to_check_a_mode(self):
        row = CourseEnrollmentFactory()
        row.course.delete()
        with pytest.raises(CourseNotFoundError):
            api.update_enrollment(row.user.username, row.course_id, "verified")
        assert not api.update_enrollment(row.user.username, row.course_id, is_active=False)["is_active"]

    def test_attributes(self):
        row = CourseEnrollmentFactory()
        name, course_id = row.user.username, row.course_id

        api.update_enrollment(name, course_id, enrollment_attributes=[CREDIT, ORDER])
        api.update_enrollment(name, course_id, enrollment_attributes=None)
        assert api.get_enrollment_attributes(name, course_id) == [CREDIT, ORDER]
        api.update_enrollment(name, course_id, enrollment_attributes=[])
        assert api.get_enrollment_attributes(name, course_id) == []

    def test_hook_can_hold_a_learner_back(self, settings):
        settings.ENROLLMENT_PORTS = {"UnenrollHook": ["tests.enrollment.doubles.HoldBack"]}
        row = CourseEnrollmentFactory()
        with captured_events() as events, pytest.raises(UnenrollmentNotAllowedError, match=r"^The exam is tomorrow\.$"):
            api.update_enrollment(row.user.username, row.course_id, is_active=False, enrollment_attributes=[ORDER])
        assert api.get_enrollment_attributes(row.user.username, row.course_id) == []
        assert len(events) == 0


class TestAttributes:
    def test_are_replaced_as_a_whole_and_the_last_of_a_name_counts(self):
        row = CourseEnrollmentFactory()
        name, course_id = row.user.username, row.course_id
        api.set_enrollment_attributes(name, course_id, [CREDIT])
        api.set_enrollment_attributes(name, course_id, [ORDER, CREDIT, {**ORDER, "value": "EDX-2000"}])
        assert api.get_enrollment_attributes(name, course_id) == [{**ORDER, "value": "EDX-2000"}, CREDIT]

    def test_without_a_row_there_are_none(self):
        user, course = UserFactory(), CourseFactory()
        assert api.set_enrollment_attributes(user.username, course.id, [CREDIT]) is None
        assert api.get_enrollment_attributes(user.username, course.id) == []


def test_leaving_everything(caplog):
    user = UserFactory()
    kept = CourseEnrollmentFactory()
    active = [
        CourseEnrollmentFactory(user=user, course__id=course_id)
        for course_id in ("course-v1:edX+A+1", "course-v1:edX+B+1", "course-v1:MITx+C+1")
    ]
    CourseEnrollmentFactory(user=user, course__id="course-v1:UofX+D+1", is_active=False)
    active[2].course.delete()
    untouched = CourseEnrollment.objects.get(course_id="course-v1:UofX+D+1").history.count()

    with captured_events() as events:
        assert api.unenroll_user_from_all_courses(user.username) == {"edX", "MITx", "UofX"}

    assert not CourseEnrollment.objects.filter(user=user, is_active=True).exists()
    assert CourseEnrollment.objects.get(course_id="course-v1:UofX+D+1").history.count() == untouched
    assert len(events) == 2 * len(active)
    kept.refresh_from_db()
    assert kept.is_active
    with captured_events() as events:
        assert api.unenroll_user_from_all_courses(user.username) == {"edX", "MITx", "UofX"}
    assert len(events) == 0


class TestProctoring:
    @pytest.mark.parametrize(
        ("mode", "is_active", "course_facts", "site", "valid"),
        [
            pytest.param("verified", True, {}, {}, True, id="verified"),
            pytest.param("masters", True, {}, {}, True, id="masters"),
            pytest.param("audit", True, {}, {}, False, id="audit"),
            pytest.param("honor", True, {}, {}, False, id="honor"),
            pytest.param(
                "honor",
                True,
                {"proctoring_provider": "null"},
                {"PROCTORING_BACKENDS": {"null": {"allow_honor_mode": True}}},
                True,
                id="honor, if the provider takes it",
            ),
            pytest.param(
                "honor",
                True,
                {"proctoring_provider": "null"},
                {"PROCTORING_BACKENDS": {"null": {"allow_honor_mode": None}}},
                False,
                id="honor, if the provider does not say",
            ),
            pytest.param("verified", False, {}, {}, False, id="left"),
            pytest.param("verified", True, {"enable_proctored_exams": False}, {}, False, id="course without"),
            pytest.param("verified", True, {}, {"ENABLE_SPECIAL_EXAMS": False}, False, id="site without"),
        ],
    )
    def test_who_may_take_proctored_exams(self, settings, mode, is_active, course_facts, site, valid):
        for name, value in {"ENABLE_SPECIAL_EXAMS": True, **site}.items():
            setattr(settings, name, value)
        course = CourseFactory(**{"enable_proctored_exams": True, **course_facts})
        row = CourseEnrollmentFactory(course=course, mode=mode, is_active=is_active)
        assert api.is_enrollment_valid_for_proctoring(row.user.username, course.id) is valid

    def test_nobody_without_an_enrollment(self, settings):
        settings.ENABLE_SPECIAL_EXAMS = True
        course = CourseFactory(enable_proctored_exams=True)
        assert not api.is_enrollment_valid_for_proctoring(UserFactory().username, course.id)


def test_courses_may_live_elsewhere(settings):
    settings.ENROLLMENT_PORTS = {"CoursePort": "tests.enrollment.doubles.ElsewhereCourses"}
    user, there = UserFactory(), ElsewhereCourse.id
    CourseFactory(id=there, display_name="A stale copy")

    added = api.add_enrollment(user.username, there)

    assert added["course_details"]["course_name"] == "Elsewhere"
    assert api.get_enrollments(user.username) == [added] == [api.get_enrollment(user.username, there)]
    assert api.get_course_facts(there).display_name == "Elsewhere"


def test_every_error_has_a_text_and_a_code_of_its_own():
    def below(kind):
        return {kind}.union(*(below(one) for one in kind.__subclasses__()))

    ours = [kind for kind in below(DomainError) if kind.__module__ == "enrollment.errors"]
    assert len(ours) > 15
    assert all(str(kind()) and "\n" not in str(kind()) for kind in ours)
