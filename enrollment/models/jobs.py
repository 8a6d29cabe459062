"""Work on large files."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from enrollment.choices import JobFormat, JobStatus
from enrollment.querysets import BulkJobQuerySet


class BulkJob(TimeStampedModel):
    """A file whose rows are applied one after the other, by whichever worker holds the lease.

    The effect of rows, their results and `position` commit together, so a killed worker's job goes on where it
    stopped. The file may hold personal data: it lives in the storage `bulk_jobs`, and is purged.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=64, help_text=_("Name under which an app registered the row processor."))
    parameters = models.JSONField(default=dict, blank=True, help_text=_("Given to the row processor with every row."))
    serial_key = models.CharField(
        max_length=255, blank=True, db_index=True, help_text=_("Jobs with the same key never run at the same time.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="bulk_jobs"
    )
    dry_run = models.BooleanField(default=False)

    input_name = models.CharField(max_length=255, help_text=_("Name of the input in the storage."))
    input_format = models.CharField(max_length=16, choices=JobFormat.choices)
    input_size = models.BigIntegerField(default=0, help_text=_("Bytes."))
    result_name = models.CharField(max_length=255, blank=True, help_text=_("Name of the result in the storage."))

    status = models.CharField(max_length=16, choices=JobStatus.choices, default=JobStatus.QUEUED)
    position = models.BigIntegerField(default=0, help_text=_("Rows done."))
    byte_position = models.BigIntegerField(default=0, help_text=_("Where in the input the next row starts."))
    line_position = models.BigIntegerField(default=0, help_text=_("Lines of the input before the next row."))
    rows_total = models.BigIntegerField(null=True, blank=True, help_text=_("Rows in the input, once known."))
    rows_succeeded = models.BigIntegerField(default=0)
    rows_failed = models.BigIntegerField(default=0)
    failure_counts = models.JSONField(default=dict, blank=True, help_text=_("Rows that failed, by code."))
    error = models.TextField(blank=True, help_text=_("Why the job as a whole failed."))
    cancel_requested = models.BooleanField(default=False)

    running_key = models.CharField(
        max_length=255, null=True, blank=True, unique=True, editable=False, help_text=_("The serial key while it runs.")
    )
    attempts = models.PositiveIntegerField(default=0, help_text=_("How often it was taken up since rows were done."))
    lease_holder = models.CharField(max_length=255, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True, help_text=_("When its files were deleted."))

    objects = BulkJobQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["status", "created"], name="enrollment_job_queue")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}: {self.status}"


class BulkJobResult(models.Model):
    """What became of some rows of a job that is not over yet: a part of its result file, as it will stand there.

    A file cannot commit together with the rows' effects, but this can. Once the job is over, its parts are written to
    one file in the storage, in their order, and deleted.
    """

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="parts")
    position = models.BigIntegerField(help_text=_("Rows before the first of these."))
    content = models.TextField()

    class Meta:
        constraints = [
            # A second worker that applied the same rows would fail here, and its transaction with it.
            models.UniqueConstraint(fields=["job", "position"], name="enrollment_job_part_once")
        ]

    def __str__(self) -> str:
        return f"{self.job_id} from {self.position}"
