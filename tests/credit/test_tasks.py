"""The tasks: when they try again, and what they let others see."""

import pytest
from celery.exceptions import Retry
from django.core.mail.backends.base import BaseEmailBackend

from credit.email_utils import MailDelayed, MailNotSent
from credit.models import CreditEligibility
from credit.tasks import send_credit_eligibility_email, send_due_credit_emails
from tests.credit.mail import COURSE, owe_mail
from tests.enrollment.factories import UserFactory


class DeadServer(BaseEmailBackend):
    """Counts how often somebody tries to reach it."""

    attempts = 0

    def open(self):
        DeadServer.attempts += 1
        raise ConnectionRefusedError("mail.example.com")


@pytest.fixture
def dead_server(settings) -> type[DeadServer]:
    settings.EMAIL_BACKEND = f"{__name__}.DeadServer"
    DeadServer.attempts = 0
    return DeadServer


@pytest.mark.django_db
def test_the_task_sends_what_is_owed(mailoutbox):
    owe_mail()
    assert send_credit_eligibility_email.apply(["ron", COURSE]).successful()
    assert send_credit_eligibility_email.apply(["ron", COURSE]).successful()
    assert [mail.to for mail in mailoutbox] == [["ron@example.com"]]


@pytest.mark.django_db
def test_the_sweep_sends_what_is_owed_to_anybody(mailoutbox):
    for _ in range(2):
        owe_mail(UserFactory())
    assert send_due_credit_emails.apply().successful()
    assert len(mailoutbox) == 2


@pytest.mark.django_db
@pytest.mark.rule("credit.mail.retries")
def test_an_unreachable_server_is_tried_again_and_the_mail_stays_owed(dead_server):
    owe_mail()
    result = send_credit_eligibility_email.apply(["ron", COURSE])
    assert isinstance(result.result, MailDelayed)
    assert dead_server.attempts == 6
    assert CreditEligibility.objects.get().email_due_at is not None


@pytest.mark.django_db
@pytest.mark.rule("credit.mail.retries")
@pytest.mark.parametrize(("retries", "seconds"), [(0, 30), (1, 60), (4, 480)])
def test_each_retry_waits_twice_as_long(dead_server, queued, retries, seconds):
    owe_mail()
    task = send_credit_eligibility_email
    task.push_request(id="1", args=["ron", COURSE], kwargs={}, retries=retries, called_directly=False)
    try:
        with pytest.raises(Retry) as retry:
            task.run("ron", COURSE)
    finally:
        task.pop_request()
    assert retry.value.when == seconds
    [message] = queued()
    assert message.args == ["ron", COURSE]
    assert message.headers["retries"] == retries + 1
    assert "ron" not in str(message.headers)


@pytest.mark.django_db
@pytest.mark.rule("credit.mail.retries")
def test_a_mail_that_cannot_be_built_is_not_tried_again_at_once(mailoutbox):
    owe_mail(UserFactory(username="ron", email="not an address\u2028"))
    result = send_credit_eligibility_email.apply(["ron", COURSE])
    assert type(result.result) is MailNotSent
    assert "address" not in str(result.traceback).split("MailNotSent:")[1]


@pytest.mark.django_db
def test_a_sweep_that_reaches_no_server_tries_once_and_says_so(dead_server, caplog):
    for _ in range(3):
        owe_mail(UserFactory())
    assert send_due_credit_emails.apply().successful()
    assert dead_server.attempts == 1
    assert [record.getMessage() for record in caplog.records if record.name.startswith("credit")] == [
        "The mail server cannot be reached (ConnectionRefusedError); what is owed stays owed."
    ]
