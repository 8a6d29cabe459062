"""Jobs on large files: each row once, results beside effects, and every way in which one may end."""

from datetime import timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.utils import timezone

from enrollment import api, jobs
from enrollment.checks import check_job_settings
from enrollment.conf import conf
from enrollment.errors import (
    InvalidJob,
    JobFilePurged,
    JobFileTooLarge,
    JobNotFound,
    JobNotOver,
    JobOver,
    UnknownJobKind,
    UnreadableJobFile,
)
from enrollment.jobs import runner
from enrollment.models import BulkJob, BulkJobResult, ManualEnrollmentAudit
from enrollment.tasks import run_bulk_jobs
from enrollment.types import JobFigures
from tests.credit.broker import empty_broker
from tests.enrollment.factories import UserFactory
from tests.enrollment.notes import KIND, numbered, result_of, start, written
from tests.events.transactions import rolled_back
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.jobs")]

MINUTE = timedelta(minutes=1)


def run(limit=MINUTE):
    return runner.run_due(limit)


def stored():
    """Return the names of all files of jobs."""
    storage = storages["bulk_jobs"]
    return sorted(f"{folder}/{name}" for folder in storage.listdir("")[0] for name in storage.listdir(folder)[1])


@pytest.fixture(autouse=True)
def _no_files_of_others():
    storage = storages["bulk_jobs"]
    for name in stored():
        storage.delete(name)
    for folder in storage.listdir("")[0]:
        storage.delete(folder)


class TestStart:
    def test_a_job_waits_until_a_worker_takes_it(self):
        staff = UserFactory(username="minerva")
        job_id = start(numbered(3), created_by=staff.pk, parameters={"prefix": "n"})
        assert written() == []
        job = api.get_job(UUID(job_id))
        assert job == {
            "id": job_id,
            "kind": KIND,
            "status": "queued",
            "dry_run": False,
            "parameters": {"prefix": "n"},
            "input_format": "csv",
            "created_by": "minerva",
            "created": job["created"],
            "started_at": None,
            "finished_at": None,
            "cancel_requested": False,
            "position": 0,
            "rows_total": 3,
            "progress": 0.0,
            "rows_succeeded": 0,
            "rows_failed": 0,
            "failures": {},
            "error": "",
            "files_purged": False,
        }
        with pytest.raises(JobNotOver):
            api.open_result(UUID(job_id))
        file, input_format = api.open_input(UUID(job_id))
        with file:
            assert (file.read().decode(), input_format) == (numbered(3), "csv")

    def test_a_worker_is_asked_after_the_commit(self, django_capture_on_commit_callbacks):
        with empty_broker() as take:
            with django_capture_on_commit_callbacks(execute=True):
                start(numbered(1))
                assert take() == []
            assert [message.task for message in take()] == ["enrollment.tasks.run_bulk_jobs"]

    @pytest.mark.parametrize(
        ("content", "options", "error"),
        [
            pytest.param("", {}, UnreadableJobFile, id="empty"),
            pytest.param("text\n\n", {}, UnreadableJobFile, id="header only"),
            pytest.param('text\n"x\n', {}, UnreadableJobFile, id="unreadable at its end"),
            pytest.param("do\nrefuse\n", {}, InvalidJob, id="column missing"),
            pytest.param("text\nx\n", {"parameters": {"suffix": "x"}}, InvalidJob, id="parameter unknown"),
            pytest.param("text\nx\n", {"input_format": "xlsx"}, InvalidJob, id="format unknown"),
            pytest.param("text\nx\n", {"serial_key": "x" * 256}, InvalidJob, id="serial key too long"),
            pytest.param(numbered(6), {}, JobFileTooLarge, id="a row too many"),
            pytest.param("text\n" + "x" * 56, {}, JobFileTooLarge, id="a byte too many"),
        ],
    )
    def test_what_is_refused_leaves_nothing(self, settings, content, options, error):
        settings.ENROLLMENT_JOB_MAX_ROWS, settings.ENROLLMENT_JOB_MAX_BYTES = 5, 60
        with pytest.raises(error):
            start(content, **options)
        assert not BulkJob.objects.exists()
        assert stored() == []

    def test_files_up_to_the_limits_are_taken(self, settings):
        settings.ENROLLMENT_JOB_MAX_ROWS, settings.ENROLLMENT_JOB_MAX_BYTES = 5, 60
        start(numbered(5))
        start("text\n" + "x" * 55)

    def test_the_limits_are_those_of_the_contract(self):
        assert (conf.JOB_MAX_ROWS, conf.JOB_MAX_BYTES) == (500_000, 100 * 2**20)
        assert (conf.JOB_CHUNK_ROWS, conf.JOB_RETENTION) == (1000, timedelta(days=30))

    def test_an_unknown_kind_is_refused(self):
        with pytest.raises(UnknownJobKind, match=r"There are: .*notes"):
            api.start_job("nothing", BytesIO(b"text\nx\n"), input_format="csv")

    def test_a_rollback_leaves_no_job_and_its_file_to_the_purge(self):
        with rolled_back():
            start(numbered(1))
        assert not BulkJob.objects.exists()
        assert len(stored()) == 1


class TestRun:
    @pytest.mark.parametrize("chunk", [1, 2, 1000])
    @pytest.mark.parametrize("input_format", ["csv", "jsonl"])
    def test_every_row_has_one_effect_and_one_result(self, settings, chunk, input_format):
        settings.ENROLLMENT_JOB_CHUNK_ROWS = chunk
        content = 'text,do\na,\nb,refuse\n"c\n1",\nd,fail\ne,\n'
        if input_format == "jsonl":
            content = (
                '{"text":"a"}\n{"text":"b","do":"refuse"}\n{"text":"c\\n1"}\n{"text":"d","do":"fail"}\n{"text":"e"}'
            )
        job_id = start(content, input_format=input_format, parameters={"prefix": "n"})
        assert run() is False
        assert written() == ["na", "nc\n1", "ne"]
        line = {"csv": [2, 3, 4, 6, 7], "jsonl": [1, 2, 3, 4, 5]}[input_format]
        assert result_of(UUID(job_id)) == [
            f"1,{line[0]},ok,written,,a",
            f"2,{line[1]},failed,not_wanted,“b” is not wanted.,",
            f'3,{line[2]},ok,written,,"c',
            '1"',
            f"4,{line[3]},failed,internal_error,This row could not be applied; the log of the service says why.,",
            f"5,{line[4]},ok,written,,e",
        ]
        job = api.get_job(UUID(job_id))
        assert (job["status"], job["position"], job["rows_succeeded"], job["rows_failed"]) == ("finished", 5, 3, 2)
        assert (job["progress"], job["failures"]) == (1.0, {"internal_error": 1, "not_wanted": 1})
        assert not BulkJobResult.objects.exists()

    def test_the_result_file_has_a_header_and_no_formulas(self):
        job_id = UUID(start("text\n=1+1\n@x\n'=2\n"))
        run()
        with api.open_result(job_id) as file:
            assert file.read().decode() == (
                "row,line,status,code,message,written\r\n"
                "1,2,ok,written,,'=1+1\r\n2,3,ok,written,,'@x\r\n3,4,ok,written,,'=2\r\n"
            )
        assert written() == ["=1+1", "@x", "=2"]

    def test_a_dry_run_says_what_would_happen_and_changes_nothing(self):
        job_id = UUID(start("text,do\na,\nb,refuse\n", dry_run=True))
        run()
        assert written() == []
        assert [line.split(",")[2:4] for line in result_of(job_id)] == [["ok", "written"], ["failed", "not_wanted"]]

    def test_the_processor_is_told_who_asked(self):
        staff = UserFactory()
        start(numbered(1), created_by=staff.pk)
        start(numbered(1, first=2))
        run()
        notes = ManualEnrollmentAudit.objects.order_by("pk")
        assert list(notes.values_list("enrolled_email", "enrolled_by_id")) == [("1", staff.pk), ("2", None)]

    def test_a_turn_is_short_and_jobs_take_turns(self, settings):
        settings.ENROLLMENT_JOB_CHUNK_ROWS = 2
        first, second = UUID(start(numbered(4))), UUID(start(numbered(4, first=11)))
        for expected in ["1", "2"], ["11", "12"], ["3", "4"], ["13", "14"]:
            before = len(written())
            lease = runner.claim_next()
            runner.work(lease, until=0)
            assert written()[before:] == expected
        assert run() is False
        assert {api.get_job(job_id)["status"] for job_id in (first, second)} == {"finished"}
        assert len(written()) == 8

    def test_the_task_asks_for_another_turn_while_there_may_be_more(self, settings):
        settings.ENROLLMENT_JOB_LEASE_SECONDS = 0.000001
        start(numbered(1))
        with empty_broker() as take:
            run_bulk_jobs()
            assert [message.task for message in take()] == ["enrollment.tasks.run_bulk_jobs"]
            settings.ENROLLMENT_JOB_LEASE_SECONDS = 60
            run_bulk_jobs()
            assert take() == []
        assert written() == ["1"]

    def test_statements_of_a_chunk_do_not_grow(self, settings):
        class Nothing:
            columns = result_columns = ()

            def check(self, parameters, columns):
                """Take all."""

            def process(self, rows, **kwargs):
                return [jobs.RowResult(ok=True)] * len(rows)

        jobs.register("left empty", Nothing())
        counts = []
        for rows in 1, 1000:
            api.start_job("left empty", BytesIO(b"{}\n" * rows), input_format="jsonl")
            with statements() as ran:
                run()
            counts.append(len(ran))
        assert counts[0] == counts[1]

    def test_a_file_that_has_become_shorter_fails_the_job(self):
        job_id = UUID(start(numbered(3)))
        job = BulkJob.objects.get()
        storages["bulk_jobs"].delete(job.input_name)
        storages["bulk_jobs"].save(job.input_name, BytesIO(numbered(2).encode()))
        run()
        told = api.get_job(job_id)
        assert (told["status"], told["position"]) == ("failed", 2)
        assert told["error"] == "The file ends after 2 rows; there were 3."
        assert len(result_of(job_id)) == 2

    def test_a_file_that_is_gone_fails_the_job(self):
        job_id = UUID(start(numbered(3)))
        storages["bulk_jobs"].delete(BulkJob.objects.get().input_name)
        run()
        assert api.get_job(job_id)["error"] == "The file is not in the storage any more."

    def test_kinds_that_this_worker_does_not_know_wait_for_another(self):
        start(numbered(1))
        BulkJob.objects.update(kind="newer")
        assert run() is False
        assert BulkJob.objects.get().status == "queued"


@pytest.mark.rule("enrollment.jobs.once")
class TestLease:
    def test_a_lease_that_has_run_out_is_taken_over_and_its_former_holder_stops(self, settings):
        settings.ENROLLMENT_JOB_CHUNK_ROWS = 2
        job_id = UUID(start(numbered(6)))
        slow = runner.claim_next()
        assert runner.claim_next() is None
        BulkJob.objects.update(lease_until=timezone.now())
        fast = runner.claim_next()
        runner.work(fast, until=0)
        for _ in range(2):
            with pytest.raises(runner.LeaseLost):
                runner.work(slow)
        assert written() == ["1", "2"]
        run()
        with pytest.raises(runner.LeaseLost):
            runner.work(slow)
        assert written() == ["1", "2", "3", "4", "5", "6"]
        assert len(result_of(job_id)) == 6
        assert [name.split("/")[1].split("-")[0] for name in stored()] == ["input.csv", "result"]

    def test_a_lease_that_has_run_out_is_still_good_while_nobody_else_wants_the_job(self):
        start(numbered(2))
        lease = runner.claim_next()
        BulkJob.objects.update(lease_until=timezone.now() - MINUTE)
        runner.work(lease)
        assert written() == ["1", "2"]

    @pytest.mark.parametrize("at", [1, 3, 5])
    def test_a_row_that_ends_every_worker_is_given_up_with_all_before_it_done(self, settings, monkeypatch, at):
        """What a kill leaves behind, without the kill; tests/enrollment/test_job_faults.py has that."""

        class Dead(BaseException):
            pass

        def die(pid, signal):
            raise Dead

        settings.ENROLLMENT_JOB_CHUNK_ROWS = 4
        monkeypatch.setattr("tests.enrollment.notes.os.kill", die)
        rows = "".join(f"{number},{'die' if number == at else ''}\n" for number in range(1, 7))
        job_id = UUID(start(f"text,do\n{rows}"))
        deaths = 0
        while (lease := runner.claim_next()) is not None:
            try:
                runner.work(lease)
            except Dead:
                deaths += 1
                BulkJob.objects.update(lease_until=timezone.now())
        assert deaths >= runner.MOST_ATTEMPTS
        job = api.get_job(job_id)
        assert (job["status"], job["position"]) == ("failed", at - 1)
        assert job["error"] == f"Row {at} was not applied in 8 attempts; the log says why."
        assert written() == [str(number) for number in range(1, at)]
        assert len(result_of(job_id)) == at - 1

    def test_what_is_away_puts_the_job_off(self, monkeypatch):
        job_id = UUID(start(numbered(1)))
        storage = storages["bulk_jobs"]
        with monkeypatch.context() as patch:
            patch.setattr(type(storage), "open", lambda *args, **options: (_ for _ in ()).throw(OSError))
            assert run() is False
        job = BulkJob.objects.get()
        assert (job.status, job.attempts, job.lease_holder) == ("running", 1, "")
        assert job.lease_until > timezone.now() + MINUTE
        assert run() is False
        assert written() == []
        BulkJob.objects.update(lease_until=timezone.now())
        run()
        assert api.get_job(job_id)["status"] == "finished"


@pytest.mark.rule("enrollment.jobs.serial")
class TestSerialKey:
    def test_jobs_of_one_key_run_one_after_the_other_in_their_order(self):
        first, second = start(numbered(1), serial_key="p"), start(numbered(1, first=2), serial_key="p")
        other, free = start(numbered(1, first=3), serial_key="q"), start(numbered(1, first=4))
        leases = [runner.claim_next() for _ in range(4)]
        assert [str(lease.job_id) for lease in leases if lease] == [first, other, free]
        # Also while nobody works on the first: it has begun.
        BulkJob.objects.filter(pk=first).update(lease_until=timezone.now() + MINUTE, lease_holder="gone")
        assert runner.claim_next() is None
        BulkJob.objects.filter(pk=first).update(lease_until=timezone.now())
        runner.work(runner.claim_next())
        assert str(runner.claim_next().job_id) == second

    def test_the_database_refuses_what_two_workers_begin_at_the_same_moment(self):
        first, second = start(numbered(1), serial_key="p"), start(numbered(1), serial_key="p")
        BulkJob.objects.filter(pk=second).update(running_key="p")  # as the other one's transaction is about to do
        assert runner.claim_next() is None
        assert BulkJob.objects.get(pk=first).status == "queued"

    def test_a_cancelled_job_lets_the_next_one_run(self):
        first, second = start(numbered(1), serial_key="p"), start(numbered(1, first=2), serial_key="p")
        api.cancel_job(UUID(first))
        assert str(runner.claim_next().job_id) == second


@pytest.mark.rule("enrollment.jobs.cancel")
class TestCancel:
    def test_a_job_that_waits_is_over_at_once(self):
        job_id = UUID(start(numbered(3)))
        assert api.cancel_job(job_id)["status"] == "cancelled"
        assert api.cancel_job(job_id)["status"] == "cancelled"
        run()
        assert written() == []
        assert result_of(job_id) == []

    def test_a_job_that_runs_ends_after_the_rows_that_it_is_at(self, settings):
        settings.ENROLLMENT_JOB_CHUNK_ROWS = 2
        job_id = UUID(start(numbered(6)))
        lease = runner.claim_next()
        runner.work(lease, until=0)
        assert api.cancel_job(job_id)["status"] == "running"
        run()
        job = api.get_job(job_id)
        assert (job["status"], job["position"], job["cancel_requested"]) == ("cancelled", 2, True)
        assert written() == ["1", "2"]
        assert len(result_of(job_id)) == 2

    def test_a_job_that_was_put_off_need_not_be_waited_for(self):
        job_id = UUID(start(numbered(1)))
        runner.claim_next()
        BulkJob.objects.update(lease_holder="", lease_until=timezone.now() + MINUTE)
        api.cancel_job(job_id)
        run()
        assert api.get_job(job_id)["status"] == "cancelled"

    def test_what_is_over_cannot_be_cancelled(self):
        job_id = UUID(start(numbered(1)))
        run()
        with pytest.raises(JobOver):
            api.cancel_job(job_id)

    def test_what_is_not_there_cannot_be_cancelled(self):
        with pytest.raises(JobNotFound):
            api.cancel_job(uuid4())


@pytest.mark.rule("enrollment.jobs.purge")
class TestPurge:
    @pytest.fixture
    def old(self):
        """Return a function that makes a job older than its files may become."""

        def old(job_id):
            BulkJob.objects.filter(pk=job_id).update(created=timezone.now() - timedelta(days=30))

        return old

    def test_files_are_deleted_after_thirty_days_and_the_job_stays(self, old):
        kept, gone = UUID(start(numbered(1))), UUID(start(numbered(1)))
        run()
        assert api.purge_jobs() == 0
        old(gone)
        assert api.purge_jobs() == 1
        assert {name.split("/")[0] for name in stored()} == {str(kept)}
        assert api.get_job(gone)["files_purged"]
        for ask in (api.open_result, api.open_input):
            with pytest.raises(JobFilePurged):
                ask(gone)
        assert api.purge_jobs() == 0
        assert len(result_of(kept)) == 1

    def test_what_was_never_done_is_not_done_any_more(self, old):
        waiting, begun, running = (UUID(start(numbered(2))) for _ in range(3))
        BulkJob.objects.filter(pk=begun).update(status="running")
        BulkJobResult.objects.create(job_id=begun, position=0, content="a name\n")
        BulkJob.objects.filter(pk=running).update(status="running", lease_until=timezone.now() + MINUTE)
        for job_id in waiting, begun, running:
            old(job_id)
        assert api.purge_jobs() == 2
        for job_id in waiting, begun:
            job = api.get_job(job_id)
            assert (job["status"], job["error"]) == ("failed", "The job was not done within 30 days.")
        assert api.get_job(running)["status"] == "running"
        assert not BulkJobResult.objects.exists()

    def test_files_without_a_job_are_deleted_after_a_day(self, monkeypatch):
        storage = storages["bulk_jobs"]
        storage.save(f"{uuid4()}/input.csv", BytesIO(b"text\n"))
        storage.save("something else/input.csv", BytesIO(b"text\n"))
        start(numbered(1))
        assert api.purge_jobs() == 0
        monkeypatch.setattr("enrollment.api.jobs.LEFT_BEHIND_AFTER", timedelta(0))
        assert api.purge_jobs() == 1
        assert len(stored()) == 2

    def test_what_a_killed_worker_left_beside_the_result_goes_with_it(self, old):
        job_id = UUID(start(numbered(1)))
        run()
        storages["bulk_jobs"].save(f"{job_id}/result-of-the-dead.csv", BytesIO(b"text\n"))
        old(job_id)
        api.purge_jobs()
        assert stored() == []


def test_a_lease_lasts_for_some_time(settings):
    start(numbered(1))
    settings.ENROLLMENT_JOB_LEASE_SECONDS = 0
    with pytest.raises(ImproperlyConfigured, match="ENROLLMENT_JOB_LEASE_SECONDS must be more than 0"):
        runner.claim_next()
    assert [message.id for message in check_job_settings()] == ["enrollment.E008"]


def test_jobs_are_listed_newest_first_with_constant_statements():
    ids = [start(numbered(1), created_by=UserFactory().pk) for _ in range(3)]
    with statements() as ran:
        assert [api.job_dict(job)["id"] for job in api.list_jobs()] == ids[::-1]
    assert len(ran) == 1


def test_figures_count_jobs():
    assert api.get_job_figures() == JobFigures(0, 0, 0.0, 0, 0, 0)
    finished, cancelled, failed, _queued, running = (start(numbered(1)) for _ in range(5))
    for job_id, status in (finished, "finished"), (cancelled, "cancelled"), (failed, "failed"):
        BulkJob.objects.filter(pk=job_id).update(status=status, finished_at=timezone.now())
    BulkJob.objects.filter(pk=running).update(status="running", created=timezone.now() - MINUTE)
    with statements() as ran:
        figures = api.get_job_figures()
    assert len(ran) == 2
    assert figures.oldest_unfinished_seconds >= 60
    assert figures == JobFigures(1, 1, figures.oldest_unfinished_seconds, 1, 1, 1)
