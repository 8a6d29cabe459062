"""Retiring a person: what is refused, what is undone, and what a host may do otherwise."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from enrollment import api
from enrollment.errors import RetiredNameInUse, UserNotFoundError
from enrollment.models import CourseEnrollment, LearnerProfile, ManualEnrollmentAudit
from enrollment.signals import USER_RETIRED
from tests.enrollment.factories import CourseEnrollmentFactory, LearnerProfileFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.rule("retirement")]


@pytest.fixture
def learner():
    user = UserFactory(username="hermione", email="h.granger@example.com")
    LearnerProfileFactory(user=user)
    CourseEnrollmentFactory(user=user)
    return user


@pytest.fixture
def on_retirement():
    """A function that listens to retirements for the length of the test."""
    connected = []

    def listen(receiver):
        USER_RETIRED.connect(receiver, weak=False)
        connected.append(receiver)

    yield listen
    for receiver in connected:
        USER_RETIRED.disconnect(receiver)


def test_every_app_is_told_while_the_account_still_has_its_name(learner, on_retirement):
    told = []

    def note(user, original_username, retired_username, **kwargs):
        told.append((user.pk, user.username, original_username, retired_username))

    on_retirement(note)
    api.retire_user(learner, retired_username="gone")
    assert told == [(learner.pk, "hermione", "hermione", "gone")]


def test_one_that_fails_undoes_all(learner, on_retirement):
    def fail(**kwargs):
        raise RuntimeError("this app cannot forget")

    on_retirement(fail)
    with pytest.raises(RuntimeError):
        api.retire_user(learner, retired_username="gone")
    learner.refresh_from_db()
    assert (learner.username, learner.is_active) == ("hermione", True)
    assert CourseEnrollment.objects.get().is_active
    assert LearnerProfile.objects.exists()


def test_a_name_that_an_account_has_is_refused(learner):
    UserFactory(username="ron")
    for name in ("ron", "hermione"):
        with pytest.raises(RetiredNameInUse):
            api.retire_user(learner, retired_username=name)
    learner.refresh_from_db()
    assert learner.username == "hermione"


def test_an_account_that_was_deleted_is_named_an_error(learner):
    user = get_user_model().objects.get()
    learner.delete()
    with pytest.raises(UserNotFoundError):
        api.retire_user(user, retired_username="gone")


def test_what_the_database_says_counts(learner):
    stale = get_user_model().objects.get()
    get_user_model().objects.update(username="jean", email="new@example.com")
    rival = UserFactory(username="hermione", email="h.granger@example.com")
    ManualEnrollmentAudit.objects.create(enrolled_email="h.granger@example.com", state_transition="N/A", reason="x")
    api.retire_user(stale, retired_username="gone")
    rival.refresh_from_db()
    assert (rival.username, rival.is_active) == ("hermione", True)
    assert ManualEnrollmentAudit.objects.get().reason == "x"


def test_only_ids_are_logged(learner, caplog, django_capture_on_commit_callbacks):
    caplog.set_level("DEBUG")
    with django_capture_on_commit_callbacks(execute=True):
        api.retire_user(learner, retired_username="gone")
    assert f"User {learner.pk} has been retired." in caplog.text
    for name in ("hermione", "granger", "Robin"):
        assert name not in caplog.text


class KeptAccounts:
    """A host that looks after its accounts itself."""

    def retire(self, user):
        return False


def test_a_host_may_keep_its_accounts(learner, settings):
    settings.ENROLLMENT_PORTS = {"AccountPort": f"{__name__}.KeptAccounts"}
    assert api.retire_user(learner, retired_username="gone")["account"] == 0
    learner.refresh_from_db()
    assert (learner.username, learner.is_active) == ("hermione", True)
    assert not LearnerProfile.objects.exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("hermione, course-v1:a+b+c", "gone, course-v1:a+b+c"),
        ("profile of hermione.", "profile of gone."),
        ("hermione2", "hermione2"),
        ("hermione.jean", "hermione.jean"),
        ("not-hermione", "not-hermione"),
        ("h.granger@example.com", "gone"),
        ("Jos\u00e9 Granger", "gone"),
        ('"Jos\\u00e9 Granger"', '"gone"'),
    ],
)
def test_the_staff_log_forgets_whole_words(learner, before, after):
    LearnerProfile.objects.update(name="Jos\u00e9 Granger")
    entry = LogEntry.objects.create(
        user=UserFactory(), object_id="1", object_repr=before, action_flag=CHANGE, change_message=before
    )
    count = api.retire_user(learner, retired_username="gone")["staff_log"]
    entry.refresh_from_db()
    assert (entry.object_repr, entry.change_message) == (after, after)
    assert count == (before != after)


class TestTheCommand:
    @pytest.mark.parametrize("dry_run", [True, False])
    def test_tells_what_is_forgotten(self, learner, capsys, caplog, django_capture_on_commit_callbacks, dry_run):
        caplog.set_level("INFO")
        with django_capture_on_commit_callbacks(execute=True):
            call_command("retire_user", str(learner.pk), "gone", *(["--dry-run"] if dry_run else []))
        assert ("has been retired" not in caplog.text) is dry_run
        told = capsys.readouterr().out
        assert "enrollments: 1\n" in told
        assert told.endswith("Nothing was changed.\n" if dry_run else f"User {learner.pk} is retired.\n")
        learner.refresh_from_db()
        assert (learner.username == "hermione") is dry_run
        assert CourseEnrollment.objects.get().is_active is dry_run

    @pytest.mark.parametrize(("user_id", "name", "text"), [(404, "gone", "no such user"), (None, "hermione", "name")])
    def test_refuses_what_the_api_refuses(self, learner, user_id, name, text):
        with pytest.raises(CommandError, match=text):
            call_command("retire_user", str(user_id or learner.pk), name)
