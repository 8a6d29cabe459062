"""Jobs on large files: starting, watching, ending and forgetting them (docs/jobs.md)."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from coursecredit.transactions import retried_atomic
from enrollment.choices import JobFormat, JobStatus
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
from enrollment.jobs import RowProcessor, files, processor_of, results
from enrollment.jobs.reading import open_rows
from enrollment.models import BulkJob, BulkJobResult
from enrollment.signals import BULK_JOB_STARTED
from enrollment.types import JobDict, JobFigures

LONGEST_SERIAL_KEY = 255
PIECE = 64 * 1024  # bytes
MEGABYTE = 2**20
PURGED_AT_ONCE = 500
LEFT_BEHIND_AFTER = timedelta(days=1)
"""By then a file has a row that knows it, or never will."""

log = logging.getLogger(__name__)


def start_job(
    kind: str,
    stream: IO[bytes],
    *,
    input_format: str,
    parameters: Mapping[str, Any] | None = None,
    created_by: int | None = None,
    dry_run: bool = False,
    serial_key: str = "",
) -> JobDict:
    """Accept a file whose rows are to be applied, and return the job that will do so.

    The whole file is read before anything is stored: what is wrong with it as a whole is told at once, and it is never
    in memory. Each call makes a job of its own, also for the same file. A worker begins after the commit.

    Args:
        kind: under which an app registered what applies the rows.
        stream: the file, read to its end from where it stands.
        input_format: a `JobFormat`.
        parameters: for the processor; what JSON can say.
        created_by: primary key of the account that wants it.
        dry_run: whether the result file only says what would happen.
        serial_key: jobs with the same key run one after the other, in the order in which they were started; without
            one a job waits for none.

    Raises:
        UnknownJobKind, InvalidJob: kind or parameters, or a column that is missing.
        UnreadableJobFile: the file is empty, not in UTF-8, no CSV, …; the text names the line.
        JobFileTooLarge: more bytes or rows than the settings allow.
    """
    if input_format not in JobFormat.values:
        raise InvalidJob(f"The format is one of: {', '.join(JobFormat.values)}.")
    if len(serial_key) > LONGEST_SERIAL_KEY:
        raise InvalidJob("The serial key is too long.")
    processor = processor_of(kind)
    job = BulkJob(
        id=uuid4(),
        kind=kind,
        parameters=dict(parameters or {}),
        serial_key=serial_key,
        created_by_id=created_by,
        dry_run=dry_run,
        input_format=input_format,
    )
    with TemporaryFile() as file:
        job.input_size = _copy(stream, file)
        job.rows_total = _check(file, input_format, processor, job.parameters)
        job.input_name = files.store(job.id, f"input.{input_format}", file)
    try:
        with transaction.atomic():
            job.save(force_insert=True)
            transaction.on_commit(partial(BULK_JOB_STARTED.send_robust, sender=None, job_id=job.id), robust=True)
    except Exception:
        with suppress(Exception):  # what remains, the purge finds
            files.delete(job.input_name)
        raise
    log.info("Job %s (%s) was started, with %s rows.", job.id, kind, job.rows_total)
    return job_dict(job)


def _copy(stream: IO[bytes], file: IO[bytes]) -> int:
    """Copy a stream into a file on disk, and return its size."""
    size, most = 0, conf.JOB_MAX_BYTES
    while piece := stream.read(PIECE):
        size += len(piece)
        if size > most:
            raise JobFileTooLarge(f"A file has at most {most / MEGABYTE:g} MB; split it.")
        file.write(piece)
    return size


def _check(file: IO[bytes], input_format: str, processor: RowProcessor, parameters: Mapping[str, Any]) -> int:
    """Read a whole file, refuse what is wrong with it, and return how many rows it has."""
    rows = open_rows(file, input_format, processor.columns)
    processor.check(parameters, rows.columns)
    count, most = 0, conf.JOB_MAX_ROWS
    for row, _place in rows.rows():
        count = row.number
        if count > most:
            raise JobFileTooLarge(f"A file has at most {most} rows; split it.")
    if not count:
        raise UnreadableJobFile("There are no rows in this file.")
    return count


def get_job(job_id: UUID) -> JobDict:
    """Return a job and how far it is.

    Raises:
        JobNotFound
    """
    return job_dict(_find(job_id))


def list_jobs() -> QuerySet[BulkJob]:
    """Return all jobs, newest first, as rows for the caller to page and pass through `job_dict`."""
    return BulkJob.objects.newest_first().select_related("created_by")


def job_dict(job: BulkJob) -> JobDict:
    """Return a job as others see it."""
    return JobDict(
        id=str(job.pk),
        kind=job.kind,
        status=job.status,
        dry_run=job.dry_run,
        parameters=job.parameters,
        input_format=job.input_format,
        created_by=job.created_by.get_username() if job.created_by else None,
        created=job.created,
        started_at=job.started_at,
        finished_at=job.finished_at,
        cancel_requested=job.cancel_requested,
        position=job.position,
        rows_total=job.rows_total,
        progress=_progress(job),
        rows_succeeded=job.rows_succeeded,
        rows_failed=job.rows_failed,
        failures=job.failure_counts,
        error=job.error,
        files_purged=job.purged_at is not None,
    )


def _progress(job: BulkJob) -> float:
    return round(job.position / job.rows_total, 4) if job.rows_total else 0.0


@retried_atomic
def cancel_job(job_id: UUID) -> JobDict:
    """End a job: at once if no worker has begun, else after the rows that it is at. What is applied stays so.

    A second time changes nothing.

    Raises:
        JobNotFound
        JobOver: it has finished, or failed.
    """
    job = _find(job_id, lock=True)
    if job.status in (JobStatus.FINISHED, JobStatus.FAILED):
        raise JobOver
    if job.status == JobStatus.QUEUED:
        job.status, job.finished_at = JobStatus.CANCELLED, timezone.now()
    if job.status == JobStatus.RUNNING and not job.lease_holder:
        job.lease_until = None  # it was put off; the next worker ends it
    job.cancel_requested = True
    job.save(update_fields=["status", "finished_at", "cancel_requested", "lease_until"])
    return job_dict(job)


def open_result(job_id: UUID) -> IO[bytes]:
    """Return the result file of a job that is over, open for reading: CSV in UTF-8, one line per row that was done.

    Raises:
        JobNotFound
        JobNotOver: it waits or runs.
        JobFilePurged: it was too old.
    """
    job = _find(job_id)
    if job.status in (JobStatus.QUEUED, JobStatus.RUNNING):
        raise JobNotOver
    if job.result_name or job.purged_at:
        return _open(job, job.result_name)
    result_columns: tuple[str, ...] = ()
    with suppress(UnknownJobKind):
        result_columns = tuple(processor_of(job.kind).result_columns)
    return BytesIO(results.header(result_columns).encode())  # it was cancelled before its first row


def open_input(job_id: UUID) -> tuple[IO[bytes], str]:
    """Return the file of a job, open for reading, and its `JobFormat`.

    Raises:
        JobNotFound
        JobFilePurged: it was too old.
    """
    job = _find(job_id)
    return _open(job, job.input_name), job.input_format


def _open(job: BulkJob, name: str) -> IO[bytes]:
    if job.purged_at is not None:
        raise JobFilePurged
    try:
        return files.storage().open(name, "rb")
    except FileNotFoundError as exc:
        raise JobFilePurged from exc


def purge_jobs() -> int:
    """Delete the files of old jobs, and files that belong to none; return for how many jobs.

    A job that has waited for so long is not done any more. The rows of jobs stay; they name nobody but who started it.
    """
    now = timezone.now()
    count = 0
    for job_id in BulkJob.objects.with_files_of(now - conf.JOB_RETENTION).values_list("pk", flat=True)[:PURGED_AT_ONCE]:
        count += _purge(job_id)
    for job_id in files.left_behind(now - LEFT_BEHIND_AFTER):
        if not BulkJob.objects.filter(pk=job_id, purged_at=None).exists():
            files.delete_all(job_id)
            count += 1
    return count


@retried_atomic
def _purge(job_id: UUID) -> bool:
    now = timezone.now()
    job = BulkJob.objects.select_for_update().filter(pk=job_id, purged_at=None).first()
    if job is None or (job.lease_until and job.lease_until > now):
        return False
    if job.status in (JobStatus.QUEUED, JobStatus.RUNNING):
        job.status, job.finished_at = JobStatus.FAILED, now
        job.error = f"The job was not done within {conf.JOB_RETENTION.days} days."
        job.running_key = None
    job.purged_at = now
    job.save(update_fields=["status", "finished_at", "error", "running_key", "purged_at"])
    BulkJobResult.objects.filter(job=job).delete()
    files.delete_all(job.pk, job.input_name, job.result_name)  # before the commit: what is noted as deleted is deleted
    return True


def get_job_figures() -> JobFigures:
    """Return how jobs are doing, for monitoring: one statement for those that are not over, one for the others."""
    now = timezone.now()
    waiting = BulkJob.objects.unfinished().values("status").annotate(count=Count("pk"), oldest=Min("created"))
    found = {row["status"]: row for row in waiting}
    oldest = min((row["oldest"] for row in found.values()), default=now)
    ended = BulkJob.objects.over().filter(finished_at__gte=now - timedelta(days=1)).values("status")
    counts = {row["status"]: row["count"] for row in ended.annotate(count=Count("pk"))}
    return JobFigures(
        queued=found.get(JobStatus.QUEUED, {}).get("count", 0),
        running=found.get(JobStatus.RUNNING, {}).get("count", 0),
        oldest_unfinished_seconds=max(0.0, (now - oldest).total_seconds()),
        finished_last_day=counts.get(JobStatus.FINISHED, 0),
        cancelled_last_day=counts.get(JobStatus.CANCELLED, 0),
        failed_last_day=counts.get(JobStatus.FAILED, 0),
    )


def _find(job_id: UUID, *, lock: bool = False) -> BulkJob:
    rows = BulkJob.objects.select_for_update() if lock else BulkJob.objects.select_related("created_by")
    job: BulkJob | None = rows.filter(pk=job_id).first()
    if job is None:
        raise JobNotFound
    return job
