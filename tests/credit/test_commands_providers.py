"""Commands about providers: their keys, and what was asked of them."""

import csv
import io
import stat
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from credit.api import operations
from credit.models import CallbackLog, CreditRequest
from tests.credit.commands import run
from tests.credit.factories import CreditCourseFactory, CreditProviderFactory, CreditRequestFactory
from tests.enrollment.factories import CourseFactory, CourseModeFactory, UserFactory
from tests.support import statements

pytestmark = pytest.mark.django_db

CHECK = "check_provider_keys"
EXPORT = "export_credit_requests"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
NEW, OLD = "931433d583c84ca7ba41784bad3232e6", "a0b1c2d3e4f5"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


def answered(provider_id, position, count, *, hours=0):
    """Note that a callback was accepted some hours ago."""
    CallbackLog.objects.create(
        received=NOW - timedelta(hours=hours),
        provider_id=provider_id,
        outcome="accepted",
        key_position=position,
        key_count=count,
    )


# --- check_provider_keys


def test_keys_are_told_by_their_place_and_last_use(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": [NEW, OLD], "asu": OLD}
    CreditProviderFactory(provider_id="hogwarts")
    CreditProviderFactory(provider_id="asu", enable_integration=False)
    answered("hogwarts", 1, 2, hours=5)
    answered("hogwarts", 1, 2, hours=1)
    answered("hogwarts", 1, 1)  # when there was one key only: the one that is the second now

    done = run(CHECK)

    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "asu: gets no signed requests",
        "  key 1 of 1: usable, no callback remembered",
        "hogwarts: gets signed requests",
        "  key 1 of 2: usable, last callback 2026-07-01 11:00:00 UTC",
        "  key 2 of 2: usable, no callback remembered",
    ]


@pytest.mark.parametrize(
    ("keys", "lines", "complaint"),
    [
        pytest.param([NEW, "\u4567"], ["key 1 of 2: usable", "key 2 of 2: NOT USABLE"], "cannot be used", id="one bad"),
        pytest.param([None, OLD], ["key 1 of 2: NOT USABLE", "key 2 of 2: usable"], "cannot be used", id="one missing"),
        pytest.param("  ", ["key 1 of 1: NOT USABLE", "no usable key"], "has no usable key", id="blank"),
        pytest.param([], ["no usable key"], "has no usable key", id="empty list"),
        pytest.param(None, ["key 1 of 1: NOT USABLE", "no usable key"], "has no usable key", id="None"),
    ],
)
def test_what_cannot_be_used_is_a_failure(settings, keys, lines, complaint):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": keys}
    CreditProviderFactory(provider_id="hogwarts")

    done = run(CHECK, "--provider", "hogwarts")

    assert done.status == 1
    assert [line for line in lines if line not in done.out] == []
    assert complaint in done.err


def test_an_integrated_provider_without_a_key_is_a_failure():
    CreditProviderFactory(provider_id="hogwarts")

    done = run(CHECK)

    assert done.status == 1
    assert done.out == "hogwarts: gets signed requests\n  no usable key\n"
    assert done.err == "CommandError: hogwarts gets signed requests and has no usable key."


def test_a_key_for_nobody_is_told(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"durmstrang": NEW}

    done = run(CHECK)

    assert done.status == 0
    assert done.out.startswith("durmstrang: configured, but there is no such provider\n")


def test_nothing_is_known_of_others():
    assert run(CHECK, "--provider", "durmstrang").err == "CommandError: Nothing is known of durmstrang."


def test_a_key_is_never_shown(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": [NEW, OLD, "geh\u00e9im"]}
    CreditProviderFactory(provider_id="hogwarts")

    done = run(CHECK)

    assert [key for key in (NEW, OLD, "geh") if key in done.out + done.err] == []


def test_checking_costs_two_statements(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {f"university-{number}": NEW for number in range(9)}
    for number in range(9):
        CreditProviderFactory(provider_id=f"university-{number}")
        answered(f"university-{number}", 1, 1)

    with statements() as made:
        run(CHECK)

    assert len(made) == 2, str(made)


# --- export_credit_requests


@pytest.fixture
def requests():
    """Three requests to two providers."""
    course = CreditCourseFactory(course_key="course-v1:HogwartsX+Potions101+1T2026")
    hogwarts, asu = (CreditProviderFactory(provider_id=name) for name in ("hogwarts", "asu"))
    return [
        CreditRequestFactory(username="ron", course=course, provider=hogwarts, uuid="1" * 32),
        CreditRequestFactory(
            username="hermione",
            course=course,
            provider=hogwarts,
            uuid="2" * 32,
            status="approved",
            last_callback_timestamp=int(NOW.timestamp()),
        ),
        CreditRequestFactory(username="harry", course=course, provider=asu, uuid="3" * 32, status="rejected"),
    ]


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_requests_are_written_as_csv(requests):
    done = run(EXPORT)

    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[:3] == [
        "uuid,username,course_key,provider_id,status,created,modified,last_callback",
        f"{'1' * 32},ron,course-v1:HogwartsX+Potions101+1T2026,hogwarts,pending,"
        "2026-07-01T12:00:00Z,2026-07-01T12:00:00Z,",
        f"{'2' * 32},hermione,course-v1:HogwartsX+Potions101+1T2026,hogwarts,approved,"
        "2026-07-01T12:00:00Z,2026-07-01T12:00:00Z,2026-07-01T12:00:00Z",
    ]
    assert len(done.out.splitlines()) == 4


@pytest.mark.parametrize(
    ("words", "usernames"),
    [
        (["--provider", "hogwarts"], ["ron", "hermione"]),
        (["--provider", "asu", "--provider", "hogwarts", "--status", "rejected"], ["harry"]),
        (["--status", "approved", "--status", "pending"], ["ron", "hermione"]),
        (["--since", "2026-07-01"], ["ron", "hermione"]),
        (["--since", "2026-07-02"], []),
    ],
)
def test_a_choice_of_them(requests, words, usernames):
    CreditRequest.objects.filter(username="harry").update(modified=NOW - timedelta(days=1))

    assert [row["username"] for row in rows(run(EXPORT, *words).out)] == usernames


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--provider", "HOGWARTS"], "There is no provider HOGWARTS."),
        (["--status", "granted"], "invalid choice"),
        (["--output", "/nowhere/at/all.csv"], "could not be written: No such file or directory"),
    ],
)
def test_mistakes_are_told(requests, words, complaint):
    done = run(EXPORT, *words)

    assert done.status == 1
    assert complaint in done.err


@pytest.mark.parametrize(
    "name", ["=SUM(A1:A9)", "+1", "-1", "@import", "\t=1", "=cmd|' /C calc'!A0", 'quo"ted, and more', "Zoë 李"]
)
def test_no_name_becomes_a_formula(name):
    CreditRequestFactory(username=name)

    [row] = rows(run(EXPORT).out)
    assert row["username"] == (f"'{name}" if name[0] in "=+-@\t" else name)


def test_a_file_is_complete_and_its_owners_alone(requests, tmp_path):
    target = tmp_path / "requests.csv"
    target.write_text("older")

    done = run(EXPORT, "--output", str(target), terminal=True)

    assert done.out == ""
    assert done.err.endswith("3 of 3 requests\n")
    assert [row["username"] for row in rows(target.read_text())] == ["ron", "hermione", "harry"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_what_fails_leaves_the_former_file(requests, tmp_path, monkeypatch):
    target = tmp_path / "requests.csv"
    target.write_text("older")

    def interrupted(**wanted):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(operations, "credit_requests", interrupted)

    assert run(EXPORT, "--output", str(target)).status == 130
    assert target.read_text() == "older"
    assert list(tmp_path.iterdir()) == [target]


def test_memory_and_statements_per_batch_do_not_grow(monkeypatch, tmp_path):
    monkeypatch.setattr(operations, "ROWS", 100)
    course, provider = CreditCourseFactory(), CreditProviderFactory()

    def make(count):
        first = CreditRequest.objects.count()
        CreditRequest.objects.bulk_create(
            CreditRequest(username=f"learner-{number}", course=course, provider=provider)
            for number in range(first, first + count)
        )

    def peak():
        tracemalloc.start()
        with statements() as made:
            run(EXPORT, "--output", str(tmp_path / "requests.csv"))
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size, len(made)

    make(300)
    peak()  # what is imported and remembered by the first run
    little, few = peak()
    make(2700)
    much, many = peak()

    assert len(rows((tmp_path / "requests.csv").read_text())) == 3000
    assert many - few == 27, "one statement for each batch"
    assert much < 2 * little + 200_000


# --- what the documents tell


def documented_commands():
    document = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    blocks = document.split("```sh\n")[1:]
    return [line for block in blocks for line in block.split("```")[0].splitlines()]


@pytest.mark.parametrize("line", documented_commands())
def test_every_documented_command_works(requests, settings, tmp_path, monkeypatch, line):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": NEW, "asu": NEW}
    course = CourseFactory(id="course-v1:HogwartsX+Potions101+1T2026")
    CourseModeFactory(course=course, mode_slug="audit")
    CourseModeFactory(course=course, mode_slug="verified")
    if "ron@example.com" in line:
        UserFactory(email="ron@example.com")
    monkeypatch.chdir(tmp_path)
    words = line.split()
    assert words[:2] == ["python", "manage.py"]

    done = run(*words[2:])

    assert done.status == 0, done.err


def test_every_command_is_documented():
    folder = Path(__file__).parents[2] / "credit" / "management" / "commands"
    document = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    assert [path.stem for path in folder.glob("[a-z]*.py") if path.stem not in document] == []
