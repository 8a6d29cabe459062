"""Jobs on large files: staff send a file, watch it being applied, end it, and fetch what became of each row."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from functools import partial
from typing import IO, Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coursecredit.admin import ReadOnlyAdmin
from coursecredit.admin.pages import ManyRows, may, may_view
from coursecredit.errors import DomainError
from enrollment import api, jobs
from enrollment.admin.parts import user_id
from enrollment.choices import JobFormat, JobStatus
from enrollment.conf import conf
from enrollment.models import BulkJob

PIECE = 64 * 1024  # bytes
REFRESH = 3  # seconds
UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)
MEGABYTE = 2**20


class StartForm(forms.Form):
    """A file, and what is to be done with its rows."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), help_text=gettext_lazy("What is done with the rows."))
    file = forms.FileField(label=gettext_lazy("File"), widget=forms.FileInput(attrs={"accept": ".csv,.jsonl,.ndjson"}))
    parameters = forms.JSONField(
        label=gettext_lazy("Parameters"),
        required=False,
        initial=dict,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text=gettext_lazy("For all rows: a JSON object with what this kind of job understands, or an empty one."),
    )
    dry_run = forms.BooleanField(label=gettext_lazy("Only say what would happen, change nothing"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind, kind) for kind in jobs.kinds()]  # type: ignore[attr-defined]  # a choice field has them

    def clean_parameters(self) -> dict[str, Any]:
        parameters = self.cleaned_data["parameters"]
        if parameters is None:
            return {}
        if not isinstance(parameters, dict):
            raise forms.ValidationError(_("Enter a JSON object."))
        return parameters

    def start(self, created_by: int) -> UUID | None:
        """Start the job and return its id; None, with an error at the file, if it is refused."""
        file = self.cleaned_data["file"]
        is_json_lines = file.name.lower().endswith((".jsonl", ".ndjson"))
        try:
            job = api.start_job(
                self.cleaned_data["kind"],
                file,
                input_format=JobFormat.JSON_LINES if is_json_lines else JobFormat.CSV,
                parameters=self.cleaned_data["parameters"],
                dry_run=self.cleaned_data["dry_run"],
                created_by=created_by,
            )
        except DomainError as exc:
            self.add_error("file", str(exc))
            return None
        return UUID(job["id"])


@admin.register(BulkJob)
class BulkJobAdmin(ManyRows, ReadOnlyAdmin):
    """Jobs are started here, and change by being worked on."""

    list_display = ["kind", "created", "started_by", "status", "done", "rows_failed"]
    list_display_links = ["kind", "created"]
    list_filter = ["status", "dry_run"]
    ordering = ["-created", "-pk"]
    shown_rows = ("created_by",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, "add", BulkJob)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_view(request, BulkJob)

    @admin.display(description=gettext_lazy("Started by"))
    def started_by(self, obj: BulkJob) -> str:
        return obj.created_by.get_username() if obj.created_by else ""

    @admin.display(description=gettext_lazy("Rows done"))
    def done(self, obj: BulkJob) -> str:
        return f"{obj.position} / {obj.rows_total}"

    def get_urls(self) -> list[URLPattern]:
        def page(address: str, view: Any) -> URLPattern:
            name = f"enrollment_bulkjob_{address}"
            pattern: URLPattern = path(f"<uuid:job_id>/{address}/", self.admin_site.admin_view(view), name=name)
            return pattern

        return [
            page("cancel", self.cancel_view),
            page("result", self.result_view),
            page("input", self.input_view),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a file, and start a job on it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = StartForm(request.POST, request.FILES) if request.method == "POST" else StartForm()
        job_id = form.start(user_id(request)) if form.is_valid() else None
        if job_id is not None:
            self.log_addition(request, BulkJob(pk=job_id), "")
            return self._show(job_id)
        context = {
            "title": _("Start a job on a large file"),
            "form": form,
            "media": self.media + form.media,
            "most_rows": conf.JOB_MAX_ROWS,
            "most_megabytes": conf.JOB_MAX_BYTES // MEGABYTE,
            "kinds": [(kind, jobs.processor_of(kind).columns) for kind in jobs.kinds()],
        }
        return self._page(request, "start", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show how far a job is, anew every few seconds until it is over or somebody wants to read in peace."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        is_unfinished = row.status in UNFINISHED
        is_watched = is_unfinished and request.GET.get("watch") != "0"
        context = {
            "title": _("Job %(id)s") % {"id": row.pk},
            "row": row,
            "job": api.job_dict(row),
            "percent": int(100 * row.position / row.rows_total) if row.rows_total else 0,
            "is_unfinished": is_unfinished,
            "is_watched": is_watched,
            "may_cancel": is_unfinished and not row.cancel_requested and may(request, "change", BulkJob),
        }
        response = self._page(request, "watch", context)
        if is_watched:
            response["Refresh"] = str(REFRESH)
        return response

    def cancel_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """End a job."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not may(request, "change", BulkJob):
            raise PermissionDenied
        try:
            api.cancel_job(job_id)
        except DomainError as exc:
            self.message_user(request, str(exc), messages.WARNING)
        else:
            self.log_change(request, BulkJob(pk=job_id), [{"changed": {"fields": ["cancel_requested"]}}])
        return self._show(job_id)

    def result_view(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        """Send what became of each row."""
        file = self._opened(request, partial(api.open_result, job_id))
        if isinstance(file, HttpResponse):
            return file
        response = StreamingHttpResponse(_for_spreadsheets(file), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="job-{job_id}.csv"'
        return response

    def input_view(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        """Send the file back as it came."""
        opened = self._opened(request, partial(api.open_input, job_id))
        if isinstance(opened, HttpResponse):
            return opened
        file, input_format = opened
        return FileResponse(file, as_attachment=True, filename=f"job-{job_id}-input.{input_format}")

    def _opened(self, request: HttpRequest, open_file: Any) -> Any:
        """Return an open file, or the page that says why there is none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return open_file()
        except DomainError as exc:
            self.message_user(request, str(exc), messages.WARNING)
            return HttpResponseRedirect(
                reverse("admin:enrollment_bulkjob_changelist", current_app=self.admin_site.name)
            )

    def _show(self, job_id: UUID) -> HttpResponseRedirect:
        address = reverse("admin:enrollment_bulkjob_change", args=[job_id], current_app=self.admin_site.name)
        return HttpResponseRedirect(address)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> TemplateResponse:
        request.current_app = self.admin_site.name  # as Django's own pages do
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/enrollment/bulkjob/{name}.html", whole)


def _for_spreadsheets(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file with the mark by which spreadsheet programs know UTF-8."""
    with file:
        yield BOM_UTF8
        while piece := file.read(PIECE):
            yield piece
