"""Applying the rows of jobs, by any number of workers of which any may be killed at any moment (docs/jobs.md).

A worker takes a lease on a job. Then it applies rows, some at a time, each time in one transaction that begins by
locking the job's row and finding its own lease there: the effects of the rows, what the result file will say of them,
and the position behind them commit together or not at all. So two workers that both believe they hold the lease apply
no row twice: the second one waits for the lock, finds another name on the lease, and stops.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from math import inf
from tempfile import TemporaryFile
from typing import IO
from uuid import UUID, uuid4

from attrs import frozen
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from coursecredit.transactions import retried_atomic
from enrollment.choices import JobStatus
from enrollment.conf import conf
from enrollment.errors import UnreadableJobFile
from enrollment.jobs import files, results
from enrollment.jobs.processors import Row, RowProcessor, RowResult, kinds, processor_of
from enrollment.jobs.reading import Place, open_rows
from enrollment.models import BulkJob, BulkJobResult

CANDIDATES = 20
CHUNK_BYTES = 4 * 2**20
CAREFUL_FROM = 3
"""From this attempt without progress on, rows are applied one by one, so that all before a fatal one are done."""
MOST_ATTEMPTS = 8
LONGEST_PAUSE = 3600  # seconds
MOST_CODES = 50
OTHER_CODES = "other"
INTERNAL_ERROR = RowResult(
    ok=False, code="internal_error", message="This row could not be applied; the log of the service says why."
)

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another worker has taken the job over, or it is over."""


class Cancelled(Exception):
    """Somebody wants the job to end."""


@frozen
class Lease:
    """The right to work on a job, as long as the job's row says so."""

    job_id: UUID
    holder: str


def run_due(limit: timedelta) -> bool:
    """Work on jobs, each in its turn, until there is nothing to do or the time is up.

    Args:
        limit: after which no more rows are begun.

    Returns:
        Whether there may be more to do.
    """
    until = time.monotonic() + limit.total_seconds()
    while time.monotonic() < until:
        lease = claim_next()
        if lease is None:
            return False
        try:
            work(lease, until=until)
        except LeaseLost:
            log.warning("Job %s was taken over by another worker.", lease.job_id)
        except Exception as exc:
            # Not the text: databases quote the values that they refuse.
            log.error("Job %s was interrupted (%s); it goes on later.", lease.job_id, type(exc).__name__)
            _put_off(lease)
    return True


def claim_next() -> Lease | None:
    """Take a lease on the job that has waited longest of those that nobody works on, or return None."""
    now = timezone.now()
    waiting = BulkJob.objects.free(now).filter(kind__in=kinds()).may_run().least_recent_first()
    for job_id in waiting.values_list("pk", flat=True)[:CANDIDATES]:
        lease = Lease(job_id, uuid4().hex)
        try:
            if _claim(lease):
                return lease
        except IntegrityError:  # a job with the same serial key has begun at this moment
            log.info("Job %s waits for another of its key.", job_id)
    return None


@retried_atomic
def _claim(lease: Lease) -> bool:
    now = timezone.now()
    free = BulkJob.objects.free(now).filter(pk=lease.job_id)
    if connection.features.has_select_for_update_skip_locked:
        free = free.select_for_update(skip_locked=True)
    job = free.first()
    if job is None:
        return False
    job.status = JobStatus.RUNNING
    job.running_key = job.serial_key or None
    job.started_at = job.started_at or now
    job.attempts += 1
    job.lease_holder, job.lease_until = lease.holder, now + conf.JOB_LEASE
    job.save(update_fields=["status", "running_key", "started_at", "attempts", "lease_holder", "lease_until"])
    return True


def work(lease: Lease, *, until: float = inf) -> None:
    """Apply the rows of a job from where it stands, and end it after the last one.

    Args:
        lease: from `claim_next`.
        until: moment of the monotonic clock after which it is left to the next worker.

    Raises:
        LeaseLost: another worker has it now.
    """
    job = BulkJob.objects.get(pk=lease.job_id)
    if job.attempts > MOST_ATTEMPTS:
        error = f"Row {job.position + 1} was not applied in {MOST_ATTEMPTS} attempts; the log says why."
        _finish(lease, JobStatus.FAILED, error)
        return
    try:
        with files.storage().open(job.input_name, "rb") as stream:
            is_done = _apply_rows(lease, job, stream, until)
    except Cancelled:
        _finish(lease, JobStatus.CANCELLED)
    except FileNotFoundError:
        _finish(lease, JobStatus.FAILED, "The file is not in the storage any more.")
    except UnreadableJobFile as exc:  # it could be read when it was accepted
        _finish(lease, JobStatus.FAILED, str(exc))
    else:
        if is_done:
            _finish(lease, JobStatus.FINISHED)
        else:
            _release(lease)


def _apply_rows(lease: Lease, job: BulkJob, stream: IO[bytes], until: float) -> bool:
    """Apply rows until the time is up; return whether all are done."""
    processor = processor_of(job.kind)
    file = open_rows(stream, job.input_format, processor.columns)
    place = (job.byte_position, job.line_position, job.position)
    rows = file.rows(after=place)
    one_by_one_to = inf if job.attempts >= CAREFUL_FROM else 0.0
    while chunk := _take(rows, place, 1 if place[2] < one_by_one_to else conf.JOB_CHUNK_ROWS):
        done, behind = chunk
        try:
            _apply(lease, done, place, behind, processor)
        except (LeaseLost, Cancelled, OperationalError, InterfaceError):
            raise
        except Exception as exc:
            if _position(lease) == behind[2]:
                log.error("After rows of job %s were applied, something failed (%s).", job.pk, type(exc).__name__)
            elif len(done) > 1:
                log.warning("Rows %s to %s of job %s are applied one by one.", place[2] + 1, behind[2], job.pk)
                one_by_one_to = behind[2]
                rows = file.rows(after=place)
                continue
            else:
                log.error("Row %s of job %s cannot be applied (%s).", behind[2], job.pk, type(exc).__name__)
                _apply(lease, done, place, behind, _Refusal(processor))
        place = behind
        if time.monotonic() >= until:
            return False
    if job.rows_total is not None and place[2] < job.rows_total:
        raise UnreadableJobFile(f"The file ends after {place[2]} rows; there were {job.rows_total}.")
    return True


def _take(rows: Iterator[tuple[Row, Place]], place: Place, count: int) -> tuple[list[Row], Place] | None:
    """Return the next rows with the place behind them: so many, or fewer if they are long; None after the last."""
    taken: list[Row] = []
    behind = place
    for row, behind in islice(rows, count):
        taken.append(row)
        if behind[0] - place[0] >= CHUNK_BYTES:
            break
    return (taken, behind) if taken else None


@retried_atomic
def _apply(lease: Lease, rows: Sequence[Row], place: Place, behind: Place, processor: RowProcessor) -> None:
    job = _held(lease)
    if job.cancel_requested:
        raise Cancelled
    if job.position != place[2]:
        raise LeaseLost
    outcomes = _process(job, rows, processor)
    content = results.lines(rows, outcomes, processor.result_columns)
    BulkJobResult.objects.create(job=job, position=job.position, content=content)
    failures = [outcome.code for outcome in outcomes if not outcome.ok]
    job.failure_counts = _counted(job.failure_counts, failures)
    job.rows_succeeded += len(outcomes) - len(failures)
    job.rows_failed += len(failures)
    job.byte_position, job.line_position, job.position = behind
    job.attempts = 0
    job.lease_until = timezone.now() + conf.JOB_LEASE
    job.save(
        update_fields=[
            *("failure_counts", "rows_succeeded", "rows_failed", "byte_position", "line_position", "position"),
            *("attempts", "lease_until"),
        ]
    )


def _held(lease: Lease) -> BulkJob:
    """Return the job's row, locked, if the lease still stands there."""
    mine = BulkJob.objects.select_for_update().filter(lease_holder=lease.holder, status=JobStatus.RUNNING)
    job: BulkJob | None = mine.filter(pk=lease.job_id).first()
    if job is None:
        raise LeaseLost
    return job


def _process(job: BulkJob, rows: Sequence[Row], processor: RowProcessor) -> list[RowResult]:
    with transaction.atomic():
        outcomes = processor.process(
            rows, parameters=job.parameters, requested_by=job.created_by_id, dry_run=job.dry_run
        )
        if job.dry_run:
            transaction.set_rollback(True)
    if len(outcomes) != len(rows):
        raise ValueError(f"The processor of {job.kind} has {len(outcomes)} results for {len(rows)} rows.")
    return outcomes


@frozen
class _Refusal:
    """Stands in for a processor at a row that it fails at."""

    refused: RowProcessor

    @property
    def columns(self) -> Sequence[str]:
        return tuple(self.refused.columns)

    @property
    def result_columns(self) -> Sequence[str]:
        return self.refused.result_columns

    def check(self, *args: object) -> None:
        """Accept what was accepted."""

    def process(self, rows: Sequence[Row], **kwargs: object) -> list[RowResult]:
        return [INTERNAL_ERROR] * len(rows)


def _counted(counts: dict[str, int], codes: Sequence[str]) -> dict[str, int]:
    """Add to the rows that failed, by code; codes beyond `MOST_CODES` are counted together."""
    sums = Counter(counts)
    for code, count in Counter(codes).items():
        sums[code if code in sums or len(sums) < MOST_CODES else OTHER_CODES] += count
    return dict(sorted(sums.items()))


def _position(lease: Lease) -> int:
    return int(BulkJob.objects.filter(pk=lease.job_id).values_list("position", flat=True).get())


def _finish(lease: Lease, status: JobStatus, error: str = "") -> None:
    """End the job: write its result file from what is committed, then forget the parts of it."""
    _extend(lease)
    name = _write_result(lease)
    try:
        _settle(lease, status, error, name)
    except LeaseLost:
        files.delete(name)
        raise
    log.info("Job %s is over: %s.", lease.job_id, status)


def _write_result(lease: Lease) -> str:
    job = BulkJob.objects.get(pk=lease.job_id)
    with TemporaryFile() as out:
        out.write(results.header(processor_of(job.kind).result_columns).encode())
        for content in job.parts.order_by("position").values_list("content", flat=True).iterator(chunk_size=10):
            out.write(content.encode())
        # A name of its own: until one of them is noted, a former worker may be writing too.
        return files.store(job.pk, f"result-{lease.holder}.csv", out)


@retried_atomic
def _settle(lease: Lease, status: JobStatus, error: str, result_name: str) -> None:
    job = _held(lease)
    job.status, job.error, job.result_name = status, error, result_name
    job.finished_at = timezone.now()
    job.running_key, job.lease_holder, job.lease_until = None, "", None
    job.save(
        update_fields=["status", "error", "result_name", "finished_at", "running_key", "lease_holder", "lease_until"]
    )
    job.parts.all().delete()


def _extend(lease: Lease) -> None:
    _keep(lease, lease_until=timezone.now() + conf.JOB_LEASE)


def _release(lease: Lease) -> None:
    """Let the next worker have the job at once."""
    _keep(lease, lease_holder="", lease_until=None)


def _put_off(lease: Lease) -> None:
    """Let nobody have the job for a while, longer each time, because something it needs is away."""
    try:
        [attempts] = BulkJob.objects.filter(pk=lease.job_id).values_list("attempts", flat=True)
        pause = min(conf.JOB_LEASE.total_seconds() * 2 ** min(attempts, 20), LONGEST_PAUSE)
        _keep(lease, lease_holder="", lease_until=timezone.now() + timedelta(seconds=pause))
    except Exception as exc:  # then it is free once the lease has run out
        log.warning("Job %s keeps its lease (%s).", lease.job_id, type(exc).__name__)


def _keep(lease: Lease, **values: object) -> None:
    BulkJob.objects.filter(pk=lease.job_id, lease_holder=lease.holder).update(modified=timezone.now(), **values)
