"""The mail leaves once: through repeats, rivals, refusals, outages and deaths."""

import logging
import traceback
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.core.mail.backends.smtp import EmailBackend
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from credit import api, email_utils
from credit.email_utils import MailDelayed, MailNotSent, send_credit_notifications, send_due_notifications
from credit.models import CreditEligibility
from tests.credit.mail import COURSE, owe_mail
from tests.credit.mail_server import MailServer, StallingServer
from tests.enrollment.factories import UserFactory
from tests.support import in_parallel

pytestmark = [pytest.mark.django_db, pytest.mark.rule("credit.mail.once")]

PERSONAL = ("ron", "weasley", "example.com")


@pytest.fixture
def mail_server(settings) -> Iterator[MailServer]:
    """A real mail server, which the site uses."""
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    server.start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as coordinates:
        yield coordinates


def send(eligibility: CreditEligibility) -> bool:
    return send_credit_notifications(eligibility.username, eligibility.course.course_key)


def state(eligibility: CreditEligibility) -> str:
    eligibility.refresh_from_db()
    if eligibility.notified_at is not None:
        assert eligibility.email_due_at is eligibility.email_claimed_until is None
        return "sent"
    if eligibility.email_due_at is None:
        return "nothing owed"
    return "owed" if eligibility.email_claimed_until is None else "claimed"


def test_sent_and_noted(mail_server, clock):
    eligibility = owe_mail()
    assert send(eligibility) is True
    assert state(eligibility) == "sent"
    assert eligibility.notified_at == timezone.now()
    [envelope] = mail_server.accepted
    assert envelope.rcpt_tos == ["ron@example.com"]


def test_a_second_time_nothing_is_owed(mail_server):
    eligibility = owe_mail()
    assert [send(eligibility), send(eligibility), send_due_notifications(10)] == [True, False, 0]
    assert len(mail_server.accepted) == 1


@pytest.mark.parametrize("username", ["ron", "RON", "nobody"])
def test_what_is_not_owed_is_not_sent(mailoutbox, username):
    owe_mail(email_due_at=None)
    assert send_credit_notifications(username, COURSE) is False
    assert send_due_notifications(10) == 0
    assert mailoutbox == []


def test_not_before_it_is_due(mailoutbox):
    eligibility = owe_mail(email_due_at=timezone.now() + timedelta(minutes=1))
    assert send(eligibility) is False
    assert send_due_notifications(10) == 0


def test_the_sweep_takes_the_longest_owed_first_and_no_more_than_asked(mailoutbox):
    now = timezone.now()
    users = [UserFactory() for _ in range(3)]
    for minutes, user in enumerate(users):
        owe_mail(user, email_due_at=now - timedelta(minutes=minutes))
    assert send_due_notifications(2) == 2
    assert [mail.to for mail in mailoutbox] == [[users[2].email], [users[1].email]]
    assert send_due_notifications(2) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.database("postgresql", "mysql")
def test_of_many_workers_one_sends(mail_server):
    eligibility = owe_mail()
    results = in_parallel(*[lambda: send(eligibility)] * 3, *[lambda: send_due_notifications(10)] * 3)
    assert sorted(map(int, results)) == [0, 0, 0, 0, 0, 1]
    assert len(mail_server.accepted) == 1


def test_a_claim_holds_others_off_until_it_lapses(mailoutbox, clock, settings):
    """A worker was killed before it sent anything."""
    settings.CREDIT_EMAIL_CLAIM_SECONDS = 120
    eligibility = owe_mail()
    assert email_utils._claim(eligibility, timezone.now() + timedelta(seconds=120))
    clock.shift(119)
    assert send(eligibility) is False
    assert send_due_notifications(10) == 0
    clock.shift(1)
    assert send_due_notifications(10) == 1
    assert len(mailoutbox) == 1


def test_a_claim_that_others_took_meanwhile_is_not_taken(mailoutbox):
    eligibility = owe_mail()
    until = timezone.now() + timedelta(minutes=5)
    assert [email_utils._claim(eligibility, until), email_utils._claim(eligibility, until)] == [True, False]


class Breakdown(BaseException):
    """Ends a worker at once, as a kill does."""


def test_a_worker_killed_after_sending_repeats_the_same_message_at_most(mail_server, clock):
    eligibility = owe_mail()

    def die(execute, sql, params, many, context):
        if '"notified_at" = ' in sql or "`notified_at` = " in sql:
            raise Breakdown
        return execute(sql, params, many, context)

    with connection.execute_wrapper(die), pytest.raises(Breakdown):
        send(eligibility)
    assert state(eligibility) == "claimed"
    assert send_due_notifications(10) == 0
    clock.shift(300)
    assert send_due_notifications(10) == 1
    first, second = mail_server.mails
    assert first.root["Message-ID"] == second.root["Message-ID"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_for_a_moment_does_not_make_it_leave_twice(mail_server, monkeypatch):
    monkeypatch.setattr(email_utils, "RECORD_PAUSE", 0.01)
    eligibility = owe_mail()
    failures = iter([True, True, False])

    def go_away(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "notified_at" in sql.partition("WHERE")[0] and next(failures, False):
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(go_away):
        assert send(eligibility) is True
    assert state(eligibility) == "sent"
    assert len(mail_server.accepted) == 1


def test_a_database_that_stays_away_is_given_up_when_the_claim_ends(mail_server, clock):
    eligibility = owe_mail()

    def go_away(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "notified_at" in sql.partition("WHERE")[0]:
            clock.shift(300)
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(go_away), pytest.raises(OperationalError):
        send(eligibility)


@pytest.mark.rule("credit.mail.outage")
class TestOutage:
    def test_a_dead_mail_server_leaves_everything_owed_for_the_first_sweep_after_it(self, mail_server):
        eligibility = owe_mail()
        mail_server.stop()
        with pytest.raises(MailDelayed, match=r"ConnectionRefusedError"):
            send(eligibility)
        assert send_due_notifications(10) == 0
        assert state(eligibility) == "owed"

        mail_server.start()
        assert send_due_notifications(10) == 1
        assert state(eligibility) == "sent"

    def test_a_mail_server_that_never_answers_is_left_before_the_claim_ends(self, settings):
        server = StallingServer()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, None
        settings.CREDIT_EMAIL_CLAIM_SECONDS = 1
        eligibility = owe_mail()
        with pytest.raises(MailDelayed, match="cannot be reached"):
            send(eligibility)
        assert state(eligibility) == "owed"
        server.stop()

    @pytest.mark.parametrize(("configured", "used"), [(None, 30), (7, 7), (600, 30)])
    def test_no_mail_takes_longer_than_its_claim(self, settings, configured, used):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_TIMEOUT = configured
        with email_utils._mail_server() as server:
            assert isinstance(server, EmailBackend)
            assert server.timeout == used


@pytest.mark.rule("credit.mail.refused")
class TestRefusal:
    def test_a_refused_mail_waits_as_long_as_it_has_been_owed(self, mail_server, clock):
        mail_server.answer = lambda envelope: "451 come back later"
        eligibility = owe_mail()
        attempts = []
        for _ in range(20):
            try:
                send(eligibility)
            except MailDelayed:
                attempts.append((timezone.now() - eligibility.email_due_at).total_seconds())
            clock.shift(30)
        assert attempts == [0, 30, 60, 120, 240, 480]

        mail_server.answer = lambda envelope: None
        clock.shift(360)
        assert send_due_notifications(10) == 1

    def test_but_not_longer_than_a_day(self, mail_server, clock):
        mail_server.answer = lambda envelope: "550 no such mailbox"
        eligibility = owe_mail(email_due_at=timezone.now() - timedelta(days=30))
        assert send_due_notifications(10) == 0
        eligibility.refresh_from_db()
        assert eligibility.email_claimed_until == timezone.now() + timedelta(days=1)

    @pytest.mark.parametrize("answer", ["550 no such mailbox", "421 closing"])
    def test_others_are_sent_all_the_same(self, mail_server, answer):
        now = timezone.now()
        rows = [
            owe_mail(UserFactory(email=f"{name}@example.com"), email_due_at=now - timedelta(minutes=age))
            for name, age in (("bounces", 3), ("second", 2), ("third", 1))
        ]
        mail_server.answer = lambda envelope: answer if envelope.rcpt_tos == ["bounces@example.com"] else None
        assert send_due_notifications(10) == 2
        assert [state(row) for row in rows] == ["claimed", "sent", "sent"]

    def test_a_mail_that_cannot_be_built_does_not_keep_others_back(self, mail_server, caplog):
        broken = owe_mail(UserFactory(username="ron", email="ron weasley@\u2028example.com"))
        owe_mail(UserFactory())
        assert send_due_notifications(10) == 1
        assert state(broken) == "claimed"
        assert f"eligibility {broken.pk} " in caplog.text
        assert not [word for word in PERSONAL if word in caplog.text.lower()]

    def test_the_failure_names_the_row_and_nobody(self, mail_server, caplog):
        caplog.set_level(logging.DEBUG, logger="credit")
        mail_server.answer = lambda envelope: f"550 {envelope.rcpt_tos[0]} is unknown here"
        eligibility = owe_mail()
        with pytest.raises(MailNotSent) as failure:
            send(eligibility)
        assert str(failure.value) == f"The mail owed for eligibility {eligibility.pk} was not sent (SMTPDataError)."
        told = "".join(traceback.format_exception(failure.value)) + caplog.text
        assert not [word for word in PERSONAL if word in told.lower()]


@pytest.mark.rule("credit.mail.unknown")
@pytest.mark.parametrize("account", ["none", "without address"])
def test_without_an_address_nothing_is_owed_any_more(mailoutbox, caplog, account):
    if account == "without address":
        UserFactory(username="ron", email="")
    eligibility = owe_mail(UserFactory.build(username="ron"))
    assert send(eligibility) is False
    assert state(eligibility) == "nothing owed"
    assert mailoutbox == []
    assert f"Eligibility {eligibility.pk} " in caplog.text
    assert "ron" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_nothing_leaves(mailoutbox):
    eligibility = owe_mail()
    with transaction.atomic(), pytest.raises(RuntimeError):
        send(eligibility)
    assert mailoutbox == []


@pytest.mark.rule("credit.mail.when")
class TestWhenItIsOwed:
    def test_by_the_last_requirement_and_again_after_staff_deleted_the_row(self, ron, potions, grade, mailoutbox):
        api.set_credit_requirement_status(ron, potions.course_key, grade.namespace, grade.name)
        assert send_due_notifications(10) == 1
        api.set_credit_requirement_status(
            ron, potions.course_key, grade.namespace, grade.name, reason={"final_grade": 1}
        )
        assert send_due_notifications(10) == 0

        CreditEligibility.objects.all().delete()
        api.set_credit_requirement_status(ron, potions.course_key, grade.namespace, grade.name)
        assert send_due_notifications(10) == 1
        first, second = (mail.message()["Message-ID"] for mail in mailoutbox)
        assert first != second

    def test_not_by_staff(self, eligible_ron, mailoutbox):
        assert send_due_notifications(10) == 0
