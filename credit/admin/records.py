"""What is only read: the audit, the log of callbacks, exam attempts."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from coursecredit.admin import ReadOnlyAdmin
from coursecredit.admin.pages import LimitedPaginator, TermSearch, begins
from credit.admin.parts import RuledRows, exams_like
from credit.models import CreditAudit, ExamAttempt
from credit.models.callbacks import CallbackLog


@admin.register(CreditAudit)
class CreditAuditAdmin(RuledRows):
    list_display = ["created", "kind", "username", "subject", "old_status", "new_status", "source", "actor"]
    list_filter = ["kind", "source"]
    search_fields = ["username", "actor"]
    search_help_text = _("Beginning of a username, in its case, or the id of a user or provider who did something.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.model._default_manager.order_by("-pk")  # type: ignore[no-any-return]  # no joins

    def matching(self, rows: QuerySet[Any], term: str) -> Q:
        return begins(rows, "username", term) | Q(actor=term)


@admin.register(CallbackLog)
class CallbackLogAdmin(TermSearch, ReadOnlyAdmin):
    list_display = ["received", "provider_id", "outcome", "reason", "times"]
    list_filter = ["outcome"]
    search_fields = ["provider_id", "reason"]
    search_help_text = _("A provider's id, or the code word of a reason.")
    ordering = ["-received", "-pk"]
    sortable_by = ()
    paginator = LimitedPaginator


@admin.register(ExamAttempt)
class ExamAttemptAdmin(RuledRows):
    list_display = ["username", "exam", "completed_at"]
    shown_rows = ("exam",)
    search_fields = ["username", "exam__course_key"]

    def matching(self, rows: QuerySet[Any], term: str) -> Q:
        return begins(rows, "username", term) | Q(exam__in=exams_like(term))
