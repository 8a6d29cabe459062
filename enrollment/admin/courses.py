"""Courses and the modes in which they can be taken: both are the staff's."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coursecredit.admin.csv_files import with_csv
from coursecredit.admin.pages import KeptOnceUsed, LimitedPaginator, TermSearch
from enrollment.admin.parts import CourseIdField, history_of
from enrollment.models import Course, CourseEnrollment, CourseMode

if TYPE_CHECKING:
    Part = admin.options.BaseModelAdmin[Any]
else:
    Part = object

PRICE = ["min_price", "currency", "expiration_datetime"]
SHOP = ["sku", "bulk_sku", "android_sku", "ios_sku"]


class CourseModeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    class Meta:
        model = CourseMode
        fields = ["course", "mode_slug", "mode_display_name", *PRICE, "description", *SHOP]

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"]
        return currency.lower()  # as it is stored: only so a second offer is noticed

    def _post_clean(self) -> None:
        is_explicit = self.instance.expiration_datetime_is_explicit
        super()._post_clean()  # type: ignore[misc]  # which assigns every field, and any deadline counts as chosen
        if "expiration_datetime" not in self.changed_data:
            self.instance.expiration_datetime_is_explicit = is_explicit


class LabelledMoments(Part):
    """Date and time of a moment are two fields, which the stock admin gives one label that belongs to neither."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.SplitDateTimeField):
            for widget, name in zip(field.widget.widgets, (gettext("date"), gettext("time")), strict=True):
                widget.attrs["aria-label"] = f"{field.label}: {name}"
        return field


class CourseModeInline(LabelledMoments, admin.StackedInline):  # type: ignore[type-arg]  # generic in the stubs only
    """What the course offers."""

    model = CourseMode
    form = CourseModeForm
    fields = [("mode_slug", "mode_display_name"), tuple(PRICE), "description", tuple(SHOP)]
    extra = 0
    show_change_link = True
    ordering = ["pk"]


class CourseForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    id = CourseIdField(label=_("Course key"), help_text=Course._meta.pk.help_text)

    minimum_grade_credit = forms.FloatField(
        required=False,
        min_value=0,
        max_value=1,
        help_text=Course._meta.get_field("minimum_grade_credit").help_text,
        widget=AdminTextInputWidget,
    )

    class Meta:
        model = Course
        fields = "__all__"  # noqa: DJ007  # the page lists them


class CourseAdmin(LabelledMoments, KeptOnceUsed, TermSearch):
    form = CourseForm
    list_display = ["id", "display_name", "start", "end", "enrollment_start", "enrollment_end", "invitation_only"]
    list_filter = ["invitation_only", "self_paced"]
    search_fields = ["id", "display_name"]
    search_help_text = _("Parts of a course's key or name.")
    ordering = ["id"]
    sortable_by = ["id", "start", "end"]
    paginator = LimitedPaginator
    inlines = [CourseModeInline]
    used_by = ((CourseEnrollment, "course"), (CourseMode, "course"))
    fieldsets = [
        (None, {"fields": ["id", "org", "display_name", "start", "end", "self_paced"]}),
        (
            _("Enrollment"),
            {"fields": ["enrollment_start", "enrollment_end", "invitation_only", "max_student_enrollments_allowed"]},
        ),
        (
            _("Exams and credit"),
            {"fields": ["enable_proctored_exams", "proctoring_provider", "minimum_grade_credit"]},
        ),
        (None, {"fields": ["created", "modified"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*(["id"] if obj else []), "created", "modified"]  # another key would be another course

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("display_name", "proctoring_provider"):  # long texts in the table, one line to read
            kwargs["widget"] = AdminTextInputWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class CourseModeAdmin(LabelledMoments, TermSearch):
    form = CourseModeForm
    list_display = ["course_id", "mode_slug", "mode_display_name", *PRICE]
    list_display_links = ["course_id", "mode_slug"]
    list_select_related = ()
    search_fields = ["course_id", "mode_slug"]
    search_help_text = _("Parts of a course's key or of a mode's slug.")
    ordering = ["course_id", "pk"]
    sortable_by = ()
    paginator = LimitedPaginator
    autocomplete_fields = ["course"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        kept = ["course_id" if obj else "course", "mode_slug", "mode_display_name", *PRICE]
        more = ["expiration_datetime_is_explicit", "history"] if obj else []
        return [*kept, *more[:1], "description", *SHOP, *more[1:]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["course_id", "expiration_datetime_is_explicit", "history"] if obj else []

    @admin.display(description=_("History"))
    def history(self, obj: CourseMode) -> SafeString:
        return history_of(obj, leave_out=("course",))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset.order_by("pk"):  # each by itself, which its history and the caches notice
            row.delete()


admin.site.register(Course, with_csv(CourseAdmin, "enrollment.admin.transfer.CourseResource"))
admin.site.register(CourseMode, with_csv(CourseModeAdmin, "enrollment.admin.transfer.CourseModeResource"))
