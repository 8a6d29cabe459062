"""Jobs on large files."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from enrollment.choices import JobFormat, JobStatus
from enrollment.openapi.parts import operation

LINKS = inline_serializer(
    "JobLinks",
    {
        "self": serializers.URLField(),
        "cancel": serializers.URLField(allow_null=True, help_text="Null once the job is over."),
        "result": serializers.URLField(
            allow_null=True, help_text="Null until it is, and after its files were deleted."
        ),
    },
)
JOB = inline_serializer(
    "Job",
    {
        "id": serializers.UUIDField(),
        "kind": serializers.CharField(),
        "status": serializers.ChoiceField(JobStatus.values),
        "dry_run": serializers.BooleanField(),
        "parameters": serializers.DictField(child=serializers.JSONField(allow_null=True)),
        "input_format": serializers.ChoiceField(JobFormat.values),
        "created_by": serializers.CharField(allow_null=True, help_text="A username."),
        "created": serializers.DateTimeField(),
        "started_at": serializers.DateTimeField(allow_null=True),
        "finished_at": serializers.DateTimeField(allow_null=True),
        "cancel_requested": serializers.BooleanField(),
        "position": serializers.IntegerField(help_text="Rows done."),
        "rows_total": serializers.IntegerField(allow_null=True),
        "progress": serializers.FloatField(help_text="From 0 to 1."),
        "rows_succeeded": serializers.IntegerField(),
        "rows_failed": serializers.IntegerField(),
        "failures": serializers.DictField(child=serializers.IntegerField(), help_text="Rows that failed, by code."),
        "error": serializers.CharField(help_text="Why the job as a whole failed; empty if it did not."),
        "files_purged": serializers.BooleanField(),
        "links": LINKS,
    },
)
PAGE = inline_serializer(
    "JobPage",
    {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "count": serializers.IntegerField(),
        "num_pages": serializers.IntegerField(),
        "current_page": serializers.IntegerField(),
        "start": serializers.IntegerField(),
        "results": serializers.ListField(child=JOB),
    },
)
FORM = inline_serializer(
    "JobForm",
    {
        "file": serializers.FileField(help_text="At most 100 MB and 500,000 rows, in UTF-8."),
        "kind": serializers.CharField(help_text="What is done with the rows, such as `enrollments`."),
        "format": serializers.CharField(
            required=False,
            help_text="`csv` or `jsonl`; without it, the file's name decides: .jsonl and .ndjson, or CSV.",
        ),
        "dry_run": serializers.BooleanField(required=False, help_text="Only say what would happen."),
        "parameters": serializers.CharField(required=False, help_text="A JSON object for this kind of job."),
    },
)
JOB_ID = OpenApiParameter("job_id", OpenApiTypes.UUID, OpenApiParameter.PATH)
IN_THE_QUERY = "Where the body is the file itself."

OPERATIONS: dict[str, dict[str, Any]] = {
    "v1.jobs.JobListView": {
        "get": operation(
            "List jobs on large files",
            {200: OpenApiResponse(PAGE, "Newest first.")},
            (400, 401, 403, 404),
            operation_id="enrollment_v1_jobs_list",
            parameters=[
                OpenApiParameter("page", OpenApiTypes.INT),
                OpenApiParameter("page_size", OpenApiTypes.INT, description="10 without it, 100 at most."),
            ],
        ),
        "post": operation(
            "Start a job on a large file",
            {202: OpenApiResponse(JOB, "The job, at the address that `Location` names. A worker begins soon.")},
            (400, 401, 403, 413, 415),
            operation_id="enrollment_v1_jobs_create",
            request={
                "multipart/form-data": FORM,
                "text/csv": OpenApiTypes.BINARY,
                "application/jsonl": OpenApiTypes.BINARY,
                "application/x-ndjson": OpenApiTypes.BINARY,
            },
            parameters=[
                OpenApiParameter("kind", OpenApiTypes.STR, description=IN_THE_QUERY),
                OpenApiParameter("dry_run", OpenApiTypes.BOOL, description=IN_THE_QUERY),
                OpenApiParameter("parameters", OpenApiTypes.STR, description=f"A JSON object. {IN_THE_QUERY}"),
                OpenApiParameter("Location", OpenApiTypes.URI, OpenApiParameter.HEADER, response=[202]),
            ],
        ),
    },
    "v1.jobs.JobDetailView": {
        "get": operation(
            "Show a job",
            {200: JOB},
            (400, 401, 403, 404),
            operation_id="enrollment_v1_jobs_retrieve",
            parameters=[JOB_ID],
        )
    },
    "v1.jobs.JobCancelView": {
        "post": operation(
            "End a job",
            {200: OpenApiResponse(JOB, "It ends after the rows that it is at; what it has applied stays.")},
            (400, 401, 403, 404, 409, 415),
            operation_id="enrollment_v1_jobs_cancel",
            parameters=[JOB_ID],
            request=None,
        )
    },
    "v1.jobs.JobResultView": {
        "get": operation(
            "Download what became of each row",
            {
                (200, "text/csv"): OpenApiResponse(
                    OpenApiTypes.STR,
                    "`row`, `line`, `status` (`ok` or `failed`), `code`, `message`, and columns of this kind of job. "
                    "What a spreadsheet would take for a formula has an apostrophe in front.",
                )
            },
            (400, 401, 403, 404, 409),
            operation_id="enrollment_v1_jobs_result",
            parameters=[JOB_ID],
        )
    },
}
