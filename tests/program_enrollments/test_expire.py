"""Students who never came are forgotten, history included (contract 8)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from program_enrollments import api
from program_enrollments.models import CourseAccessRoleAssignment, ProgramCourseEnrollment, ProgramEnrollment
from tests.enrollment.factories import UserFactory
from tests.program_enrollments.factories import ProgramCourseEnrollmentFactory, ProgramEnrollmentFactory
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("program_enrollments.expiry")]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTHING = {"program_enrollments": 0, "program_course_enrollments": 0, "history": 0}


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False):
        yield


def aged(age, **values):
    with time_machine.travel(NOW - age, tick=False):
        return ProgramEnrollmentFactory(**values)


@pytest.mark.parametrize(
    ("age", "realized", "goes"),
    [
        pytest.param(timedelta(days=60), False, True, id="of exactly that age"),
        pytest.param(timedelta(days=60) - timedelta(seconds=1), False, False, id="a second younger"),
        pytest.param(timedelta(days=900), True, False, id="who has an account stays"),
    ],
)
def test_who_goes(age, realized, goes):
    aged(age, status="ended", user=UserFactory() if realized else None)
    counts = api.expire_waiting_enrollments(60)
    assert ProgramEnrollment.objects.exists() is not goes
    assert counts == ({**NOTHING, "program_enrollments": 1, "history": 1} if goes else NOTHING)


def test_what_goes_with_it_however_fresh(caplog):
    caplog.set_level("INFO")
    row = aged(timedelta(days=61), external_user_key="Granger")
    run = ProgramCourseEnrollmentFactory(program_enrollment=row)
    CourseAccessRoleAssignment.objects.create(enrollment=run, role="staff")
    assert api.expire_waiting_enrollments(60) == {
        "program_enrollments": 1,
        "program_course_enrollments": 1,
        "history": 2,
    }
    for model in (ProgramEnrollment, ProgramCourseEnrollment):
        assert not model.objects.exists()
        assert not model.historical_records.exists()
    assert not CourseAccessRoleAssignment.objects.exists()
    assert f"Program enrollment {row.pk} in {row.program_uuid}" in caplog.text
    assert "Granger" not in caplog.text
    assert api.expire_waiting_enrollments(60) == NOTHING


def test_a_dry_run_only_counts():
    row = aged(timedelta(days=61))
    assert api.expire_waiting_enrollments(60, dry_run=True) == {**NOTHING, "program_enrollments": 1, "history": 1}
    assert ProgramEnrollment.objects.get() == row
    assert row.historical_records.count() == 1


def test_only_the_programs_that_are_named():
    kept, gone = aged(timedelta(days=61)), aged(timedelta(days=61))
    assert api.expire_waiting_enrollments(60, program_uuids=[gone.program_uuid])["program_enrollments"] == 1
    assert ProgramEnrollment.objects.get() == kept


@pytest.mark.parametrize("count", [1, 40])
def test_statements_do_not_depend_on_the_number_of_enrollments(count):
    for _ in range(count):
        ProgramCourseEnrollmentFactory(program_enrollment=aged(timedelta(days=61)))
    with statements() as run:
        assert api.expire_waiting_enrollments(60)["program_course_enrollments"] == count
    assert len(run) <= 12, run
