"""The mail with real parts: a web-like process, a Celery worker, a broker of files, a mail server, and kills."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.credit.mail_server import MailServer

pytestmark = [pytest.mark.slow, pytest.mark.fault, pytest.mark.rule("credit.mail.once")]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds, on a busy machine

EARN_ELIGIBILITY = """
from credit import api
from tests.credit.factories import CreditRequirementFactory, enroll
from tests.enrollment.factories import UserFactory
requirement = CreditRequirementFactory()
user = UserFactory(username="ron", email="ron@example.com", first_name="Ron", last_name="Weasley")
enroll(user, requirement.course)
api.set_credit_requirement_status(user, requirement.course.course_key, requirement.namespace, requirement.name)
"""
SWEEP = "from credit.tasks import send_due_credit_emails; send_due_credit_emails.delay()"
IS_SENT = """
import sys
from credit.models import CreditEligibility
sys.exit(CreditEligibility.objects.get().notified_at is None)
"""


class SlowServer(MailServer):
    """Can be made to hold an answer back, after or before it has accepted a mail."""

    def __init__(self) -> None:
        super().__init__()
        self.holds_back = False
        self.accepts_first = False
        self.reached = threading.Event()

    async def handle_DATA(self, server, session, envelope) -> str:
        if not self.holds_back:
            return await super().handle_DATA(server, session, envelope)
        if self.accepts_first:
            self.accepted.append(envelope)
        self.reached.set()
        while self.holds_back:
            await asyncio.sleep(0.05)
        return "250 OK"


class Site:
    """A site whose processes are started, ended and killed one by one."""

    def __init__(self, folder: Path, mail_server: MailServer) -> None:
        self.log = folder / "worker.log"
        self._workers: list[subprocess.Popen] = []
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.credit.worker_settings",
            "COURSE_CREDIT_DATA_DIR": str(folder),
            "MAIL_PORT": str(mail_server.port),
        }

    def run(self, code: str) -> bool:
        """Run Python code in a process of its own; return whether it ended well."""
        command = [sys.executable, "-c", f"import django; django.setup()\n{code}"]
        return subprocess.run(command, cwd=ROOT, env=self._environment, timeout=PATIENCE, check=False).returncode == 0

    def start_worker(self) -> None:
        command = [sys.executable, "-m", "celery", "--app", "settings", "worker", "--concurrency", "1"]
        with self.log.open("ab") as log:
            self._workers.append(
                subprocess.Popen(
                    [*command, "--without-mingle", "--without-gossip"],
                    cwd=ROOT,
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def kill_workers(self) -> None:
        """End every process of the workers at once, without a chance to clean up."""
        while self._workers:
            worker = self._workers.pop()
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


@pytest.fixture
def mail_server() -> Iterator[SlowServer]:
    server = SlowServer()
    yield server
    server.holds_back = False
    server.stop()


@pytest.fixture
def site(tmp_path, mail_server) -> Iterator[Site]:
    site = Site(tmp_path, mail_server)
    assert site.run("from django.core.management import call_command; call_command('migrate', verbosity=0)")
    yield site
    site.kill_workers()


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until, "This never happened."
        time.sleep(0.1)


def test_a_mail_server_that_was_down_gets_the_mail_by_a_retry_and_no_log_names_the_learner(site, mail_server):
    site.start_worker()
    assert site.run(EARN_ELIGIBILITY)
    wait_until(lambda: b"Retry in 2" in site.log.read_bytes() and b"[debug" in site.log.read_bytes())

    mail_server.start()
    wait_until(lambda: bool(mail_server.accepted))
    wait_until(lambda: site.run(IS_SENT))

    told = site.log.read_text().lower()
    assert "mail server cannot be reached" in told
    assert not re.findall(r".*\b(?:ron|weasley|example\.com)\b.*", told)


@pytest.mark.parametrize(
    ("accepts_first", "mails"),
    [
        pytest.param(False, 1, id="before the mail was accepted"),
        pytest.param(True, 2, id="after the mail was accepted and before that was noted"),
    ],
)
def test_a_killed_workers_mail_is_sent_by_the_sweep_once_its_claim_has_lapsed(site, mail_server, accepts_first, mails):
    mail_server.start()
    mail_server.holds_back, mail_server.accepts_first = True, accepts_first
    site.start_worker()
    assert site.run(EARN_ELIGIBILITY)
    assert mail_server.reached.wait(PATIENCE)

    site.kill_workers()
    killed_at = time.monotonic()
    mail_server.holds_back = False
    assert not site.run(IS_SENT)

    site.start_worker()
    wait_until(lambda: site.run(SWEEP) and site.run(IS_SENT))
    assert time.monotonic() - killed_at > 2
    assert len(mail_server.accepted) == mails
    assert len({mail.root["Message-ID"] for mail in mail_server.mails}) == 1


def test_a_worker_that_starts_late_finds_the_mail(site, mail_server):
    mail_server.start()
    assert site.run(EARN_ELIGIBILITY)
    site.start_worker()
    wait_until(lambda: bool(mail_server.accepted))
