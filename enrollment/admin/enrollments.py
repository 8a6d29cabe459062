"""Who is enrolled where. Staff look; what they change goes through the api, with a reason, and is on record."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coursecredit.admin.corrections import Apply, ReasonForm, ask_and_apply
from coursecredit.admin.pages import begins, may
from enrollment import api
from enrollment.admin.parts import LONGEST_HISTORY, RuledRows, history_of, in_courses, user_id, username_of
from enrollment.choices import ModeSlug
from enrollment.models import CourseEnrollment, CourseMode, ManualEnrollmentAudit


class ModeFilter(admin.SimpleListFilter):
    """Known modes, and whatever is in the address: to list those that occur would take reading every row."""

    title = gettext_lazy("mode")
    parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(ModeSlug.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(mode=self.value()) if self.value() else queryset


def mode_form(rows: QuerySet[Any]) -> type[ReasonForm]:
    """Return the form that asks for a mode which one of the courses of these enrollments has, and why."""
    courses = rows.order_by().values("course_id")
    offered = CourseMode.objects.filter(course_id__in=courses).order_by().values_list("mode_slug", flat=True).distinct()
    labels = dict(ModeSlug.choices)
    slugs = sorted({*labels, *offered}, key=lambda slug: (slug not in labels, slug))

    class ModeForm(ReasonForm):
        """Which mode, and why."""

        mode = forms.ChoiceField(
            label=gettext_lazy("New mode"),
            choices=[("", "---------"), *((slug, labels.get(slug, slug)) for slug in slugs)],
            help_text=gettext_lazy("The course has to offer it, and its deadline must not be past."),
        )
        field_order = ["mode", "reason"]

    return ModeForm


@admin.register(CourseEnrollment)
class CourseEnrollmentAdmin(RuledRows):
    list_display = ["learner", "course_id", "mode", "is_active", "day"]
    list_display_links = ["learner", "course_id"]
    list_filter = ["is_active", ModeFilter]
    fields = ["learner", "course_id", "mode", "is_active", "created", "attributes", "by_hand", "history"]
    actions = ["activate", "deactivate", "change_mode"]

    @admin.display(description=gettext_lazy("Attributes"))
    def attributes(self, obj: CourseEnrollment) -> SafeString:
        rows = list(obj.attributes.order_by("pk"))
        return render_to_string("admin/enrollment/attributes.html", {"rows": rows})

    @admin.display(description=gettext_lazy("Changes by hand"))
    def by_hand(self, obj: CourseEnrollment) -> SafeString:
        rows = obj.manual_audits.annotate(staff_username=username_of("enrolled_by_id")).order_by("-pk")
        return render_to_string("admin/enrollment/by_hand.html", {"rows": list(rows[:LONGEST_HISTORY])})

    @admin.display(description=gettext_lazy("History"))
    def history(self, obj: CourseEnrollment) -> SafeString:
        return history_of(obj, leave_out=("user", "course", "created"))

    def has_enroll_permission(self, request: HttpRequest) -> bool:
        return may(request, "change", CourseEnrollment)

    @admin.action(description=gettext_lazy("Enroll the chosen learners again…"), permissions=["enroll"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Make enrollments active, after asking why; whether the course is open or full is not looked at."""
        title = _("Enroll the chosen learners again")
        return ask_and_apply(
            self, request, queryset, _changing(request, is_active=True), action="activate", title=title
        )

    @admin.action(description=gettext_lazy("Unenroll the chosen learners…"), permissions=["enroll"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Make enrollments inactive, after asking why."""
        title = _("Unenroll the chosen learners")
        return ask_and_apply(
            self, request, queryset, _changing(request, is_active=False), action="deactivate", title=title
        )

    @admin.action(description=gettext_lazy("Move to another mode…"), permissions=["enroll"])
    def change_mode(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Move enrollments to another mode of their course, after asking which and why."""
        return ask_and_apply(
            self,
            request,
            queryset,
            _changing(request),
            action="change_mode",
            title=_("Move the chosen enrollments to another mode"),
            form_class=mode_form(queryset),
        )


def _changing(request: HttpRequest, *, is_active: bool | None = None) -> Apply:
    def change(row: Any, answers: dict[str, Any]) -> bool:
        return api.change_enrollment_by_hand(
            row.learner_username,
            row.course_id,
            mode=answers.get("mode"),
            is_active=is_active,
            reason=answers["reason"],
            changed_by=user_id(request),
        )

    return change


@admin.register(ManualEnrollmentAudit)
class ManualEnrollmentAuditAdmin(RuledRows):
    list_display = ["time_stamp", "state_transition", "enrolled_email", "course", "staff"]
    list_display_links = ["time_stamp", "state_transition"]
    list_filter = ["state_transition"]
    user_column = "enrollment__user_id"
    course_column = "enrollment__course_id"
    search_fields = ["enrolled_email", "enrollment__course_id"]
    search_help_text = gettext_lazy("Beginning of an e-mail address, in its case, or part of the key of a course.")
    fields = ["time_stamp", "state_transition", "enrolled_email", "learner", "course", "staff", "role", "reason"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        named: QuerySet[Any] = rows.annotate(
            course_key=F(self.course_column), staff_username=username_of("enrolled_by_id")
        )
        return named

    @admin.display(description=gettext_lazy("Course"))
    def course(self, obj: Any) -> str:
        return obj.course_key or ""

    @admin.display(description=gettext_lazy("By"))
    def staff(self, obj: Any) -> str:
        return obj.staff_username or ""

    def matching(self, rows: QuerySet[Any], term: str) -> Q:
        return begins(rows, "enrolled_email", term) | in_courses(self.course_column, term)
