"""Students are enrolled in programs by their institution's keys, each by themselves (contract 5.2, 15)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine

from events.program_enrollments.signals import PROGRAM_ENROLLMENT_CHANGED, PROGRAM_ENROLLMENT_CREATED
from events.testing import captured_events
from program_enrollments import api
from program_enrollments.exceptions import InvalidStudentKey, ProgramDoesNotExistException
from program_enrollments.models import IdentityProvider, Organization, ProgramEnrollment
from tests.program_enrollments.factories import (
    CurriculumFactory,
    ExternalIdentityFactory,
    IdentityProviderFactory,
    ProgramEnrollmentFactory,
    ProgramFactory,
)
from tests.support import in_parallel, statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("program_enrollments.write")]

CURRICULUM, OTHER_CURRICULUM = UUID(int=7), UUID(int=8)
POST, PATCH, PUT = (True, False), (False, True), (True, True)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def program():
    return ProgramFactory()


@pytest.fixture
def provider():
    return IdentityProviderFactory()


def write(program, method, *students, curriculum=CURRICULUM):
    create, update = method
    requests = [{"external_user_key": key, "status": status, "curriculum_uuid": curriculum} for key, status in students]
    return api.write_program_enrollments(program.uuid, requests, create=create, update=update)


def stored(program):
    rows = ProgramEnrollment.objects.in_program(program.uuid).order_by("pk")
    return [(row.external_user_key, row.status, row.curriculum_uuid) for row in rows]


@pytest.mark.parametrize(
    ("method", "status", "answer", "stored_after"),
    [
        pytest.param(POST, "pending", "conflict", "enrolled", id="creating who is there is a conflict"),
        pytest.param(PATCH, "ended", "ended", "ended", id="updating changes the status"),
        pytest.param(PUT, "suspended", "suspended", "suspended", id="either changes the status of who is there"),
        pytest.param(PATCH, "enrolled", "enrolled", "enrolled", id="the same status is answered all the same"),
        pytest.param(POST, "withdrawn", "invalid-status", "enrolled", id="a wrong word comes before the conflict"),
        pytest.param(PUT, "", "invalid-status", "enrolled", id="no word is a wrong one"),
    ],
)
def test_a_student_who_is_in_the_program(program, method, status, answer, stored_after):
    ProgramEnrollmentFactory(program_uuid=program.uuid, external_user_key="A1")
    assert write(program, method, ("a1", status), curriculum=OTHER_CURRICULUM) == {"a1": answer}
    assert stored(program) == [("A1", stored_after, CURRICULUM)]


@pytest.mark.parametrize(
    ("method", "status", "answer"),
    [
        pytest.param(POST, "pending", "pending", id="creating enrolls"),
        pytest.param(PUT, "canceled", "canceled", id="either enrolls, in whatever status"),
        pytest.param(PATCH, "pending", "not-in-program", id="updating does not"),
        pytest.param(PATCH, "new", "invalid-status", id="a wrong word comes first"),
    ],
)
def test_a_student_who_is_not_in_the_program(program, method, status, answer):
    ProgramEnrollmentFactory(external_user_key="a1")  # in another program
    assert write(program, method, ("a1", status)) == {"a1": answer}
    assert stored(program) == ([("a1", status, CURRICULUM)] if answer == status else [])


def test_the_example_of_the_contract(program):
    ProgramEnrollmentFactory(program_uuid=program.uuid, external_user_key="a1", status="pending")
    students = [("A1", "enrolled"), ("b2", "enrolled"), ("c3", "new"), ("d4", "ended"), ("D4", "ended")]
    assert write(program, PATCH, *students) == {
        "A1": "enrolled",
        "b2": "not-in-program",
        "c3": "invalid-status",
        "d4": "duplicated",
        "D4": "duplicated",
    }


def test_keys_are_stored_trimmed_as_first_written_and_answered_as_asked(program):
    assert write(program, POST, (" Straße ", "enrolled")) == {" Straße ": "enrolled"}
    assert write(program, PATCH, ("STRASSE", "ended")) == {"STRASSE": "ended"}
    assert stored(program) == [("Straße", "ended", CURRICULUM)]


def test_duplicates_alone_read_nothing(program):
    with statements() as run:
        assert write(program, PUT, ("x", "enrolled"), ("X ", "ended")) == {"x": "duplicated", "X ": "duplicated"}
    assert len(run) == 0, run


@pytest.mark.parametrize("key", ["", "  ", "x" * 256, "a\0b", "\ud800", None, 7], ids=repr)
def test_what_is_no_key_changes_nothing(program, key):
    with pytest.raises(InvalidStudentKey):
        write(program, POST, ("fine", "enrolled"), (key, "enrolled"))
    assert stored(program) == []


def test_a_request_that_wants_nothing_is_refused(program):
    with pytest.raises(ValueError, match="Nothing is to be"):
        write(program, (False, False), ("a1", "enrolled"))
    with pytest.raises(ValueError, match="curriculum"):
        write(program, POST, ("a1", "enrolled"), curriculum=None)
    assert write(program, PATCH, ("a1", "enrolled"), curriculum=None) == {"a1": "not-in-program"}


def test_an_unknown_program_has_no_students():
    with pytest.raises(ProgramDoesNotExistException):
        api.write_program_enrollments(
            uuid4(), [{"external_user_key": "a", "status": "enrolled", "curriculum_uuid": CURRICULUM}], True, True
        )


@pytest.mark.parametrize(
    ("named", "changed"),
    [
        pytest.param(CURRICULUM, "older", id="the one in the named curriculum"),
        pytest.param(OTHER_CURRICULUM, "newer", id="or the other"),
        pytest.param(UUID(int=9), "newer", id="else the one that changed last"),
        pytest.param(None, "newer", id="also if none is named"),
    ],
)
def test_one_of_several_enrollments_of_a_key_is_changed(program, named, changed):
    rows = {}
    for name, curriculum, age in (("older", CURRICULUM, 2), ("newer", OTHER_CURRICULUM, 1)):
        with time_machine.travel(NOW - timedelta(days=age), tick=False):
            rows[name] = ProgramEnrollmentFactory(
                program_uuid=program.uuid, external_user_key="a1", curriculum_uuid=curriculum
            )
    write(program, PATCH, ("a1", "ended"), curriculum=named)
    assert [name for name, row in rows.items() if ProgramEnrollment.objects.get(pk=row.pk).status == "ended"] == [
        changed
    ]


def test_who_has_an_account_is_linked_at_once_and_only_then(program, provider):
    identity = ExternalIdentityFactory(provider=provider, external_key="Known")
    write(program, POST, ("KNOWN", "enrolled"), ("unknown", "enrolled"))
    assert {row.external_user_key: row.user for row in ProgramEnrollment.objects.all()} == {
        "KNOWN": identity.user,
        "unknown": None,
    }
    late = ExternalIdentityFactory(provider=provider, external_key="unknown")
    write(program, PUT, ("unknown", "ended"))
    assert not ProgramEnrollment.objects.filter(user=late.user).exists()


def test_the_newer_of_two_providers_counts(program, provider, caplog):
    newer = IdentityProviderFactory()
    old, new = (ExternalIdentityFactory(provider=each, external_key="a1").user for each in (provider, newer))
    write(program, POST, ("a1", "enrolled"))
    assert ProgramEnrollment.objects.get().user == new
    assert f"users {old.pk} and {new.pk}" in caplog.text


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda: IdentityProvider.objects.update(enabled=False), id="no provider is in use"),
        pytest.param(lambda: Organization.objects.update(short_name=""), id="the owner is not known"),
    ],
)
def test_students_wait_where_accounts_cannot_be_found(program, provider, break_it):
    ExternalIdentityFactory(provider=provider, external_key="a1")
    break_it()
    assert write(program, POST, ("a1", "enrolled")) == {"a1": "enrolled"}
    assert ProgramEnrollment.objects.get().user is None


class BrokenDirectory:
    """Raises what some host's own directory may raise."""

    def users_for_keys(self, provider, keys):
        raise ConnectionError("s3cret.example.com refused a1")


def test_a_broken_directory_makes_nobody_wait_for_an_answer(program, provider, settings, caplog):
    settings.PROGRAM_ENROLLMENTS = {"PORTS": {"IdentityPort": f"{__name__}.BrokenDirectory"}}
    assert write(program, POST, ("a1", "enrolled")) == {"a1": "enrolled"}
    assert "ConnectionError" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_second_key_of_one_account_is_an_error_of_that_student_alone(program, provider):
    other = IdentityProviderFactory()
    user = ExternalIdentityFactory(provider=provider, external_key="first").user
    ExternalIdentityFactory(provider=other, external_key="second", user=user)
    ExternalIdentityFactory(provider=other, external_key="third", user=user)
    students = [("first", "enrolled"), ("second", "enrolled"), ("stranger", "pending")]
    assert write(program, POST, *students) == {
        "first": "enrolled",
        "second": "internal-error",
        "stranger": "pending",
    }
    assert write(program, PUT, ("third", "enrolled")) == {"third": "internal-error"}
    elsewhere = CurriculumFactory(program=program).uuid
    assert write(program, PUT, ("third", "enrolled"), curriculum=elsewhere) == {"third": "enrolled"}


def test_every_real_change_is_told_once_and_remembered(program, provider):
    user = ExternalIdentityFactory(provider=provider, external_key="a1").user
    with captured_events() as events:
        write(program, POST, ("a1", "pending"), ("b2", "enrolled"))
        write(program, PUT, ("a1", "enrolled"), ("b2", "enrolled"), ("c3", "ended"))
        write(program, POST, ("a1", "ended"))
    told = [
        (event.signal, event.data["program_enrollment"].previous_status, event.data["program_enrollment"].status)
        for event in events
    ]
    assert told == [
        (PROGRAM_ENROLLMENT_CREATED, "", "pending"),
        (PROGRAM_ENROLLMENT_CREATED, "", "enrolled"),
        (PROGRAM_ENROLLMENT_CREATED, "", "ended"),
        (PROGRAM_ENROLLMENT_CHANGED, "pending", "enrolled"),
    ]
    last = events[-1].data["program_enrollment"]
    row = ProgramEnrollment.objects.get(external_user_key="a1")
    assert (last.user.id, last.external_user_key, last.modified) == (user.pk, None, row.modified)
    assert [past.history_type for past in row.historical_records.order_by("history_date", "history_type")] == ["+", "~"]
    assert ProgramEnrollment.historical_records.count() == 4


def test_the_site_may_tell_keys(program, settings):
    settings.EVENTS_INCLUDE_EXTERNAL_USER_KEY = True
    with captured_events() as events:
        write(program, POST, ("a1", "pending"))
    assert events[0].data["program_enrollment"].external_user_key == "a1"


def test_a_repeated_status_only_says_that_the_student_is_still_known(program):
    with time_machine.travel(NOW - timedelta(days=1), tick=False):
        write(program, POST, ("a1", "enrolled"))
    with time_machine.travel(NOW, tick=False), captured_events() as events:
        write(program, PATCH, ("a1", "enrolled"))
    assert list(events) == []
    row = ProgramEnrollment.objects.get()
    assert row.modified == NOW
    assert row.historical_records.count() == 1


@pytest.mark.database("postgresql")
@pytest.mark.parametrize("count", [1, 25, 100])
def test_statements_do_not_depend_on_the_number_of_students(program, provider, count):
    known = [ExternalIdentityFactory(provider=provider).external_key for _ in range(count)]
    new = [ExternalIdentityFactory(provider=provider).external_key for _ in range(count)]
    write(program, POST, *((key, "pending") for key in known))
    with statements(without=("events_outboxevent",)) as run:
        write(program, PUT, *((key, "enrolled") for key in [*known, *new]))
    # Program, organization, providers, identities, lock, insert, update, the history of both, accounts.
    assert len(run) == 10, run


@pytest.mark.django_db(transaction=True)
@pytest.mark.database("postgresql")
def test_of_equal_requests_at_once_one_enrolls(program):
    def enroll():
        return write(program, POST, *((f"s{number}", "enrolled") for number in range(5)))

    for _ in range(5):
        ProgramEnrollment.objects.all().delete()
        answers = in_parallel(*[enroll] * 4)
        for number in range(5):
            assert sorted(answer[f"s{number}"] for answer in answers) == ["conflict"] * 3 + ["enrolled"]
        assert ProgramEnrollment.objects.count() == 5
