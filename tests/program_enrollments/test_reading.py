"""Enrollments are found by program, student and kind (contract 5.1)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine

from program_enrollments import api, ports
from program_enrollments.exceptions import (
    BadOrganizationShortNameException,
    ProgramDoesNotExistException,
    ProgramHasNoAuthoringOrganizationException,
    ProviderDoesNotExistException,
)
from program_enrollments.models import ProgramCourseEnrollment, ProgramEnrollment
from tests.enrollment.factories import CourseEnrollmentFactory, UserFactory
from tests.program_enrollments.factories import (
    ExternalIdentityFactory,
    IdentityProviderFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    ProgramFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.rule("program_enrollments.reading")]

PROGRAM, OTHER = UUID(int=1), UUID(int=2)
C1, C2 = UUID(int=11), UUID(int=12)
RUN, OTHER_RUN = "course-v1:HogwartsX+Algo+2026", "course-v1:HogwartsX+Logic+2026"


@pytest.fixture
def ron():
    return UserFactory(username="ron")


@pytest.fixture
def rows(ron):
    """Return rows by name: of a waiting student, of one with an account, and of both elsewhere."""
    return {
        "waiting": ProgramEnrollmentFactory(program_uuid=PROGRAM, external_user_key="A1", curriculum_uuid=C1),
        "realized": ProgramEnrollmentFactory(
            program_uuid=PROGRAM, external_user_key="b2", curriculum_uuid=C2, user=ron, status="ended"
        ),
        "keyless": ProgramEnrollmentFactory(
            program_uuid=PROGRAM, external_user_key=None, curriculum_uuid=C1, user=ron, status="pending"
        ),
        "elsewhere": ProgramEnrollmentFactory(program_uuid=OTHER, external_user_key="a1", curriculum_uuid=C1),
    }


def names(rows, found):
    by_pk = {row.pk: name for name, row in rows.items()}
    return [by_pk[row.pk] for row in found]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({}, ["waiting", "realized", "keyless"], id="no filter"),
        pytest.param({"external_user_keys": ["a1 ", "B2"]}, ["waiting", "realized"], id="keys in any case"),
        pytest.param({"external_user_keys": []}, [], id="an empty filter keeps nothing"),
        pytest.param({"users": []}, [], id="of accounts too"),
        pytest.param({"curriculum_uuids": [str(C2)]}, ["realized"], id="curricula as text"),
        pytest.param({"curriculum_uuids": ["nonsense"]}, [], id="what is no curriculum matches nothing"),
        pytest.param({"program_enrollment_statuses": {"ended", "pending"}}, ["realized", "keyless"], id="statuses"),
        pytest.param({"realized_only": True}, ["realized", "keyless"], id="with an account"),
        pytest.param({"waiting_only": True}, ["waiting"], id="without one"),
        pytest.param({"waiting_only": True, "curriculum_uuids": [C2]}, [], id="filters add up"),
    ],
)
def test_enrollments_of_a_program(rows, filters, expected):
    assert names(rows, api.fetch_program_enrollments(PROGRAM, **filters)) == expected
    assert names(rows, api.fetch_program_enrollments(str(PROGRAM).upper(), **filters)) == expected


def test_enrollments_of_a_student(rows, ron):
    by_student = api.fetch_program_enrollments_by_student
    assert names(rows, by_student(external_user_key="a1")) == ["waiting", "elsewhere"]
    assert names(rows, by_student(user=ron)) == ["realized", "keyless"]
    assert names(rows, by_student(user=ron, external_user_key="B2")) == ["realized"]
    assert names(rows, by_student(user=ron, external_user_key="a1")) == []
    assert names(rows, by_student(external_user_key="a1", program_uuids=[OTHER])) == ["elsewhere"]


def test_enrollments_of_students(rows, ron):
    by_students = api.fetch_program_enrollments_by_students
    assert names(rows, by_students(users=[ron])) == ["realized", "keyless"]
    assert names(rows, by_students(external_user_keys=["A1"], waiting_only=True)) == ["waiting", "elsewhere"]
    assert names(rows, by_students(users=[ron], external_user_keys=["b2"])) == ["realized"]


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda: api.fetch_program_enrollments_by_student(), id="no student"),
        pytest.param(lambda: api.fetch_program_enrollments_by_students(users=[], external_user_keys=None), id="none"),
        pytest.param(lambda: api.fetch_program_course_enrollments_by_students(), id="none in runs"),
        pytest.param(lambda: api.get_program_enrollment(PROGRAM), id="whose enrollment?"),
        pytest.param(lambda: api.get_program_course_enrollment(PROGRAM, RUN), id="whose enrollment in the run?"),
        pytest.param(
            lambda: api.fetch_program_enrollments(PROGRAM, realized_only=True, waiting_only=True), id="both kinds"
        ),
        pytest.param(
            lambda: api.fetch_program_course_enrollments(PROGRAM, RUN, active_only=True, inactive_only=True),
            id="both kinds in runs",
        ),
    ],
)
def test_questions_that_make_no_sense(ask):
    with pytest.raises(ValueError, match=r"Name|Only"):
        ask()


def test_the_one_enrollment(rows, ron):
    assert api.get_program_enrollment(PROGRAM, external_user_key="a1") == rows["waiting"]
    assert api.get_program_enrollment(PROGRAM, user=ron, curriculum_uuid=C1) == rows["keyless"]
    with pytest.raises(ProgramEnrollment.MultipleObjectsReturned):
        api.get_program_enrollment(PROGRAM, user=ron)
    with pytest.raises(ProgramEnrollment.DoesNotExist):
        api.get_program_enrollment(OTHER, user=ron)


def test_enrollments_in_a_run(rows, ron):
    runs = {
        "waiting": ProgramCourseEnrollmentFactory(program_enrollment=rows["waiting"], course_key=RUN),
        "realized": ProgramCourseEnrollmentFactory(
            program_enrollment=rows["realized"], course_key=RUN, status="inactive"
        ),
        "another run": ProgramCourseEnrollmentFactory(program_enrollment=rows["waiting"], course_key=OTHER_RUN),
        "elsewhere": ProgramCourseEnrollmentFactory(program_enrollment=rows["elsewhere"], course_key=RUN),
    }

    def in_run(**filters):
        return names(runs, api.fetch_program_course_enrollments(PROGRAM, RUN, **filters))

    assert in_run() == ["waiting", "realized"]
    assert in_run(active_only=True) == in_run(waiting_only=True) == in_run(external_user_keys=["a1"]) == ["waiting"]
    assert in_run(inactive_only=True) == in_run(program_enrollment_statuses=["ended"]) == in_run(users=[ron])
    assert in_run(users=[ron]) == ["realized"]
    assert in_run(program_enrollments=[rows["waiting"]]) == ["waiting"]
    of_students = api.fetch_program_course_enrollments_by_students(external_user_keys=["A1"], course_keys=[RUN])
    assert names(runs, of_students) == ["waiting", "elsewhere"]
    assert api.get_program_course_enrollment(PROGRAM, RUN, user=ron) == runs["realized"]
    with pytest.raises(ProgramCourseEnrollment.DoesNotExist):
        api.get_program_course_enrollment(PROGRAM, OTHER_RUN, user=ron)


def test_the_key_behind_an_enrollment_in_a_course(ron):
    enrollment = CourseEnrollmentFactory(user=ron, course__id=RUN)
    assert api.get_external_key_by_user_and_course(ron, RUN) is None
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for age, key, status in ((3, "active", "active"), (1, "newest", "inactive"), (2, "older", "inactive")):
        with time_machine.travel(now - timedelta(days=age), tick=False):
            ProgramCourseEnrollmentFactory(
                program_enrollment__external_user_key=key,
                program_enrollment__user=ron,
                course_enrollment=enrollment,
                course_key=RUN,
                status=status,
            )
    assert api.get_external_key_by_user_and_course(ron, RUN) == "active"
    ProgramCourseEnrollment.objects.filter(status="active").delete()
    assert api.get_external_key_by_user_and_course(ron, RUN) == "newest"


def test_accounts_of_students_by_the_key_as_asked():
    program, provider = ProgramFactory(), IdentityProviderFactory(slug="saml-saml-hogwarts")
    known = ExternalIdentityFactory(provider=provider, external_key="Known").user
    ExternalIdentityFactory(provider=IdentityProviderFactory(organization=None), external_key="stranger")
    assert api.get_users_by_external_keys(program.uuid, ["KNOWN", "stranger"]) == {"KNOWN": known, "stranger": None}
    [found] = api.get_saml_providers_by_org_key("HogwartsX")
    assert api.get_provider_slug(found) == "saml-hogwarts"


def test_who_cannot_be_asked_for_accounts():
    program = ProgramFactory()
    with pytest.raises(ProviderDoesNotExistException, match="HogwartsX"):
        api.get_users_by_external_keys(program.uuid, [])
    with pytest.raises(BadOrganizationShortNameException, match="Durmstrang"):
        api.get_users_by_external_keys_and_org_key([], "Durmstrang")
    program.authoring.all().delete()
    with pytest.raises(ProgramHasNoAuthoringOrganizationException, match=str(program.uuid)):
        api.get_org_key_for_program(program.uuid)
    for unknown in (uuid4(), "nonsense"):
        with pytest.raises(ProgramDoesNotExistException, match=str(unknown)):
            api.get_org_key_for_program(unknown)


def test_every_port_can_be_made():
    ports.load_all()
