"""CSV files of rows: all rows of a file, or none.

A file is read at once and applied in one transaction. Whatever is wrong with it is told with the line it is in. Files
come back as they went out: what a spreadsheet would take for a formula goes out behind an apostrophe.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import tablib
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import resources, results, widgets
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV
from import_export.forms import ImportForm

from coursecredit.admin.pages import may, may_view
from coursecredit.spreadsheets import as_written, harmless

MOST_BYTES = 2 * 1024 * 1024
MOST_LINES = 5_000
TRUE, FALSE = ("1", "true", "yes"), ("0", "false", "no")


class UnreadableFile(Exception):
    """The file as a whole cannot be read; the text says why and where, for whoever sent it."""


class CsvFile(CSV):  # type: ignore[misc]  # its library is not typed
    """A CSV file in UTF-8, with commas or semicolons, whose rows remember their lines."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Any:
        text = _text(in_stream)
        header = text.split("\n", 1)[0]
        delimiter = ";" if ";" in header and "," not in header else ","
        dataset = tablib.Dataset()
        dataset.lines = []
        for line, cells in _records(text, delimiter):
            if dataset.headers is None:
                dataset.headers = [cell.strip() for cell in cells]
                continue
            if len(cells) != len(dataset.headers):
                raise UnreadableFile(
                    _("Line %(line)d has %(found)d columns instead of %(wanted)d.")
                    % {"line": line, "found": len(cells), "wanted": len(dataset.headers)}
                )
            _require_few(len(dataset.lines) + 1, MOST_LINES)
            dataset.append([as_written(cell) for cell in cells])
            dataset.lines.append(line)
        if not dataset.lines:
            raise UnreadableFile(_("There is nothing in this file but at most a header."))
        return dataset

    def export_data(self, dataset: Any, **kwargs: Any) -> str:
        out = StringIO()
        writer = csv.writer(out)
        writer.writerow(dataset.headers)
        writer.writerows([harmless(str(cell)) for cell in row] for row in dataset)
        return out.getvalue()


def _require_few(count: int, most: int) -> None:
    if count > most:
        raise UnreadableFile(_("A file has at most %(count)d rows; split it.") % {"count": most})


def _text(content: str | bytes) -> str:
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise UnreadableFile(_("Line %(line)d is not in UTF-8; save the file as CSV UTF-8.") % {"line": line}) from exc
    if "\0" in text:
        raise UnreadableFile(_("This is no text file."))
    return text


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every record that is not blank, with the line it begins in."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as exc:
        raise UnreadableFile(_("Line %(line)d is no CSV: %(problem)s.") % {"line": line, "problem": exc}) from exc


@contextmanager
def told_as_value_error() -> Iterator[None]:
    """Let the library tell whose value it is: it does so for a `ValueError`."""
    try:
        yield
    except ValidationError as exc:
        raise ValueError(exc.message) from exc


class YesOrNo(widgets.Widget):  # type: ignore[misc]  # as above
    """true or false, and nothing that could be a typing error."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool:
        text = str(value or "").strip().lower()
        if text not in TRUE + FALSE:
            raise ValueError(_("“%(value)s” is neither true nor false.") % {"value": value})
        return text in TRUE

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "true" if value else "false"


class Moment(widgets.Widget):  # type: ignore[misc]  # as above
    """ISO 8601, in UTC unless it says otherwise, or nothing."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> datetime | None:
        text = str(value or "").strip()
        if not text:
            return None
        moment = parse_datetime(text)
        if moment is None:
            raise ValueError(_("“%(value)s” is no moment such as 2026-03-01T12:00:00Z.") % {"value": text})
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else ""


class TextOrNothing(widgets.Widget):  # type: ignore[misc]  # as above
    """A text; an empty cell is none, which clients tell from an empty text."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        return str(value) if value else None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(value or "")


class Rows(resources.ModelResource):  # type: ignore[misc]  # as above
    """What all files have in common: known columns, no row twice, every row checked like a form."""

    exports = True  # or files only come in
    most_lines = MOST_LINES

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        _require_few(len(dataset), self.most_lines)
        known = [field.column_name for field in self.get_import_fields()]
        headers = dataset.headers
        if unknown := [header for header in headers if header not in known]:
            raise UnreadableFile(
                _("Unknown columns: %(unknown)s. There are: %(known)s.")
                % {"unknown": ", ".join(unknown), "known": ", ".join(known)}
            )
        if missing := [name for name in self._meta.import_id_fields if name not in headers]:
            raise UnreadableFile(_("Missing columns: %(missing)s.") % {"missing": ", ".join(missing)})
        if len(set(headers)) < len(headers):
            raise UnreadableFile(_("A column occurs twice."))
        self._seen: set[tuple[str, ...]] = set()

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        identity = tuple(str(row[name]).strip() for name in self._meta.import_id_fields)
        if identity in self._seen:
            raise ValidationError(_("The file has a row for this already, further up."))
        self._seen.add(identity)


class RowsMeta:
    use_transactions = True
    clean_model_instances = True
    skip_unchanged = True
    report_skipped = False
    skip_html_diff = True


class CsvForm(ImportForm):  # type: ignore[misc]  # as above
    """A file, and whether it is only to be checked."""

    only_check = forms.BooleanField(label=gettext_lazy("Only check the file, change nothing"), required=False)
    field_order = ["resource", "import_file", "only_check", "format"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["format"].initial = "0"
        self.fields["import_file"].widget.attrs["accept"] = ".csv,text/csv"

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("A file has at most %(size)d MB; split it.") % {"size": MOST_BYTES // 2**20})
        return file


class CsvMixin(ImportExportMixin):  # type: ignore[misc]  # as above
    """Import and export on a page of staff, whatever the library is told to do elsewhere on the site."""

    import_form_class = CsvForm
    import_template_name = "admin/coursecredit/import.html"
    skip_import_confirm = True
    skip_export_form = True
    to_encoding = "utf-8-sig"  # which tells spreadsheets that it is UTF-8
    formats = import_formats = export_formats = (CsvFile,)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return may(request, "add", self.model) and may(request, "change", self.model)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return may_view(request, self.model)

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        resource = self.resource_classes[0]()
        columns = [field.column_name for field in resource.get_import_fields()]
        return {**super().get_import_context_data(**kwargs), "most_lines": resource.most_lines, "columns": columns}

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        if not isinstance(e, UnreadableFile):
            raise e
        form.add_error("import_file", str(e))

    def process_dataset(self, dataset: Any, form: Any, request: HttpRequest, **kwargs: Any) -> Any:
        resource = self.choose_import_resource_class(form, request)()
        result = resource.import_data(
            dataset,
            dry_run=form.cleaned_data["only_check"],
            rollback_on_validation_errors=True,
            use_transactions=True,
            retain_instance_in_row_result=True,
            user=request.user,
        )
        result.was_check = form.cleaned_data["only_check"]
        result.problems = list(_problems(result, dataset.lines))
        return result

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        if not result.was_check:
            return super().process_result(result, request)  # type: ignore[no-any-return]
        text = _("Checked, nothing was changed. It would be: %(new)d new, %(update)d changed, %(skip)d the same.")
        messages.success(request, text % result.totals)
        return HttpResponseRedirect(reverse("admin:{}_{}_import".format(*self.get_model_info())))

    def add_success_message(self, result: Any, request: HttpRequest) -> None:
        text = _("Imported: %(new)d new, %(update)d changed, %(skip)d the same.")
        messages.success(request, text % result.totals)


def _problems(result: results.Result, lines: list[int]) -> Iterator[str]:
    """Yield what is wrong, each with its line."""
    if result.base_errors:  # then errors of rows are only consequences
        yield from (str(error.error) for error in result.base_errors)
        return
    by_line: list[tuple[int, str]] = []
    for row in result.error_rows:
        by_line += [(lines[row.number - 1], str(error.error)) for error in row.errors]
    for row in result.invalid_rows:
        for field, texts in row.field_specific_errors.items():
            by_line += [(lines[row.number - 1], f"{field}: {text}") for text in texts]
        by_line += [(lines[row.number - 1], text) for text in row.non_field_specific_errors]
    for line, text in sorted(by_line):
        yield _("Line %(line)d: %(text)s") % {"line": line, "text": text}


class ImportMixin(CsvMixin):
    """Import alone: there may be millions of rows, and they are about people."""

    def has_export_permission(self, request: HttpRequest) -> bool:
        return False


def extended(page: type[Any], resource: type[Rows]) -> type[Any]:
    """Return the page with import and export of the resource."""
    template = page.change_list_template or "admin/coursecredit/change_list.html"
    mixin = CsvMixin if resource.exports else ImportMixin
    return type(page.__name__, (mixin, page), {"resource_classes": [resource], "change_list_template": template})
