"""What learners asked of universities, and decisions that staff record for them."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coursecredit.admin.corrections import apply_to_each, ask_and_apply, take
from coursecredit.admin.pages import may
from credit import api
from credit.admin.figures import figures_view
from credit.admin.parts import RuledRows, audit_trail, providers_like, who
from credit.choices import RequestStatus
from credit.models import CreditRequest

LONGEST_WAIT = 3650  # days


class PendingLongerThan(admin.SimpleListFilter):
    """Requests without an answer; in the address any number of days may be given."""

    title = gettext_lazy("time pending")
    parameter_name = "pending_days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(days), _("longer than %(days)d days") % {"days": days}) for days in (7, 14, 30, 90)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self._is_number():
            return queryset
        days = min(int(self.value() or 0), LONGEST_WAIT)
        return queryset.awaiting_provider().filter(created__lt=timezone.now() - timedelta(days=days))  # type: ignore[attr-defined,no-any-return]

    def choices(self, changelist: ChangeList) -> Any:
        yield from super().choices(changelist)
        if self.value() and self.value() not in {value for value, _text in self.lookup_choices}:
            known, unknown = (
                _("longer than %(days)s days"),
                _("“%(days)s” is no number of days: all requests are shown"),
            )
            text = known if self._is_number() else unknown
            yield {"selected": True, "query_string": "?", "display": text % {"days": self.value()}}

    def _is_number(self) -> bool:
        value = self.value() or ""
        return value.isascii() and value.isdigit() and len(value) < 9


@admin.register(CreditRequest)
class CreditRequestAdmin(RuledRows):
    list_display = ["provider", "course", "status", "username", "asked"]
    list_display_links = ["provider", "course"]
    list_filter = ["provider", "status", PendingLongerThan]
    shown_rows = ("provider", "course")
    search_fields = ["uuid", "username", "course__course_key", "provider__provider_id"]
    search_help_text = gettext_lazy(
        "A request's uuid, the beginning of a username, in its case, or part of a course key or provider id."
    )
    sortable_by = ("username", "asked")
    fields = [
        "uuid",
        "username",
        "course",
        "provider",
        "status",
        "created",
        "modified",
        "last_callback_timestamp",
        "parameters",
        "audit",
    ]
    readonly_fields = ["uuid"]
    actions = ["approve_requests", "reject_requests"]
    change_list_template = "admin/credit/creditrequest/change_list.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or []

    def get_urls(self) -> list[URLPattern]:
        figures = path(
            "figures/", self.admin_site.admin_view(figures_view(self.admin_site)), name="credit_creditrequest_figures"
        )
        return [figures, *super().get_urls()]

    def matching(self, rows: QuerySet[Any], term: str) -> Q:
        condition = Q(uuid=term.lower()) | super().matching(rows, term)
        providers = providers_like(term)
        return condition | Q(provider__in=providers) if providers else condition

    @admin.display(description=gettext_lazy("Asked"), ordering="created")
    def asked(self, obj: CreditRequest) -> str:
        return f"{obj.created:%Y-%m-%d}"

    @admin.display(description=gettext_lazy("Audit"))
    def audit(self, obj: CreditRequest) -> SafeString:
        return audit_trail(username=obj.username, subject=obj.uuid)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return may(request, "change", CreditRequest)

    @admin.action(description=gettext_lazy("Approve the chosen requests"), permissions=["decide"])
    def approve_requests(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Record for universities that they approve."""
        rows = take(self, request, queryset)
        if rows is not None:
            apply_to_each(self, request, rows, self._deciding(request, RequestStatus.APPROVED))
        return None

    @admin.action(description=gettext_lazy("Reject the chosen requests…"), permissions=["decide"])
    def reject_requests(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Record for universities that they reject, after asking why."""
        decide = self._deciding(request, RequestStatus.REJECTED)
        return ask_and_apply(
            self, request, queryset, decide, action="reject_requests", title=_("Reject the chosen requests")
        )

    def _deciding(self, request: HttpRequest, status: RequestStatus) -> Any:
        def decide(row: CreditRequest, answers: dict[str, Any]) -> bool:
            reason = answers.get("reason", "")
            api.update_credit_request_status(
                row.uuid, row.provider.provider_id, status.value, **who(request), reason=reason
            )
            return row.status != status

        return decide
