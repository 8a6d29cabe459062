"""Courses for credit: their row, who grants the credit, what they require, and their exams."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from coursecredit.admin.csv_files import with_csv
from coursecredit.admin.pages import KeptOnceUsed, LimitedPaginator, TermSearch
from credit.admin.fields import ContentIdField, CourseKeyField
from credit.models import (
    CourseExam,
    CreditCourse,
    CreditCourseProvider,
    CreditEligibility,
    CreditRequest,
    CreditRequirement,
    CreditRequirementStatus,
)


class CreditCourseForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    course_key = CourseKeyField(label=_("Course key"))

    class Meta:
        model = CreditCourse
        fields = ["course_key", "enabled"]


class CourseProviderInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Who grants credit for the course: rows are added and deleted."""

    model = CreditCourseProvider
    autocomplete_fields = ["provider"]
    extra = 0
    verbose_name = _("provider")
    verbose_name_plural = _("providers (none: every active provider)")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("course", "provider")


class CreditCourseAdmin(KeptOnceUsed, TermSearch):
    form = CreditCourseForm
    list_display = ["course_key", "enabled"]
    list_filter = ["enabled"]
    search_fields = ["course_key"]
    ordering = ["course_key"]
    inlines = [CourseProviderInline]
    used_by = (
        (CreditRequirementStatus, "requirement__course"),
        (CreditEligibility, "course"),
        (CreditRequest, "course"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["course_key"] if obj else []  # another key would be another course


@admin.register(CreditCourseProvider)
class CreditCourseProviderAdmin(TermSearch):
    list_display = ["course", "provider"]
    list_filter = ["provider"]
    list_select_related = ["course", "provider"]
    search_fields = ["course__course_key", "provider__provider_id"]
    autocomplete_fields = ["course", "provider"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("course", "provider")


@admin.register(CreditRequirement)
class CreditRequirementAdmin(KeptOnceUsed, TermSearch):
    list_display = ["course", "namespace", "name", "display_name", "active"]
    list_filter = ["active", "namespace"]
    list_select_related = ["course"]
    search_fields = ["course__course_key", "namespace", "name"]
    autocomplete_fields = ["course"]
    ordering = ["course__course_key", "sort_value"]
    readonly_fields = ["created", "modified"]
    used_by = ((CreditRequirementStatus, "requirement"),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        own = ["course", "namespace", "name"] if obj else []  # what learners' statuses refer to
        return [*own, *self.readonly_fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("course")


class CourseExamForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    course_key = CourseKeyField(label=_("Course key"))
    content_id = ContentIdField(label=_("Content id"), help_text=_("Text of the exam's usage key."))

    class Meta:
        model = CourseExam
        fields = [
            "course_key",
            "content_id",
            "exam_name",
            "is_proctored",
            "is_active",
            "is_practice_exam",
            "block_start",
        ]


class CourseExamAdmin(TermSearch):
    form = CourseExamForm
    list_display = ["exam_name", "course_key", "is_proctored", "is_active", "is_practice_exam", "block_start"]
    list_filter = ["is_proctored", "is_active", "is_practice_exam"]
    search_fields = ["course_key", "content_id", "exam_name"]
    paginator = LimitedPaginator

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.attempts.exists())


admin.site.register(CreditCourse, with_csv(CreditCourseAdmin, "credit.admin.transfer.CreditCourseResource"))
admin.site.register(CourseExam, with_csv(CourseExamAdmin, "credit.admin.transfer.CourseExamResource"))
