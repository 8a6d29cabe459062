"""No row is lost and none is applied twice, whoever is killed at whatever moment, and however many try.

Each test ends by counting: rows, effects, results.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import attrs
import pytest
from django.db import connection
from django.utils import timezone

from enrollment import api
from enrollment.jobs import runner
from enrollment.models import BulkJob, BulkJobResult
from settings.storages import bulk_jobs
from tests.enrollment.notes import numbered, result_of, start, written
from tests.support import in_parallel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fault,
    pytest.mark.database("postgresql", "mysql"),  # SQLite's test database is in this process's memory
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("enrollment.jobs.once"),
]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds, on a busy machine
ROWS = 10_000

SETTINGS = """
from settings.development import *
from settings.test import DATABASES
DATABASES["default"]["NAME"] = {database!r}
CELERY_IMPORTS = ["tests.enrollment.notes"]
CELERY_BEAT_SCHEDULE = {{"go on with jobs": {{"task": "enrollment.tasks.run_bulk_jobs", "schedule": 1}}}}
ENROLLMENT_JOB_LEASE_SECONDS = 2
ENROLLMENT_JOB_CHUNK_ROWS = 100
"""


@attrs.frozen
class Count:
    """What became of the rows of a job."""

    status: str
    rows: int
    effects: int
    results: int
    twice: int
    in_order: bool


def count(job_id):
    job = api.get_job(UUID(job_id))
    notes = written()
    numbers = [line.split(",", 1)[0] for line in result_of(UUID(job_id))]
    return Count(
        status=job["status"],
        rows=job["position"],
        effects=len(notes),
        results=len(numbers),
        twice=sum(times - 1 for seen in (notes, numbers) for times in Counter(seen).values()),
        in_order=notes == numbers == [str(number) for number in range(1, len(notes) + 1)],
    )


def all_once(rows):
    return Count("finished", rows, rows, rows, 0, True)


class Site:
    """Celery workers, each with a beat of its own, that are started and killed one by one."""

    def __init__(self, folder):
        self._folder = folder
        self._workers = []
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "job_settings",
            "PYTHONPATH": f"{folder}:{ROOT}",
            "COURSE_CREDIT_DATA_DIR": str(folder),
        }
        database = str(connection.settings_dict["NAME"])
        (folder / "job_settings.py").write_text(SETTINGS.format(database=database))

    def start_worker(self):
        number = len(self._workers)
        command = [sys.executable, "-m", "celery", "--app", "settings", "worker", "--concurrency", "1"]
        beat = ["--beat", "--schedule", str(self._folder / f"beat-{number}"), "--hostname", f"worker-{number}@site"]
        with (self._folder / "worker.log").open("ab") as log:
            self._workers.append(
                subprocess.Popen(
                    [*command, *beat, "--without-mingle", "--without-gossip"],
                    cwd=ROOT,
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def kill_workers(self):
        """End every process of the workers at once, without a chance to clean up."""
        while self._workers:
            worker = self._workers.pop()
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()

    def log(self):
        return (self._folder / "worker.log").read_text()


@pytest.fixture
def site(tmp_path, settings):
    settings.STORAGES = {**settings.STORAGES, "bulk_jobs": bulk_jobs(tmp_path / "jobs")}
    site = Site(tmp_path)
    yield site
    site.kill_workers()


def wait_until(is_so, site):
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until, f"This never happened.\n{site.log()[-3000:]}"
        time.sleep(0.02)


def position():
    return BulkJob.objects.values_list("position", flat=True).get()


def test_a_killed_workers_job_goes_on_and_each_row_is_applied_once(site):
    job_id = start(numbered(ROWS))
    kills_at = []
    for _ in range(3):
        before = position()
        site.start_worker()
        wait_until(lambda before=before: position() > before + 2000, site)
        site.kill_workers()
        kills_at.append(position())
    assert kills_at[-1] < ROWS, kills_at
    assert BulkJob.objects.get().status == "running"

    site.start_worker()
    wait_until(lambda: BulkJob.objects.get().status == "finished", site)
    assert count(job_id) == all_once(ROWS)
    assert not BulkJobResult.objects.exists()


def test_a_worker_killed_between_effect_and_commit_leaves_no_effect(site, tmp_path):
    rows = "".join(f"{number},{'die once' if number % 700 == 0 else ''}\n" for number in range(1, 2001))
    job_id = start(f"text,do\n{rows}", parameters={"graves": str(tmp_path)})
    for _ in range(2):
        site.start_worker()
    # A worker's pool starts a new process for the one that has died.
    wait_until(lambda: BulkJob.objects.get().status == "finished", site)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.isdigit()) == ["1400", "700"]
    assert count(job_id) == all_once(2000)


def test_two_workers_that_both_believe_they_hold_the_lease_apply_each_row_once(site, settings):
    settings.ENROLLMENT_JOB_CHUNK_ROWS = 10
    job_id = start(numbered(500))
    leases = []
    for _ in range(3):
        leases.append(runner.claim_next())
        BulkJob.objects.update(lease_until=timezone.now())
    calls = [lambda lease=lease: runner.work(lease) for lease in leases]
    outcomes = in_parallel(*calls, lambda: runner.run_due(timedelta(minutes=1)))
    assert any(isinstance(outcome, runner.LeaseLost) for outcome in outcomes)
    runner.run_due(timedelta(minutes=1))
    assert count(job_id) == all_once(500)


def test_many_workers_share_many_jobs_and_jobs_of_one_key_keep_their_order(site, settings):
    settings.ENROLLMENT_JOB_CHUNK_ROWS = 10
    alone = [start(numbered(100, first=1000 * n), serial_key="") for n in range(1, 4)]
    keyed = [start(numbered(100, first=100_000 * n), serial_key="program") for n in range(1, 4)]
    in_parallel(*[lambda: runner.run_due(timedelta(minutes=1))] * 4)
    runner.run_due(timedelta(minutes=1))
    jobs = {str(job.pk): job for job in BulkJob.objects.all()}
    assert {job.status for job in jobs.values()} == {"finished"}
    assert sorted(Counter(written()).values()) == [1] * 600
    assert sum(len(result_of(UUID(job_id))) for job_id in alone + keyed) == 600
    for earlier, later in pairwise(keyed):
        assert jobs[earlier].finished_at <= jobs[later].started_at


def test_jobs_of_one_key_that_begin_at_the_same_moment_do_not_run_together(site):
    """The database refuses the second, however the jobs' order looks to either worker."""
    jobs = [start(numbered(1), serial_key="program") for _ in range(2)]
    lease = [runner.Lease(UUID(job_id), job_id[:8]) for job_id in jobs]
    outcomes = in_parallel(*[lambda lease=each: runner._claim(lease) for each in lease])
    assert sorted(str(type(outcome).__name__) for outcome in outcomes) == ["IntegrityError", "bool"]
    assert BulkJob.objects.filter(status="running").count() == 1
