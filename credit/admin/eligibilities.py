"""Who may ask for credit, and until when. Staff add, move deadlines and take back, each with a reason."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coursecredit.admin.corrections import (
    LONGEST_REASON,
    ReasonForm,
    SavesThroughApi,
    apply_to_each,
    ask_and_apply,
    refuse_unless,
    take,
)
from credit import api, ports
from credit.admin.parts import LearnerRows, audit_trail, who
from credit.exceptions import LearnerNotFound
from credit.models import CreditEligibility


class DeadlineForm(ReasonForm):
    """Until when, and why."""

    deadline = forms.SplitDateTimeField(label=gettext_lazy("New deadline (UTC)"), widget=AdminSplitDateTime)
    field_order = ["deadline", "reason"]


class CreditEligibilityForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        widget=ReasonForm.base_fields["reason"].widget,
        help_text=ReasonForm.base_fields["reason"].help_text,
    )

    class Meta:
        model = CreditEligibility
        fields = ["username", "course", "deadline"]

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if ports.learners().by_username(username) is None:
            raise forms.ValidationError(LearnerNotFound.default_message())
        return username


class MailOwed(admin.SimpleListFilter):
    """Eligibilities about which a mail is still to be sent."""

    title = gettext_lazy("mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("owed", _("Owed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(notified_at=None, email_due_at__isnull=False) if self.value() == "owed" else queryset


@admin.register(CreditEligibility)
class CreditEligibilityAdmin(SavesThroughApi, LearnerRows):
    form = CreditEligibilityForm
    list_display = ["course", "username", "deadline", "mail"]
    list_display_links = ["course", "username"]
    list_filter = [MailOwed]
    shown_rows = ("course",)
    search_fields = ["username", "course__course_key"]
    sortable_by = ("username",)
    autocomplete_fields = ["course"]
    actions = ["resend_mail", "extend_deadline", "delete_eligibilities"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["username", "course", "deadline", "reason"]
        asked = ["deadline", "reason"] if self.has_change_permission(request, obj) else ["deadline"]
        return ["username", "course", *asked, "added_by_staff", "mail", "created", "modified", "audit"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["username", "course", "added_by_staff", "mail", "created", "modified", "audit"] if obj else []

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # ours asks for a reason
        return actions

    @admin.display(description=gettext_lazy("Mail"))
    def mail(self, obj: CreditEligibility) -> str:
        if obj.notified_at:
            return _("sent %(day)s") % {"day": obj.notified_at.date()}
        if obj.email_due_at:
            return _("owed since %(day)s") % {"day": obj.email_due_at.date()}
        return _("none: added by staff") if obj.added_by_staff else _("none")

    @admin.display(description=gettext_lazy("Audit"))
    def audit(self, obj: CreditEligibility) -> SafeString:
        return audit_trail(username=obj.username, subject=str(obj.course.course_key))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        course_key, reason = obj.course.course_key, form.cleaned_data["reason"]
        if change:
            api.extend_eligibility_deadline(obj.username, course_key, obj.deadline, reason=reason, **who(request))
        else:
            api.add_eligibility(obj.username, course_key, deadline=obj.deadline, reason=reason, **who(request))
            saved = CreditEligibility.objects.get(username=obj.username, course=obj.course)
            obj.pk, obj._state.adding = saved.pk, False

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask why, as for several."""
        row = self.get_object(request, object_id)
        refuse_unless(self.has_delete_permission(request, row))
        if row is None:
            raise Http404
        done = reverse("admin:credit_crediteligibility_changelist", current_app=self.admin_site.name)
        return self.delete_eligibilities(request, self.get_queryset(request).filter(pk=row.pk)) or HttpResponseRedirect(
            done
        )

    @admin.action(description=gettext_lazy("Send the mail again"), permissions=["change"])
    def resend_mail(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Owe the mail once more."""

        def resend(row: CreditEligibility, answers: dict[str, Any]) -> bool:
            api.resend_eligibility_mail(row.username, row.course.course_key, **who(request))
            return True

        rows = take(self, request, queryset)
        if rows is not None:
            apply_to_each(self, request, rows, resend)
        return None

    @admin.action(description=gettext_lazy("Move the deadline…"), permissions=["change"])
    def extend_deadline(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask until when and why."""

        def extend(row: CreditEligibility, answers: dict[str, Any]) -> bool:
            deadline = answers["deadline"]
            api.extend_eligibility_deadline(
                row.username, row.course.course_key, deadline, reason=answers["reason"], **who(request)
            )
            return bool(row.deadline != deadline)

        title = _("Move the deadline of the chosen eligibilities")
        return ask_and_apply(
            self, request, queryset, extend, action="extend_deadline", title=title, form_class=DeadlineForm
        )

    @admin.action(description=gettext_lazy("Delete the chosen eligibilities…"), permissions=["delete"])
    def delete_eligibilities(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask why."""

        def remove(row: Model, answers: dict[str, Any]) -> bool:
            assert isinstance(row, CreditEligibility)
            api.remove_eligibility(row.username, row.course.course_key, reason=answers["reason"], **who(request))
            return True

        title = _("Delete the chosen eligibilities")
        return ask_and_apply(self, request, queryset, remove, action="delete_eligibilities", title=title)
