"""Configuration while the site runs: rows are added, and the newest counts."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from coursecredit.admin.pages import Page
from credit.models import CreditConfig


@admin.register(CreditConfig)
class CreditConfigAdmin(Page):
    list_display = ["change_date", "in_use", "enabled", "cache_ttl", "changed_by"]
    list_select_related = ["changed_by"]
    show_full_result_count = False
    fields = ["enabled", "cache_ttl", "change_date", "changed_by"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        newer = Q(change_date__gt=OuterRef("change_date")) | Q(
            change_date=OuterRef("change_date"), pk__gt=OuterRef("pk")
        )
        rows: QuerySet[Any] = super().get_queryset(request).select_related("changed_by")
        replaced: QuerySet[Any] = rows.annotate(is_replaced=Exists(CreditConfig.objects.filter(newer)))
        return replaced

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ["enabled", "cache_ttl"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        current = CreditConfig.current()
        return {"enabled": current.enabled, "cache_ttl": current.cache_ttl}

    @admin.display(description=_("In use"), boolean=True)
    def in_use(self, obj: Any) -> bool:
        return not obj.is_replaced

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.changed_by = request.user
        obj.save()
