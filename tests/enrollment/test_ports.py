"""The neighbours that a stand-alone site has, and how a host names its own."""

import logging

import pytest
from django.core.exceptions import ImproperlyConfigured

from enrollment import checks, ports
from enrollment.conf import conf
from enrollment.models import EmailOptIn, RetirementRequest
from tests.enrollment.doubles import NobodyConfirmed
from tests.enrollment.factories import CourseAccessRoleFactory, CourseFactory, LearnerProfileFactory, UserFactory

COURSE = "course-v1:edX+DemoX+2026"


@pytest.mark.django_db
class TestDefaults:
    def test_courses(self):
        course = CourseFactory(id=COURSE)
        assert ports.courses().get(COURSE) == course
        assert ports.courses().get("course-v1:edX+Gone+2026") is None
        assert ports.courses().get_many([COURSE, "course-v1:edX+Gone+2026"]) == {COURSE: course}

    def test_roles(self):
        user = UserFactory()
        CourseAccessRoleFactory(user=user, org="edX", course_id=COURSE, role="ccx_coach")
        assert not ports.roles().is_global_staff(user)
        assert ports.roles().is_global_staff(UserFactory(is_staff=True))
        assert not ports.roles().is_global_staff(UserFactory(is_superuser=True))
        assert not ports.roles().is_course_staff(user, COURSE)
        assert ports.roles().course_team_user_ids(COURSE) == {user.pk}
        assert list(ports.roles().roles_for(user)) == [("edX", COURSE, "ccx_coach")]

    def test_nobody_is_kept_out_by_country(self):
        assert ports.embargo().check(UserFactory(), COURSE, "192.0.2.1", "/") is None

    def test_there_are_no_cohorts(self):
        with pytest.raises(ports.CohortNotFound):
            ports.cohorts().add(UserFactory(), COURSE, "red")

    def test_last_answer_to_mail_counts(self):
        user = UserFactory()
        ports.email_opt_ins().set(user, "edX", True)
        ports.email_opt_ins().set(user, "edX", False)
        assert EmailOptIn.objects.values_list("user", "org", "value").get() == (user.pk, "edX", "False")

    @pytest.mark.parametrize(
        ("state", "outcome"),
        [
            pytest.param("RETIRING_ENROLLMENTS", None, id="being worked on"),
            pytest.param("PENDING", ports.RetirementNotActionable, id="not begun"),
            pytest.param("ERRORED", ports.RetirementNotActionable, id="failed"),
            pytest.param("ABORTED", ports.RetirementNotActionable, id="given up"),
            pytest.param("COMPLETE", ports.RetirementNotActionable, id="over"),
            pytest.param("ENROLLMENTS_COMPLETE", ports.RetirementNotActionable, id="step over"),
        ],
    )
    def test_retirement_needs_a_request_that_is_worked_on(self, state, outcome):
        RetirementRequest.objects.create(username="bob", state=state)
        if outcome is None:
            ports.retirements().require_actionable("bob")
        else:
            with pytest.raises(outcome):
                ports.retirements().require_actionable("bob")
        with pytest.raises(ports.RetirementNotFound):
            ports.retirements().require_actionable("Bob")

    def test_superusers_retire_accounts(self):
        assert ports.retirements().can_retire(UserFactory(is_superuser=True))
        assert not ports.retirements().can_retire(UserFactory(is_staff=True))

    @pytest.mark.parametrize(
        ("profile_name", "shown"), [("Bob B.", "Bob B."), ("", "Robin Account"), (None, "Robin Account")]
    )
    def test_full_name(self, profile_name, shown):
        user = UserFactory(first_name="Robin", last_name="Account")
        if profile_name is not None:
            LearnerProfileFactory(user=user, name=profile_name)
        assert ports.profiles().full_name(user) == shown
        assert ports.profiles().email_confirmed(user)

    def test_audit_log(self, caplog):
        with caplog.at_level(logging.INFO, logger="audit"):
            ports.audit_log().log("enrollment_change_requested", course_id=COURSE, requested_mode="a\nb", user_id=7)
        assert caplog.messages == [f"enrollment_change_requested course_id='{COURSE}' requested_mode='a\\nb' user_id=7"]

    def test_callers_are_throttled_unless_switched_off(self, settings):
        assert ports.rate_limit().enabled()
        settings.ENROLLMENT_THROTTLING_ENABLED = False
        assert not ports.rate_limit().enabled()


def test_host_names_its_own(settings):
    settings.ENROLLMENT_PORTS = {"ProfilePort": "tests.enrollment.doubles.NobodyConfirmed"}
    assert isinstance(ports.profiles(), NobodyConfirmed)


@pytest.mark.parametrize(
    ("named", "complaint"),
    [
        pytest.param({"NoSuchPort": "tests.enrollment.doubles.KeepOut"}, "NoSuchPort", id="unknown port"),
        pytest.param({"RolePort": "tests.enrollment.doubles.Nothing"}, "RolePort", id="unknown class"),
        pytest.param({"EnrollHook": ["no.such.module.Hook"]}, "EnrollHook", id="unknown hook"),
    ],
)
def test_wrong_name_is_found_before_the_first_request(settings, named, complaint):
    settings.ENROLLMENT_PORTS = named
    with pytest.raises(ImproperlyConfigured, match=complaint):
        ports.load_all()
    messages = checks.check_ports()
    assert [(message.id, complaint in message.msg) for message in messages] == [("enrollment.E001", True)]


def test_wrong_data_backend_is_found_before_the_first_request(settings):
    assert checks.check_data_api() == []
    settings.ENROLLMENT_DATA_API = "no.such.module"
    assert [message.id for message in checks.check_data_api()] == ["enrollment.E002"]


def test_stand_alone_site_passes():
    assert checks.check_ports() == []


@pytest.mark.django_db
class TestCollation:
    def test_of_this_database_is_right(self):
        assert checks.check_collation(databases=["default"]) == []
        assert checks.check_collation(databases=None) == []

    @pytest.mark.database("mysql")
    def test_loose_one_is_warned_of(self, monkeypatch):
        monkeypatch.setattr(checks, "_collation", lambda alias: "utf8mb4_general_ci")
        assert [message.id for message in checks.check_collation(databases=["default"])] == ["enrollment.W001"]


@pytest.mark.parametrize(
    ("value", "keys"), [(None, []), ("", []), ("one", ["one"]), (["one", "", "two"], ["one", "two"])]
)
def test_empty_api_key_is_no_key(settings, value, keys):
    settings.EDX_API_KEY = value
    assert list(conf.API_KEYS) == keys
