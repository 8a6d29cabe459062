"""Commands about requirements, eligibility and mail, as operators run them."""

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone

from credit import api
from credit.api import operations
from credit.email_utils import send_due_notifications
from credit.models import CreditAudit, CreditEligibility, CreditRequirement, CreditRequirementStatus
from enrollment.models import CourseEnrollment
from tests.credit.commands import run
from tests.credit.factories import (
    CourseExamFactory,
    CreditCourseFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
    enroll,
)
from tests.enrollment.factories import CourseFactory, UserFactory
from tests.support import statements

pytestmark = pytest.mark.django_db

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"
RECOMPUTE = "recompute_credit_eligibility"
RESEND = "resend_credit_email"
REFRESH = "refresh_credit_requirements"


def learners(course, count, **satisfied):
    """Enroll learners who satisfy these requirements of the course; without any, all of them."""
    requirements = satisfied.get("of") or list(course.credit_requirements.all())
    made = [UserFactory(username=f"learner-{CreditRequirementStatus.objects.count()}-{n}") for n in range(count)]
    for user in made:
        enroll(user, course)
        for requirement in requirements:
            CreditRequirementStatusFactory(username=user.username, requirement=requirement)
    return made


def eligible():
    return CreditEligibility.objects.count()


# --- recompute_credit_eligibility


@pytest.mark.usefixtures("grade")
def test_who_satisfies_everything_becomes_eligible(potions, grade, exam):
    learners(potions, 2)
    learners(potions, 3, of=[grade])

    done = run(RECOMPUTE, "--course", POTIONS)

    assert (done.status, done.out, done.err) == (0, "2 learners: 2 changed, 0 failed.\n", "")
    assert eligible() == 2
    assert CreditEligibility.objects.exclude(email_due_at=None).count() == 2, "each is owed the mail"
    assert set(CreditAudit.objects.values_list("source", "actor")) == {("staff", RECOMPUTE)}


@pytest.mark.usefixtures("grade")
def test_a_second_run_finds_nobody(potions):
    learners(potions, 2)
    run(RECOMPUTE, "--all")

    assert run(RECOMPUTE, "--all").out == "0 learners: 0 changed, 0 failed.\n"


@pytest.mark.usefixtures("grade")
def test_a_dropped_requirement_makes_the_rest_enough(potions, exam):
    learners(potions, 1, of=[exam])
    assert run(RECOMPUTE, "--all").out == "0 learners: 0 changed, 0 failed.\n"

    api.set_credit_requirements(
        potions.course_key,
        [{"namespace": exam.namespace, "name": exam.name, "display_name": exam.display_name, "criteria": {}}],
    )

    assert run(RECOMPUTE, "--all").out == "1 learners: 1 changed, 0 failed.\n"


@pytest.mark.usefixtures("grade")
def test_who_cannot_earn_credit_is_left(potions):
    [auditor, asked] = learners(potions, 2)
    CourseEnrollment.objects.filter(user=auditor).update(mode="audit")
    CreditRequestFactory(username=asked.username, course=potions, provider=CreditProviderFactory())

    assert run(RECOMPUTE, "--all").out == "2 learners: 0 changed, 0 failed.\n"


@pytest.mark.usefixtures("grade")
def test_only_the_named_are_looked_at(potions):
    other = CreditCourseFactory()
    CreditRequirementFactory(course=other)
    [ron, _] = learners(potions, 2)
    learners(other, 1)

    assert run(RECOMPUTE, "--all", "--username", ron.username).out == "1 learners: 1 changed, 0 failed.\n"
    assert run(RECOMPUTE, "--course", str(other.course_key)).out == "1 learners: 1 changed, 0 failed.\n"
    assert eligible() == 2


@pytest.mark.usefixtures("grade")
def test_a_dry_run_counts_and_changes_nothing(potions):
    learners(potions, 2)

    assert run(RECOMPUTE, "--all", "--dry-run").out == (
        f"{POTIONS}: 2 learners satisfy everything and are not eligible.\n"
    )
    assert eligible() == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--course", POTIONS], f"No credit can be earned in {POTIONS}."),
        (["--course", "potions"], "is not a course key"),
        ([], "one of the arguments --course --all is required"),
        (["--course", POTIONS, "--all"], "not allowed with"),
    ],
)
def test_wrong_options_are_refused(words, complaint):
    done = run(RECOMPUTE, *words)

    assert done.status == 1
    assert complaint in done.err


@pytest.mark.usefixtures("grade")
def test_one_failure_does_not_stop_the_others_and_names_nobody(potions):
    [first, *_] = learners(potions, 3)

    def refuse(execute, sql, params, many, context):
        if "credit_crediteligibility" in sql and sql.startswith("INSERT") and first.username in map(str, params):
            raise OperationalError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        done = run(RECOMPUTE, "--all")

    assert (done.status, done.out) == (1, "3 learners: 2 changed, 1 failed.\n")
    assert done.err == f"{POTIONS}, user {first.pk}: OperationalError\nCommandError: 1 failed."
    assert run(RECOMPUTE, "--all").out == "1 learners: 1 changed, 0 failed.\n"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("grade")
def test_an_interrupted_run_goes_on(potions):
    learners(potions, 3)

    def interrupt(execute, sql, params, many, context):
        if "credit_crediteligibility" in sql and sql.startswith("INSERT") and eligible() == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(interrupt):
        done = run(RECOMPUTE, "--all")

    assert done.status == 130
    assert done.out == "1 learners: 1 changed, 0 failed.\n"
    assert "the same command goes on" in done.err
    assert eligible() == 1, "what was interrupted is undone"
    assert run(RECOMPUTE, "--all").out == "2 learners: 2 changed, 0 failed.\n"


@pytest.mark.usefixtures("grade")
def test_a_bar_on_a_terminal_lines_elsewhere(potions, monkeypatch):
    learners(potions, 4)
    monkeypatch.setattr("credit.management.progress.LINE_EVERY", 2)

    bar = run(RECOMPUTE, "--all", terminal=True).err
    CreditEligibility.objects.all().delete()
    lines = run(RECOMPUTE, "--all").err

    assert bar.startswith("\r[#######.......................] 1 of 4 learners\r")
    assert bar.endswith("\r[##############################] 4 of 4 learners\n")
    assert lines == "2 of 4 learners\n4 of 4 learners\n"


@pytest.mark.usefixtures("grade")
def test_finding_learners_costs_two_statements_a_batch(potions, monkeypatch):
    monkeypatch.setattr(operations, "BATCH", 10)
    learners(potions, 25)

    with statements() as run_:
        assert len(list(operations.learners_due(potions.course_key))) == 25

    assert len(run_) == 8, str(run_)  # three batches and the empty end


# --- resend_credit_email


@pytest.fixture
def told(potions):
    """A learner who was told two days ago."""
    user = UserFactory(username="ron", email="ron@example.com")
    two_days_ago = timezone.now() - timedelta(days=2)
    return CreditEligibilityFactory(
        username=user.username, course=potions, email_due_at=two_days_ago, notified_at=two_days_ago
    )


def owed():
    return CreditEligibility.objects.mail_due(timezone.now()).count()


@pytest.mark.parametrize(
    "whom", [["--everybody"], ["--username", "ron"], ["--since", "2020-01-01"], ["--since", "2020-01-01T00:00:00Z"]]
)
def test_a_mail_is_owed_again(told, mailoutbox, whom):
    done = run(RESEND, "--course", POTIONS, *whom)

    assert (done.status, done.out) == (0, "1 mails: 1 changed, 0 failed.\n")
    assert owed() == 1
    send_due_notifications(10)
    assert [mail.to for mail in mailoutbox] == [["ron@example.com"]]


def test_a_second_run_writes_to_nobody_twice(told, mailoutbox):
    for _ in range(2):
        run(RESEND, "--all", "--everybody")
        send_due_notifications(10)

    assert len(mailoutbox) == 1
    assert run(RESEND, "--all", "--everybody").out == "0 mails: 0 changed, 0 failed.\n"
    assert run(RESEND, "--all", "--everybody", "--not-within", "0").out == "1 mails: 1 changed, 0 failed.\n"


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("hours", ["nan", "inf", "-1", "1e9", "soon"])
def test_hours_that_no_clock_shows_are_refused(hours):
    outcome = run(RESEND, "--all", "--everybody", f"--not-within={hours}")

    assert outcome.status == 1
    assert "is no number of hours" in outcome.err
    assert CreditEligibility.objects.filter(notified_at=None).count() == 0


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    "changes",
    [
        {"deadline": datetime(2020, 1, 1, tzinfo=UTC)},
        {"added_by_staff": True},
        {"notified_at": datetime(2099, 1, 1, tzinfo=UTC)},
    ],
)
def test_who_is_not_to_be_told_is_left_out(changes):
    CreditEligibility.objects.update(**changes)

    assert run(RESEND, "--all", "--everybody").out == "0 mails: 0 changed, 0 failed.\n"


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("whom", [["--username", "hermione"], ["--since", "2090-01-01"]])
def test_others_are_left_out(whom):
    assert run(RESEND, "--all", *whom).out == "0 mails: 0 changed, 0 failed.\n"


@pytest.mark.usefixtures("told")
def test_a_dry_run_owes_nothing():
    assert run(RESEND, "--all", "--everybody", "--dry-run").out == "1 mails would be owed.\n"
    assert owed() == 0


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "Say whom to write to"),
        (["--since", "yesterday"], "is not a date"),
        (["--since", "2026-02-30"], "is not a date"),
    ],
)
def test_it_has_to_be_said_whom_to_write_to(words, complaint):
    done = run(RESEND, "--all", *words)

    assert done.status == 1
    assert complaint in done.err


def test_finding_whom_to_write_to_costs_one_statement_a_batch(potions, monkeypatch):
    monkeypatch.setattr(operations, "BATCH", 10)
    for number in range(25):
        CreditEligibilityFactory(username=f"learner-{number}", course=potions)

    with statements() as run_:
        assert len(list(operations.eligibilities_to_tell())) == 25

    assert len(run_) == 4, str(run_)


# --- refresh_credit_requirements


@pytest.fixture
def published():
    """A course for credit that has a minimum grade and an exam, and no requirements yet."""
    CourseFactory(id=POTIONS, minimum_grade_credit=0.7)
    exam = CourseExamFactory(course_key=POTIONS)
    return CreditCourseFactory(course_key=POTIONS), exam


def test_requirements_are_read_again(published):
    _, exam = published

    assert run(REFRESH, "--all").out == "1 courses: 1 changed, 0 failed.\n"
    active = CreditRequirement.objects.active().values_list("namespace", "name")
    assert list(active) == [("grade", "grade"), ("proctored_exam", exam.content_id)]

    assert run(REFRESH, "--course", POTIONS).out == "1 courses: 0 changed, 0 failed.\n"


def test_a_dry_run_shows_what_would_change(published):
    course, exam = published
    CreditRequirementFactory(course=course)

    done = run(REFRESH, "--all", "--dry-run")

    assert done.out == (
        f"{POTIONS} would change:\n"
        "  - grade grade {'min_grade': 0.8}\n"
        "  + 1. grade grade {'min_grade': 0.7}\n"
        f"  + 2. proctored_exam {exam.content_id} {{}}\n"
        "1 courses: 1 would change, 0 failed.\n"
    )
    assert CreditRequirement.objects.count() == 1


def test_a_course_that_is_not_known_fails_and_the_others_do_not(published):
    lost = CreditCourseFactory(course_key="course-v1:HogwartsX+Lost+1T2026")

    done = run(REFRESH, "--all")

    assert (done.status, done.out) == (1, "2 courses: 1 changed, 1 failed.\n")
    assert done.err == f"{lost.course_key}: CourseNotFound\nCommandError: 1 failed."


def test_days_are_in_utc(potions):
    with time_machine.travel(datetime(2026, 7, 1, tzinfo=UTC), tick=False):
        CreditEligibilityFactory(username="ron", course=potions)

    dry = [RESEND, "--all", "--dry-run", "--since"]
    with time_machine.travel(datetime(2026, 7, 2, tzinfo=UTC), tick=False):
        assert run(*dry, "2026-07-01").out == "1 mails would be owed.\n"
        assert run(*dry, "2026-07-01T00:00:01").out == "0 mails would be owed.\n"
        assert run(*dry, "2026-07-01T02:00:00+02:00").out == "1 mails would be owed.\n"
