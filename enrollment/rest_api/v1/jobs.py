"""Jobs on large files, for staff: start, watch, end, and what became of each row (docs/jobs.md)."""

import json
from collections.abc import Mapping
from typing import IO, Any, cast
from uuid import UUID

from attrs import frozen
from django.http import FileResponse
from django.urls import reverse
from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from coursecredit.parsers import refuse_unstorable
from enrollment import api
from enrollment.choices import JobFormat, JobStatus
from enrollment.conf import conf
from enrollment.errors import JobFileTooLarge, JobNotFound
from enrollment.rest_api.base import EnrollmentApiView
from enrollment.rest_api.pagination import NumberedPages
from enrollment.rest_api.permissions import IsGlobalStaff
from enrollment.rest_api.refusals import FileMissing, MalformedField
from enrollment.rest_api.uploads import UPLOAD_PARSERS, announced_length
from enrollment.types import JobDict

ROOM_FOR_FIELDS = 2**20  # bytes of a multipart form beside its file
LONGEST_PARAMETERS = 16 * 1024
JSON_LINES_NAMES = (".jsonl", ".ndjson")
FLAGS = {"true": True, "false": False, "": False}
OVER = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.CANCELLED)


class JobView(EnrollmentApiView):
    """What the endpoints for jobs share: they are for staff of the whole site."""

    permission_classes: Any = (IsGlobalStaff,)

    def described(self, request: Request, job: JobDict) -> dict[str, Any]:
        """Return a job with addresses of what can be done with it."""
        has_result = job["status"] in OVER and not job["files_purged"]
        return {
            **job,
            "links": {
                "self": self._address(request, "job", job),
                "cancel": None if job["status"] in OVER else self._address(request, "job_cancel", job),
                "result": self._address(request, "job_result", job) if has_result else None,
            },
        }

    def _address(self, request: Request, name: str, job: JobDict) -> str:
        namespace = request.resolver_match.namespace if request.resolver_match else ""
        path = reverse(f"{namespace}:{name}" if namespace else name, args=[job["id"]])
        return request.build_absolute_uri(f"{path}/")


class JobListView(JobView):
    """All jobs, newest first, and the way to start one."""

    parser_classes: Any = UPLOAD_PARSERS

    def get(self, request: Request) -> Response:
        pages = NumberedPages()
        jobs = pages.paginate_queryset(api.list_jobs(), request, view=self) or []
        return pages.get_paginated_response([self.described(request, api.job_dict(job)) for job in jobs])

    def post(self, request: Request) -> Response:
        most = conf.JOB_MAX_BYTES
        if announced_length(request) > most + ROOM_FOR_FIELDS:  # before it is read
            raise JobFileTooLarge(f"A file has at most {most / 2**20:g} MB; split it.")
        upload = Upload.of(request)
        job = api.start_job(
            upload.kind,
            upload.stream,
            input_format=upload.input_format,
            parameters=upload.parameters,
            dry_run=upload.dry_run,
            created_by=request.user.pk,
        )
        described = self.described(request, job)
        headers = {"Location": described["links"]["self"]}
        return Response(described, status=status.HTTP_202_ACCEPTED, headers=headers)


class JobDetailView(JobView):
    """One job, and how far it is."""

    def get(self, request: Request, job_id: str) -> Response:
        return Response(self.described(request, api.get_job(job_id_in(job_id))))


class JobCancelView(JobView):
    """The end of a job; what it has applied stays."""

    def post(self, request: Request, job_id: str) -> Response:
        return Response(self.described(request, api.cancel_job(job_id_in(job_id))))


class CsvOrJsonRenderer(JSONRenderer):
    """Lets callers ask for CSV. What is rendered are errors only."""

    media_type = "text/csv"
    format = "csv"


class JobResultView(JobView):
    """What became of each row, as a file."""

    renderer_classes: Any = (JSONRenderer, CsvOrJsonRenderer)

    def get(self, request: Request, job_id: str) -> FileResponse:
        found = job_id_in(job_id)
        return FileResponse(
            api.open_result(found),
            as_attachment=True,
            filename=f"job-{found}.csv",
            content_type="text/csv; charset=utf-8",
        )

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if isinstance(response, Response):  # an error is told in JSON, also to those who asked for CSV
            response.accepted_renderer, response.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return response


@frozen
class Upload:
    """A file that has arrived, and what is wanted with it."""

    kind: str
    stream: IO[bytes]
    input_format: str
    parameters: Mapping[str, Any]
    dry_run: bool

    @classmethod
    def of(cls, request: Request) -> "Upload":
        """Read a request: a multipart form with the file in `file`, or the file as body and the fields in the query."""
        fields = cast(Mapping[str, Any], request.data)  # no parser here makes anything else
        file: Any = request.FILES.get("file")
        if file is None:
            raise FileMissing
        is_json_lines = str(file.name).lower().endswith(JSON_LINES_NAMES)
        return cls(
            kind=str(fields.get("kind", "")),
            stream=file,
            input_format=str(fields.get("format") or (JobFormat.JSON_LINES if is_json_lines else JobFormat.CSV)),
            parameters=_parameters_in(fields),
            dry_run=_flag_in(fields, "dry_run"),
        )


def _parameters_in(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    text = str(fields.get("parameters") or "{}")
    if len(text) > LONGEST_PARAMETERS:
        raise MalformedField(f"`parameters` has at most {LONGEST_PARAMETERS} characters.")
    try:
        parameters = json.loads(text)
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict):
        raise MalformedField("`parameters` must be a JSON object.")
    refuse_unstorable(parameters)
    return parameters


def _flag_in(fields: Mapping[str, Any], name: str) -> bool:
    text = str(fields.get(name, "")).lower()
    if text not in FLAGS:
        raise MalformedField(f"`{name}` must be true or false.")
    return FLAGS[text]


def job_id_in(text: str) -> UUID:
    """Return the id of a job that an address names.

    Raises:
        JobNotFound: no job can have it.
    """
    try:
        return UUID(text)
    except ValueError as exc:
        raise JobNotFound from exc
