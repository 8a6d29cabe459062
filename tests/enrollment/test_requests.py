"""What comes with a request for an enrollment: attributes, cohorts, answers to mail, hooks; all of it or nothing.

What becomes of the enrollment itself is in `test_outcomes`.
"""

import pytest

from enrollment import api
from enrollment.errors import (
    CohortNotFoundError,
    CourseEnrollmentClosedError,
    CourseModeNotFoundError,
    EnrollmentAttributesMissingError,
    EnrollmentModeMismatchError,
    EnrollmentPreventedError,
    InvalidCourseKeyError,
    InvalidEnrollmentAttribute,
    UnenrollmentNotAllowedError,
    UserNotFoundError,
)
from enrollment.models import CourseEnrollment, EmailOptIn
from events.testing import captured_events
from tests.enrollment.doubles import RecordingCohorts, RecordingHook
from tests.enrollment.factories import (
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

ORDER = {"namespace": "order", "name": "order_number", "value": "EDX-1000"}
PROVIDER = {"namespace": "credit", "name": "provider_id", "value": "hogwarts"}
SERVER = {"privileged": True, "server_request": True}


def double(name):
    return f"tests.enrollment.doubles.{name}"


def course_with(*slugs, **facts):
    course = CourseFactory(**facts)
    for slug in slugs:
        CourseModeFactory(course=course, mode_slug=slug)
    return course


@pytest.fixture
def cohorts(settings):
    settings.ENROLLMENT_PORTS = {"CohortPort": double("RecordingCohorts")}
    RecordingCohorts.members.clear()
    return RecordingCohorts.members


class TestWhatComesWithARequest:
    def test_is_stored_for_the_learner(self, cohorts):
        user, course = UserFactory(), course_with("audit", "verified", id="course-v1:edX+DemoX+2026")
        invitation = CourseEnrollmentAllowedFactory(email=user.email, course_id=course.id)

        enrollment = api.request_enrollment(
            user.username,
            course.id,
            mode="verified",
            enrollment_attributes=[ORDER],
            cohort="blue",
            email_opt_in=False,
            **SERVER,
        )

        assert enrollment == api.get_enrollment(user.username, course.id)
        assert (enrollment["mode"], enrollment["is_active"]) == ("verified", True)
        assert api.get_enrollment_attributes(user.username, course.id) == [ORDER]
        assert cohorts == [(user, course.id, "blue")]
        assert list(EmailOptIn.objects.values_list("user", "org", "value")) == [(user.pk, "edX", "False")]
        invitation.refresh_from_db()
        assert invitation.user == user
        assert CourseEnrollment.objects.get().history.count() == 1

    @pytest.mark.rule("enrollment.repeats")
    @pytest.mark.parametrize(
        ("before", "asked", "is_stored"),
        [
            pytest.param(True, SERVER, True, id="server repeats itself"),
            pytest.param(True, {"privileged": True, "mode": "audit"}, True, id="staff repeat themselves"),
            pytest.param(False, {"privileged": True, "is_active": False}, True, id="staff repeat a departure"),
            pytest.param(False, {"mode": "audit", "is_active": False}, True, id="learner who has left stays away"),
            pytest.param(True, {}, False, id="enrolled learner repeats the request"),
            pytest.param(True, {"mode": "honor"}, False, id="enrolled learner asks for another mode"),
        ],
    )
    def test_repeats_leave_what_privileged_callers_say(self, cohorts, before, asked, is_stored):
        course = course_with("audit", "honor")
        row = CourseEnrollmentFactory(course=course, mode="audit", is_active=before)
        api.set_enrollment_attributes(row.user.username, course.id, [PROVIDER])

        with captured_events() as events:
            enrollment = api.request_enrollment(
                row.user.username, course.id, enrollment_attributes=[ORDER], cohort="blue", email_opt_in=True, **asked
            )

        assert (enrollment["mode"], enrollment["is_active"]) == ("audit", before)
        stored = api.get_enrollment_attributes(row.user.username, course.id)
        assert stored == ([ORDER] if is_stored else [PROVIDER])
        assert len(cohorts) == EmailOptIn.objects.count() == is_stored
        assert (len(events), row.history.count()) == (0, 1)

    def test_may_be_left_out(self, cohorts):
        row = CourseEnrollmentFactory()
        api.set_enrollment_attributes(row.user.username, row.course_id, [ORDER])

        api.request_enrollment(row.user.username, row.course_id, **SERVER)
        assert api.get_enrollment_attributes(row.user.username, row.course_id) == [ORDER]
        api.request_enrollment(row.user.username, row.course_id, enrollment_attributes=[], **SERVER)
        assert api.get_enrollment_attributes(row.user.username, row.course_id) == []
        assert (cohorts, EmailOptIn.objects.count()) == ([], 0)

    def test_cohort_takes_nobody_in_twice(self, cohorts):
        row = CourseEnrollmentFactory()
        for _ in range(2):
            api.request_enrollment(row.user.username, row.course_id, cohort="blue", **SERVER)
        assert cohorts == [(row.user, row.course_id, "blue")]

    def test_answer_to_mail_is_the_last_one(self):
        row = CourseEnrollmentFactory()
        for answer in (True, False):
            api.request_enrollment(row.user.username, row.course_id, email_opt_in=answer, **SERVER)
        assert EmailOptIn.objects.get().value == "False"


@pytest.mark.rule("enrollment.one_transaction")
@pytest.mark.parametrize("before", [None, ("audit", True), ("audit", False)], ids=["new", "enrolled", "left"])
@pytest.mark.parametrize(
    ("asked", "error", "complaint"),
    [
        pytest.param({"cohort": "red"}, CohortNotFoundError, r"has no cohort 'red'\.", id="unknown cohort"),
        pytest.param(
            {"enrollment_attributes": [{}]}, InvalidEnrollmentAttribute, "lacks its namespace", id="attribute"
        ),
        pytest.param({"mode": "masters"}, CourseModeNotFoundError, "Available modes: audit, verified", id="mode"),
    ],
)
def test_refusal_leaves_no_trace(settings, before, asked, error, complaint):
    course, user = course_with("audit", "verified"), UserFactory()
    if before is not None:
        CourseEnrollmentFactory(user=user, course=course, mode=before[0], is_active=before[1])
    history = CourseEnrollment.history.count()

    with captured_events() as events, pytest.raises(error, match=complaint):
        api.request_enrollment(
            user.username,
            course.id,
            **{"mode": "verified", "enrollment_attributes": [ORDER], "email_opt_in": True, **asked},
            **SERVER,
        )

    rows = CourseEnrollment.objects.values_list("mode", "is_active")
    assert list(rows) == ([] if before is None else [before])
    assert api.get_enrollment_attributes(user.username, course.id) == []
    assert (len(events), EmailOptIn.objects.count(), CourseEnrollment.history.count()) == (0, 0, history)


class TestRefusals:
    def test_mode_mismatch(self):
        row = CourseEnrollmentFactory(mode="verified", course=course_with("audit", "verified"))
        with pytest.raises(EnrollmentModeMismatchError, match=r"^Enrollment mode mismatch"):
            api.request_enrollment(row.user.username, row.course_id, mode="audit", is_active=False, **SERVER)
        row.refresh_from_db()
        assert (row.mode, row.is_active) == ("verified", True)

    @pytest.mark.parametrize("is_strict", [False, True])
    def test_attributes_that_the_mode_requires(self, settings, is_strict):
        settings.ENROLLMENT_STRICT_MODE_ATTRIBUTES = is_strict
        course = course_with("audit", "credit")
        enrolled, new = CourseEnrollmentFactory(course=course).user, UserFactory()

        def ask(user, attributes):
            options = {"mode": "credit", "enrollment_attributes": attributes, **SERVER}
            return api.request_enrollment(user.username, course.id, **options)["mode"]

        def refused(user, attributes):
            with pytest.raises(EnrollmentAttributesMissingError, match="credit:provider_id"):
                ask(user, attributes)
            return "refused"

        assert refused(enrolled, [ORDER]) == "refused"
        assert (refused if is_strict else ask)(new, None) == ("refused" if is_strict else "credit")
        assert (refused if is_strict else ask)(enrolled, None) == ("refused" if is_strict else "credit")
        assert ask(UserFactory(), [PROVIDER]) == "credit"

    def test_hook_can_hold_a_learner_back(self, settings):
        settings.ENROLLMENT_PORTS = {"UnenrollHook": [double("HoldBack")]}
        row = CourseEnrollmentFactory()
        with pytest.raises(UnenrollmentNotAllowedError, match=r"^The exam is tomorrow\.$"):
            api.request_enrollment(row.user.username, row.course_id, is_active=False, **SERVER)

    def test_course_key(self, django_assert_num_queries):
        with django_assert_num_queries(0), pytest.raises(InvalidCourseKeyError):
            api.request_enrollment("bob", "invalidcourse")

    def test_user(self):
        with pytest.raises(UserNotFoundError):
            api.request_enrollment("nobody", CourseFactory().id)

    def test_force_is_for_staff_and_passes_over_a_closed_course(self):
        user, course = UserFactory(), CourseFactory(invitation_only=True)
        with pytest.raises(CourseEnrollmentClosedError):
            api.request_enrollment(user.username, course.id, privileged=True)
        enrollment = api.request_enrollment(user.username, course.id, privileged=True, force_enrollment=True)
        assert enrollment["is_active"]


class TestPreEnrollHooks:
    @pytest.fixture
    def asked(self, settings):
        settings.ENROLLMENT_PORTS = {"PreEnrollHook": [double("RecordingHook")]}
        RecordingHook.calls.clear()
        return RecordingHook.calls

    def test_see_the_request(self, asked):
        user, course = UserFactory(), CourseFactory()
        body = {"linked_enterprise_customer": "acme"}
        api.ask_pre_enroll_hooks(user.username, course.id, is_server_request=True, data=body)
        assert asked == [(user, course.id, True, body)]

    def test_can_prevent_it(self, settings):
        settings.ENROLLMENT_PORTS = {"PreEnrollHook": [double("PreventEverything")]}
        with pytest.raises(EnrollmentPreventedError, match=r"^No consent was given\.$") as refusal:
            api.ask_pre_enroll_hooks(UserFactory().username, CourseFactory().id, is_server_request=False, data={})
        assert refusal.value.code == "prevented"

    def test_are_about_somebody(self, asked):
        with pytest.raises(UserNotFoundError):
            api.ask_pre_enroll_hooks("nobody", CourseFactory().id, is_server_request=False, data={})
        assert asked == []

    def test_none_cost_nothing(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            api.ask_pre_enroll_hooks("bob", "course-v1:edX+DemoX+2026", is_server_request=False, data={})
