"""A person who leaves is named nowhere, and what others still have to say arrives (credit contract 11, design)."""

import json
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import authenticate, get_user_model
from django.contrib.contenttypes.models import ContentType
from opaque_keys.edx.keys import CourseKey

from credit import api as credit_api
from credit.exceptions import UserIsNotEligible
from credit.models import CreditAudit, CreditEligibility, CreditRequest, CreditRequirementStatus
from enrollment import api
from enrollment.models import (
    BulkJob,
    CourseAccessRole,
    CourseCertificate,
    CourseEnrollment,
    CourseEnrollmentAllowed,
    CourseGrade,
    EmailOptIn,
    LearnerProfile,
    ManualEnrollmentAudit,
    RetirementRequest,
)
from events.credit.signals import CREDIT_REQUEST_APPROVED
from events.learning.signals import COURSE_ACCESS_ROLE_REMOVED, COURSE_UNENROLLMENT_COMPLETED
from events.models import OutboxEvent
from events.testing import captured_events
from tests.credit.conftest import SECRET
from tests.credit.factories import (
    CourseExamFactory,
    CreditCourseFactory,
    CreditProviderFactory,
    CreditRequirementFactory,
    ExamAttemptFactory,
    enroll,
)
from tests.enrollment.factories import UserFactory
from tests.program_enrollments.factories import ExternalIdentityFactory, ProgramEnrollmentFactory
from tests.support import in_parallel

pytestmark = [pytest.mark.django_db, pytest.mark.rule("retirement")]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = CourseKey.from_string("course-v1:HogwartsX+Potions101+1T2026")
MARKERS = ("hermione", "h.granger@example.com", "Granger", "Heathgate", "Crookshanks")
RETIRED = "gone-4711"
OURS = ("coursecredit", "events", "enrollment", "credit", "program_enrollments", "django.contrib")


@pytest.fixture(autouse=True)
def university(settings):
    """A university with a key, and a course for credit with a grade and an exam."""
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": SECRET}
    return CreditProviderFactory(provider_id="hogwarts")


@pytest.fixture
def course():
    course = CreditCourseFactory(course_key=KEY)
    CreditRequirementFactory(course=course)
    return course


@pytest.fixture
def hermione(course):
    """Somebody of whom every table knows something: a learner, who is staff elsewhere."""
    user = UserFactory(
        username="hermione", email="h.granger@example.com", first_name="Hermione", last_name="Granger", is_staff=True
    )
    LearnerProfile.objects.create(user=user, name="Hermione Jean Granger", mailing_address="8 Heathgate", country="GB")
    enrollment = enroll(user, course)
    enrollment.change_mode("audit")
    enrollment.change_mode("verified")
    enrollment.attributes.create(namespace="order", name="contact", value="h.granger@example.com")
    _leave_traces_in_enrollment(user, enrollment)
    _leave_traces_in_credit(user)
    _leave_traces_in_programs(user)
    _leave_traces_in_the_staff_log(user)
    return user


def _leave_traces_in_enrollment(user, enrollment):
    CourseEnrollmentAllowed.objects.create(email="H.Granger@example.com", course_id="course-v1:a+b+c")
    CourseEnrollmentAllowed.objects.create(email="old.granger@example.com", course_id="course-v1:a+b+d", user=user)
    for email, row in (("h.granger@example.com", None), ("old.granger@example.com", enrollment)):
        audit = ManualEnrollmentAudit.objects.create(
            enrollment=row, enrolled_by=user, enrolled_email=email, state_transition="N/A", reason="Granger phoned"
        )
        audit.reason = "Granger phoned twice"
        audit.save()
    ManualEnrollmentAudit.objects.create(enrolled_email="h.granger@example.com", state_transition="N/A").delete()
    CourseAccessRole.objects.create(user=user, org="HogwartsX", course_id=str(KEY), role="staff")
    CourseAccessRole.objects.create(user=user, org="HogwartsX", role="instructor")
    RetirementRequest.objects.create(username="hermione", state="RETIRING_CREDIT")
    EmailOptIn.objects.create(user=user, org="HogwartsX", value="True")
    BulkJob.objects.create(kind="enroll", created_by=user, input_name="a", input_format="csv")
    api.record_course_grade(user.pk, KEY, reported_at=NOW, percent_grade=0.9)
    api.record_course_certificate(
        user.pk, KEY, reported_at=NOW, status="downloadable", download_url="https://example.com/Granger.pdf"
    )


def _leave_traces_in_credit(user):
    credit_api.set_credit_requirement_status(
        user,
        KEY,
        "grade",
        "grade",
        reason={"final_grade": 0.9, "note": "Crookshanks"},
        source="staff",
        actor="hermione",
    )
    credit_api.create_credit_request(KEY, "hogwarts", "hermione")
    ExamAttemptFactory(exam=CourseExamFactory(course_key=KEY), username="hermione")


def _leave_traces_in_programs(user):
    enrollment = ProgramEnrollmentFactory(external_user_key="granger-old")
    enrollment.external_user_key, enrollment.user = "H.Granger", user
    enrollment.save()
    ExternalIdentityFactory(user=user, external_key="H.Granger")


def _leave_traces_in_the_staff_log(user):
    for row, message in (
        (user, "Granger asked"),
        (CreditEligibility.objects.get(), json.dumps([{"changed": {"name": "x", "object": "hermione, course"}}])),
    ):
        LogEntry.objects.create(
            user=UserFactory(),
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=str(row),
            action_flag=CHANGE,
            change_message=message.replace("Granger", "Hermione Jean Granger"),
        )


def rows():
    """Return all rows of all models, histories included."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
        if model.__module__.startswith(OURS) and model is not OutboxEvent
    }


def namings(tables):
    return [
        (label, column, value)
        for label, found in tables.items()
        for row in found
        for column, value in row.items()
        for marker in MARKERS
        if marker.lower() in str(value).lower()
    ]


def test_no_column_of_any_table_names_the_person(hermione):
    before = {label for label, _, _ in namings(rows())}
    assert before >= {  # or the test would prove nothing
        "auth.User",
        "admin.LogEntry",
        "credit.CreditAudit",
        "credit.CreditEligibility",
        "credit.CreditRequest",
        "credit.CreditRequirementStatus",
        "credit.ExamAttempt",
        "enrollment.CourseCertificate",
        "enrollment.CourseEnrollmentAllowed",
        "enrollment.CourseEnrollmentAttribute",
        "enrollment.HistoricalManualEnrollmentAudit",
        "enrollment.LearnerProfile",
        "enrollment.ManualEnrollmentAudit",
        "enrollment.RetirementRequest",
        "program_enrollments.ExternalIdentity",
        "program_enrollments.HistoricalProgramEnrollment",
        "program_enrollments.ProgramEnrollment",
    }
    counts = api.retire_user(hermione, retired_username=RETIRED)
    assert namings(rows()) == []
    assert counts == {
        "enrollments": 1,
        "attributes": 1,
        "invitations": 2,
        "manual_audits": 2,
        "roles": 2,
        "profiles": 1,
        "opt_ins": 1,
        "grades": 1,
        "certificates": 1,
        "retirement_requests": 1,
        "staff_log": 2,
        "account": 1,
    }


def test_what_stays_is_what_others_need(hermione):
    api.retire_user(hermione, retired_username=RETIRED)
    [enrollment] = CourseEnrollment.objects.all()
    assert (enrollment.user_id, enrollment.is_active) == (hermione.pk, False)
    assert CourseEnrollment.history.filter(id=enrollment.pk).count() == 4
    assert {request.username for request in CreditRequest.objects.all()} == {RETIRED}
    assert CreditRequest.objects.get().status == "pending"
    assert CreditRequirementStatus.objects.get().reason == {}
    assert CreditEligibility.objects.get().email_due_at is None
    assert {audit.username for audit in CreditAudit.objects.all()} == {RETIRED}
    assert RetirementRequest.objects.values("username", "state").get() == {"username": RETIRED, "state": "COMPLETE"}
    assert BulkJob.objects.get().created_by_id == hermione.pk
    assert not CourseGrade.objects.exists()
    assert not CourseCertificate.objects.exists()


def test_nobody_can_use_the_account(hermione):
    hermione.groups.create(name="registrars")
    api.retire_user(hermione, retired_username=RETIRED)
    account = get_user_model().objects.get(pk=hermione.pk)
    assert authenticate(username=account.username, password="secret") is None
    assert not account.has_usable_password()
    assert not account.groups.exists()
    assert (account.is_active, account.is_staff, account.email, account.get_full_name()) == (False, False, "", "")


def test_a_second_time_changes_nothing(hermione):
    counts = api.retire_user(hermione, retired_username=RETIRED)
    before = rows()
    with captured_events() as events:
        again = api.retire_user(hermione, retired_username="gone-4712")
    assert again == dict.fromkeys(counts, 0)
    assert rows() == before
    assert list(events) == []


def test_others_are_not_touched(course, hermione):
    ron = UserFactory(username="hermione2", email="xh.granger@example.com", last_name="Weasley")
    enroll(ron, course)
    credit_api.set_credit_requirement_status(ron, KEY, "grade", "grade", reason={"final_grade": 0.9})
    credit_api.create_credit_request(KEY, "hogwarts", "hermione2")

    def theirs():
        return (
            get_user_model().objects.filter(pk=ron.pk).values().get(),
            CourseEnrollment.objects.filter(user=ron).values().get(),
            *(
                list(model.objects.filter(username="hermione2").values())
                for model in (CreditRequest, CreditRequirementStatus, CreditEligibility, CreditAudit)
            ),
        )

    before = theirs()
    api.retire_user(hermione, retired_username=RETIRED)
    assert theirs() == before


@pytest.mark.rule("retirement.late-decision")
def test_a_universitys_late_decision_is_stored_and_not_announced(hermione, caplog):
    uuid = CreditRequest.objects.get().uuid
    api.retire_user(hermione, retired_username=RETIRED)
    with captured_events() as events:
        credit_api.record_provider_decision(uuid, "hogwarts", "approved", timestamp=1)
    request = CreditRequest.objects.get()
    assert (request.status, request.username, request.parameters) == ("approved", RETIRED, {})
    assert CreditAudit.objects.filter(subject=uuid, new_status="approved", username=RETIRED).exists()
    assert CREDIT_REQUEST_APPROVED not in {event.signal for event in events}
    [warning] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert f"Credit request {request.pk} " in warning.getMessage()


def test_the_world_hears_that_enrollments_and_roles_ended(hermione):
    with captured_events() as events:
        api.retire_user(hermione, retired_username=RETIRED)
    told = [event for event in events if event.signal in (COURSE_UNENROLLMENT_COMPLETED, COURSE_ACCESS_ROLE_REMOVED)]
    assert [event.signal for event in told] == [COURSE_UNENROLLMENT_COMPLETED, COURSE_ACCESS_ROLE_REMOVED]
    role = told[1].data["course_access_role_data"]
    assert (role.user.id, role.org_key, role.course_key, role.role) == (hermione.pk, "HogwartsX", KEY, "staff")


def test_sent_events_about_the_person_are_deleted_and_waiting_ones_will_be(hermione):
    def event(number, **state):
        return OutboxEvent.objects.create(
            event_id=f"00000000-0000-0000-0000-00000000000{number}",
            event_type="org.openedx.learning.course.enrollment.created.v1",
            topic="learning-course-enrollment-lifecycle",
            key=str(KEY),
            payload=b"hermione",
            source="s",
            sourcehost="h",
            sourcelib="1.0.0",
            time=NOW,
            schema_fingerprint="f",
            **state,
        )

    sent = {"state": "sent", "lane": None, "sent_at": NOW}
    event(1, subject_user_id=hermione.pk, **sent)
    waiting = event(2, subject_user_id=hermione.pk, lane=1)
    other = event(3, subject_user_id=hermione.pk + 1, **sent)
    api.retire_user(hermione, retired_username=RETIRED)
    left = OutboxEvent.objects.filter(pk__in=[waiting.pk, other.pk])
    assert dict(left.values_list("pk", "delete_once_sent")) == {waiting.pk: True, other.pk: False}
    assert not OutboxEvent.objects.filter(event_id="00000000-0000-0000-0000-000000000001").exists()
    about = OutboxEvent.objects.filter(subject_user_id=hermione.pk)
    assert not about.exclude(delete_once_sent=True).exists()


@pytest.mark.slow
@pytest.mark.database("postgresql", "mysql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("retirement.concurrency")
@pytest.mark.parametrize("act", ["request", "status", "enroll"])
def test_whoever_acts_at_the_same_moment_comes_before_or_finds_nobody(course, act):
    for number in range(8):
        name = f"hermione{number}"
        user = UserFactory(username=name)
        enroll(user, course)
        if act == "request":
            credit_api.set_credit_requirement_status(user, KEY, "grade", "grade", reason={"final_grade": 0.9})
        calls = {
            "request": lambda name=name: credit_api.create_credit_request(KEY, "hogwarts", name),
            "status": lambda user=user: credit_api.set_credit_requirement_status(user, KEY, "grade", "grade"),
            "enroll": lambda name=name: api.update_enrollment(name, str(KEY), is_active=True),
        }
        retired, acted = in_parallel(
            lambda user=user, number=number: api.retire_user(user, retired_username=f"gone-{number}"), calls[act]
        )
        assert isinstance(retired, dict), retired
        assert not isinstance(acted, Exception) or isinstance(acted, UserIsNotEligible | api_errors()), acted
        for model in (CreditRequest, CreditRequirementStatus, CreditEligibility, CreditAudit):
            assert not model.objects.filter(username=name).exists()
        assert not CreditAudit.objects.filter(actor=name).exists()
        assert not get_user_model().objects.filter(username=name).exists()
        for request in CreditRequest.objects.filter(username=f"gone-{number}"):
            assert request.parameters == {}


def api_errors():
    from enrollment.errors import UserNotFoundError

    return UserNotFoundError
