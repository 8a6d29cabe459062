"""What grades and exams elsewhere do for credit here: real signals, as the consumer sends them (credit contract 9)."""

import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from opaque_keys.edx.keys import CourseKey, UsageKey

from credit import api
from credit.handlers import listen_for_exam_submitted, listen_for_grade_calculation
from credit.models import CreditAudit, CreditCourse, CreditEligibility, CreditRequirementStatus, ExamAttempt
from enrollment.models import Course
from events.credit.signals import (
    CREDIT_ELIGIBILITY_EARNED,
    CREDIT_REQUIREMENT_STATUS_CHANGED,
    CREDIT_REQUIREMENT_STATUS_REMOVED,
)
from events.data import EventsMetadata
from events.learning.data import (
    CourseData,
    ExamAttemptData,
    PersistentCourseGradeData,
    UserData,
    UserPersonalData,
)
from events.learning.signals import (
    EXAM_ATTEMPT_ERRORED,
    EXAM_ATTEMPT_REJECTED,
    EXAM_ATTEMPT_RESET,
    EXAM_ATTEMPT_SUBMITTED,
    EXAM_ATTEMPT_VERIFIED,
    PERSISTENT_GRADE_SUMMARY_CHANGED,
)
from events.testing import captured_events
from tests.credit.factories import CourseExamFactory, CreditRequestFactory, CreditRequirementFactory
from tests.credit.hosts import Facts
from tests.enrollment.factories import UserFactory
from tests.support import statements

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = CourseKey.from_string("course-v1:HogwartsX+Potions101+1T2026")
FINAL = UsageKey.from_string("block-v1:HogwartsX+Potions101+1T2026+type@sequential+block@final")


def pii(user_id):
    return UserData(id=user_id, is_active=True, pii=UserPersonalData(username="marker", email="marker@example.com"))


def receive(signal, at=NOW, **payload):
    """Receive an event as the consumer does: in a transaction, where any failure is a failure of the event."""
    metadata = EventsMetadata(event_type=signal.event_type, time=at)
    with transaction.atomic():
        for _, response in signal.send_event_with_custom_metadata(metadata, using="default", **payload):
            if isinstance(response, Exception):
                raise response


def receive_exam(signal, user_id, at=NOW, course_key=KEY, usage_key=FINAL, requested_by=None):
    attempt = ExamAttemptData(
        student_user=pii(user_id),
        course_key=course_key,
        usage_key=usage_key,
        exam_type="proctored",
        requesting_user=None if requested_by is None else pii(requested_by),
    )
    receive(signal, at, exam_attempt=attempt)


def receive_grade(user_id, percent, at=NOW, course_key=KEY, end=None):
    grade = PersistentCourseGradeData(
        user_id=user_id,
        course=CourseData(course_key=course_key, end=end),
        course_edited_timestamp=NOW,
        course_version="v1",
        grading_policy_hash="hash",
        percent_grade=percent,
        letter_grade="Pass",
        passed_timestamp=NOW,
    )
    receive(PERSISTENT_GRADE_SUMMARY_CHANGED, at, grade=grade)


def end_course(end):
    Course.objects.filter(pk=str(KEY)).update(end=end)


def status_of(requirement):
    row = CreditRequirementStatus.objects.filter(requirement=requirement).first()
    return None if row is None else (row.status, row.reason)


@pytest.fixture
def exam(potions):
    """The course's proctored exam, registered and published."""
    CourseExamFactory(course_key=KEY, content_id=str(FINAL))
    return CreditRequirementFactory(
        course=potions, namespace="proctored_exam", name=str(FINAL), display_name="Final", criteria={}, sort_value=1
    )


TOO_LATE = {"current_date": NOW.isoformat().replace("+00:00", "Z"), "deadline": NOW.isoformat().replace("+00:00", "Z")}
BELOW = {"final_grade": 0.79, "minimum_grade": 0.8}
DECISIONS = [
    pytest.param(None, 0.8, ("satisfied", {"final_grade": 0.8}), id="no deadline, just enough"),
    pytest.param(None, 1, ("satisfied", {"final_grade": 1}), id="no deadline, everything right"),
    pytest.param(None, 0.79, None, id="no deadline, too low"),
    pytest.param(NOW + DAY, 0.8, ("satisfied", {"final_grade": 0.8}), id="in time, enough"),
    pytest.param(NOW + DAY, 0.79, None, id="in time, too low"),
    pytest.param(NOW, 0.8, ("failed", TOO_LATE), id="at the deadline, enough"),
    pytest.param(NOW, 0.79, ("failed", BELOW), id="at the deadline, too low"),
    pytest.param(NOW - DAY, 0.79, ("failed", BELOW), id="late, too low"),
    pytest.param(NOW - DAY, 0, ("failed", {"final_grade": 0, "minimum_grade": 0.8}), id="late, nothing right"),
]


@pytest.mark.rule("credit.grades.decision")
class TestGradeDecisions:
    @pytest.mark.parametrize(("deadline", "percent", "recorded"), DECISIONS)
    def test_of_the_hosts_own_signal(self, ron, grade, deadline, percent, recorded):
        with time_machine.travel(NOW, tick=False):
            listen_for_grade_calculation(None, ron, SimpleNamespace(percent=percent), KEY, deadline, signal=None)
        assert status_of(grade) == recorded

    @pytest.mark.parametrize(("deadline", "percent", "recorded"), DECISIONS)
    def test_of_an_event(self, ron, grade, deadline, percent, recorded):
        end_course(deadline)
        receive_grade(ron.pk, float(percent))
        assert status_of(grade) == recorded

    def test_an_event_that_waited_past_the_deadline_is_in_time(self, ron, grade):
        end_course(NOW + DAY)
        with time_machine.travel(NOW + 2 * DAY, tick=False):
            receive_grade(ron.pk, 0.9, at=NOW)
        assert status_of(grade) == ("satisfied", {"final_grade": 0.9})

    def test_a_clock_that_is_ahead_makes_nobody_late(self, ron, grade):
        end_course(NOW + DAY)
        with time_machine.travel(NOW, tick=False):
            receive_grade(ron.pk, 0.9, at=NOW + 2 * DAY)
        assert status_of(grade) == ("satisfied", {"final_grade": 0.9})

    @pytest.mark.parametrize(("known", "status"), [(True, "satisfied"), (False, "failed")])
    def test_the_end_is_ours_if_we_know_the_course_else_the_events(self, ron, grade, settings, known, status):
        Facts_.facts_ = Facts("Potions", None, 0.8) if known else None
        settings.CREDIT_PORTS = {"courses": f"{__name__}.Facts_"}
        receive_grade(ron.pk, 0.9, end=NOW - DAY)
        assert status_of(grade)[0] == status

    @pytest.mark.parametrize(
        ("grades", "recorded"),
        [
            pytest.param([(0.9, NOW), (0.5, NOW + 2 * DAY)], ("satisfied", {"final_grade": 0.9}), id="a late failure"),
            pytest.param([(0.9, NOW), (0.85, NOW)], ("satisfied", {"final_grade": 0.85}), id="lower, but enough"),
            pytest.param([(0.9, NOW), (0.5, NOW)], ("satisfied", {"final_grade": 0.9}), id="lower, with time left"),
            pytest.param([(0.5, NOW), (0.9, NOW)], ("satisfied", {"final_grade": 0.9}), id="better later"),
        ],
    )
    def test_of_several(self, ron, grade, exam, grades, recorded):
        end_course(NOW + DAY)
        for percent, at in grades:
            receive_grade(ron.pk, percent, at=at)
        assert status_of(grade) == recorded


class Facts_:  # noqa: N801  # a port
    """A host that knows the course, or not."""

    facts_ = None

    def facts(self, course_key):
        return self.facts_


@pytest.mark.rule("credit.grades.ignored")
class TestIgnoredGrades:
    @pytest.mark.parametrize(
        ("criteria", "is_logged"),
        [
            pytest.param({}, False, id="no criteria"),
            pytest.param(None, False, id="null"),
            pytest.param({"other": 1}, True, id="no minimum"),
            pytest.param({"min_grade": None}, True, id="null minimum"),
            pytest.param({"min_grade": "0.8"}, True, id="text"),
            pytest.param({"min_grade": True}, True, id="bool"),
            pytest.param([0.8], True, id="a list"),
        ],
    )
    def test_where_no_minimum_is_given(self, ron, potions, caplog, criteria, is_logged):
        requirement = CreditRequirementFactory(course=potions, criteria=criteria)
        receive_grade(ron.pk, 0.9)
        assert status_of(requirement) is None
        assert bool([record for record in caplog.records if record.levelno == logging.ERROR]) is is_logged

    @pytest.mark.parametrize("percent", [float("nan"), float("inf"), 1.01, -0.1])
    def test_what_is_no_fraction(self, ron, grade, caplog, percent):
        receive_grade(ron.pk, percent)
        assert status_of(grade) is None
        assert f"User {ron.pk} has a grade in {KEY}" in caplog.text

    def test_courses_without_a_grade_requirement(self, ron, exam, caplog):
        receive_grade(ron.pk, 0.9)
        assert not CreditRequirementStatus.objects.exists()
        assert "ERROR" not in caplog.text

    @pytest.mark.parametrize(("course_id", "is_asked"), [("course-v1:a+b+c", False), (str(KEY), True)])
    def test_of_courses_without_credit_nothing_else_is_asked(self, ron, grade, course_id, is_asked):
        with statements() as run:
            receive_grade(ron.pk, 0.9, course_key=CourseKey.from_string(course_id))
        asked = [sql for sql in run.texts if "credit_" in sql and "credit_creditcourse" not in sql]
        assert bool(asked) is is_asked, str(run)

    def test_the_first_requirement_by_position_counts(self, ron, potions, grade):
        CreditRequirementFactory(course=potions, name="another", sort_value=5, criteria={"min_grade": 0.1})
        receive_grade(ron.pk, 0.5)
        assert not CreditRequirementStatus.objects.exists()

    def test_nobody_known(self, grade, caplog):
        receive_grade(404, 0.9)
        assert "User 404 " in caplog.text
        assert "marker" not in caplog.text


@pytest.mark.rule("credit.grades.never-breaks-the-sender")
class TestTheHostsSignal:
    def test_a_failure_is_logged_and_kept_from_the_sender(self, ron, grade, caplog):
        listen_for_grade_calculation(None, ron, SimpleNamespace(), KEY, None)
        assert f"The grade of user {ron.pk} in {KEY} was not recorded (AttributeError)." in caplog.text

    def test_a_statement_that_fails_does_not_cost_the_senders_transaction(self, ron, grade, settings, caplog):
        settings.CREDIT_PORTS = {"learners": f"{__name__}.BrokenLearners"}
        with transaction.atomic():
            listen_for_grade_calculation(None, ron, SimpleNamespace(percent=0.9), KEY, None)
            assert CreditCourse.objects.exists()
        assert "was not recorded" in caplog.text


class BrokenLearners:
    def enrollment(self, user_id, course_key):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM a_table_that_does_not_exist")


OUTCOMES = [
    (EXAM_ATTEMPT_SUBMITTED, "submitted"),
    (EXAM_ATTEMPT_VERIFIED, "satisfied"),
    (EXAM_ATTEMPT_REJECTED, "failed"),
    (EXAM_ATTEMPT_ERRORED, "failed"),
]


@pytest.mark.rule("credit.exams.events")
class TestExams:
    @pytest.mark.parametrize(("signal", "status"), OUTCOMES)
    @pytest.mark.parametrize("namespace", ["exam", "proctored_exam"])
    def test_each_outcome_is_a_status(self, ron, potions, grade, signal, status, namespace):
        requirement = CreditRequirementFactory(course=potions, namespace=namespace, name=str(FINAL))
        receive_exam(signal, ron.pk)
        assert status_of(requirement) == (status, None)

    @pytest.mark.parametrize("namespace", ["exam", "proctored_exam"])
    def test_a_reset_takes_the_status_away(self, ron, potions, grade, namespace):
        requirement = CreditRequirementFactory(course=potions, namespace=namespace, name=str(FINAL))
        receive_exam(EXAM_ATTEMPT_VERIFIED, ron.pk)
        receive_exam(EXAM_ATTEMPT_RESET, ron.pk)
        assert status_of(requirement) is None

    @pytest.mark.parametrize("signal", [*(signal for signal, _ in OUTCOMES), EXAM_ATTEMPT_RESET])
    @pytest.mark.parametrize(("exam_is_active", "which"), [(True, "exam"), (False, "proctored_exam")])
    def test_of_two_namespaces_the_first_that_is_active_counts(
        self, ron, potions, grade, signal, exam_is_active, which
    ):
        rows = {
            "exam": CreditRequirementFactory(course=potions, namespace="exam", name=str(FINAL), active=exam_is_active),
            "proctored_exam": CreditRequirementFactory(course=potions, namespace="proctored_exam", name=str(FINAL)),
        }
        for row in rows.values():
            CreditRequirementStatus.objects.create(username="ron", requirement=row, status="declined")
        receive_exam(signal, ron.pk)
        changed = [name for name, row in rows.items() if status_of(row) != ("declined", {})]
        assert changed == [which]

    def test_an_exam_that_is_no_requirement_is_logged_by_ids(self, ron, potions, grade, caplog):
        receive_exam(EXAM_ATTEMPT_VERIFIED, ron.pk)
        assert f"Course {KEY} has no requirement exam/{FINAL}" in caplog.text
        assert f"user {ron.pk}" in caplog.text

    @pytest.mark.parametrize("signal", [*(signal for signal, _ in OUTCOMES), EXAM_ATTEMPT_RESET])
    def test_nobody_known_is_logged_by_ids(self, potions, exam, caplog, signal):
        receive_exam(signal, 404)
        assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
            f"User 404 took exam {FINAL} but has no account."
        ]
        assert "marker" not in caplog.text
        assert not ExamAttempt.objects.exists()

    @pytest.mark.parametrize("signal", [*(signal for signal, _ in OUTCOMES), EXAM_ATTEMPT_RESET])
    def test_a_course_without_credit_is_passed_over_in_silence(self, ron, potions, exam, caplog, signal):
        caplog.set_level(logging.INFO, "credit")
        potions.enabled = False
        potions.save()
        receive_exam(signal, ron.pk)
        assert not CreditRequirementStatus.objects.exists()
        assert not [record for record in caplog.records if record.name.startswith("credit")]

    def test_the_rules_for_statuses_hold(self, ron, potions, exam, grade):
        ron.course_enrollments.update(mode="audit")
        receive_exam(EXAM_ATTEMPT_VERIFIED, ron.pk)
        ron.course_enrollments.update(mode="verified")
        CreditRequestFactory(course=potions)
        receive_exam(EXAM_ATTEMPT_VERIFIED, ron.pk)
        assert status_of(exam) is None

    @pytest.mark.parametrize("signal", [EXAM_ATTEMPT_REJECTED, EXAM_ATTEMPT_RESET])
    def test_the_audit_names_who_caused_it(self, ron, potions, exam, grade, signal):
        receive_exam(EXAM_ATTEMPT_SUBMITTED, ron.pk)
        receive_exam(signal, ron.pk, requested_by=77)
        audit = list(CreditAudit.objects.order_by("pk").values_list("source", "actor"))
        assert audit == [("event", ""), ("event", "77")]


@pytest.mark.rule("credit.exams.completion")
class TestCompletion:
    @pytest.mark.parametrize(
        ("events", "completed"),
        [
            pytest.param([("submitted", 1)], 1, id="handed in"),
            pytest.param([("submitted", 1), ("verified", 2)], 1, id="what follows does not count"),
            pytest.param([("submitted", 1), ("submitted", 3), ("submitted", 2)], 3, id="the latest, in any order"),
            pytest.param([("submitted", 1), ("reset", 2)], None, id="reset"),
            pytest.param([("submitted", 1), ("reset", 2), ("submitted", 3)], 3, id="and again"),
            pytest.param([("submitted", 3), ("reset", 2)], 3, id="reset before, told later"),
            pytest.param([("verified", 1)], "no attempt", id="never handed in"),
        ],
    )
    def test_is_when_the_exam_was_handed_in(self, ron, potions, exam, grade, events, completed):
        signals = {
            "submitted": EXAM_ATTEMPT_SUBMITTED,
            "verified": EXAM_ATTEMPT_VERIFIED,
            "reset": EXAM_ATTEMPT_RESET,
        }
        for name, day in events:
            receive_exam(signals[name], ron.pk, at=NOW + day * DAY)
        if completed == "no attempt":
            assert not ExamAttempt.objects.exists()
            return
        assert ExamAttempt.objects.get().completed_at == (None if completed is None else NOW + completed * DAY)

    def test_is_not_kept_of_an_exam_that_is_not_registered(self, ron, potions, grade, caplog):
        caplog.set_level(logging.INFO, "credit")
        CreditRequirementFactory(course=potions, namespace="exam", name=str(FINAL))
        receive_exam(EXAM_ATTEMPT_SUBMITTED, ron.pk)
        assert not ExamAttempt.objects.exists()
        assert "is not registered" in caplog.text

    @time_machine.travel(NOW, tick=False)
    def test_is_now_if_the_event_does_not_say(self, ron, potions, exam):
        attempt = ExamAttemptData(student_user=pii(ron.pk), course_key=KEY, usage_key=FINAL, exam_type="proctored")
        listen_for_exam_submitted(None, EXAM_ATTEMPT_SUBMITTED, exam_attempt=attempt)
        assert ExamAttempt.objects.get().completed_at == NOW


@pytest.mark.rule("credit.events.journey")
class TestFromEventsToEligibility:
    def play(self, user):
        receive_exam(EXAM_ATTEMPT_SUBMITTED, user.pk)
        receive_grade(user.pk, 0.95)
        receive_exam(EXAM_ATTEMPT_VERIFIED, user.pk, at=NOW + DAY)

    def test_the_learner_becomes_eligible_and_is_owed_a_mail(self, ron, potions, grade, exam, hogwarts):
        with captured_events() as events:
            self.play(ron)
        assert api.is_user_eligible_for_credit("ron", KEY)
        assert CreditEligibility.objects.get().email_due_at is not None
        assert [event.signal for event in events] == [
            *[CREDIT_REQUIREMENT_STATUS_CHANGED] * 3,
            CREDIT_ELIGIBILITY_EARNED,
        ]
        parameters = api.create_credit_request(KEY, "hogwarts", "ron")["parameters"]
        assert parameters["final_grade"] == "0.95"
        assert parameters["course_completion_timestamp"] == int(NOW.timestamp())

    def test_a_second_time_changes_nothing(self, ron, potions, grade, exam):
        self.play(ron)
        tables = (CreditEligibility, CreditAudit, ExamAttempt)
        before = [list(table.objects.values()) for table in tables]
        statuses = [status_of(grade), status_of(exam)]
        with captured_events() as events:
            self.play(ron)
        assert [list(table.objects.values()) for table in tables] == before
        assert [status_of(grade), status_of(exam)] == statuses
        assert list(events) == []

    def test_a_reset_is_told(self, ron, potions, grade, exam):
        receive_exam(EXAM_ATTEMPT_REJECTED, ron.pk)
        with captured_events() as events:
            receive_exam(EXAM_ATTEMPT_RESET, ron.pk)
            receive_exam(EXAM_ATTEMPT_RESET, ron.pk)
        assert [event.signal for event in events] == [CREDIT_REQUIREMENT_STATUS_REMOVED]


class BrokenEnrollments:
    """A host whose database fails as soon as somebody asks who is enrolled."""

    def by_id(self, user_id, *, lock=False):
        return UserFactory.build(id=user_id)

    def enrollment(self, user_id, course_key):
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM a_table_that_does_not_exist")


@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("credit.events.failures")
@pytest.mark.parametrize(
    "send",
    [lambda user_id: receive_exam(EXAM_ATTEMPT_VERIFIED, user_id), lambda user_id: receive_grade(user_id, 0.9)],
    ids=["exam", "grade"],
)
def test_a_failure_is_the_consumers_to_see_and_leaves_no_trace(ron, potions, grade, exam, settings, send):
    settings.CREDIT_PORTS = {"learners": f"{__name__}.BrokenEnrollments"}
    with pytest.raises(DatabaseError):
        send(ron.pk)
    assert not CreditRequirementStatus.objects.exists()


@pytest.mark.rule("credit.budgets")
@pytest.mark.database("postgresql")
@pytest.mark.django_db(transaction=True)
def test_events_cost_few_statements(ron, potions, grade, exam):
    """Three of a grade's statements are enrollment's, which keeps the grade."""
    not_counted = ("credit_creditaudit", "events_outboxevent")
    api.is_credit_course(KEY)
    with statements(without=not_counted) as too_low:
        receive_grade(ron.pk, 0.1)
    with statements(without=not_counted) as first:
        receive_grade(ron.pk, 0.9)
    with statements(without=not_counted) as last:
        receive_exam(EXAM_ATTEMPT_VERIFIED, ron.pk)
    assert (len(too_low), len(first), len(last)) == (6, 15, 17), f"{too_low}\n\n{first}\n\n{last}"
