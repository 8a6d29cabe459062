"""Staff pages: the outbox. Payloads are not shown, because they may be personal."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from coursecredit.admin import ReadOnlyAdmin
from events import relay
from events.models import OutboxEvent


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    """What is on its way to the bus, what was sent lately, and what was given up."""

    list_display = ("id", "event_type", "topic", "key", "state", "attempts", "created", "sent_at", "last_error")
    list_filter = ("state", "event_type", "topic")
    search_fields = ("=event_id", "=key", "=subject_user_id")
    ordering = ("-id",)
    exclude = ("payload", "lane")
    actions = ("send_again",)
    show_full_result_count = False
    list_per_page = 50

    @admin.action(description="Send again what was given up")
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutboxEvent]) -> None:
        """Have the chosen dead rows tried again; rows without payload stay."""
        ids = list(queryset.values_list("id", flat=True))
        count = relay.retry(ids=ids)
        self.message_user(request, f"{count} of {len(ids)} will be sent again.", messages.SUCCESS)

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Looking is not enough: it takes the permission to change rows."""
        return bool(request.user.has_perm("events.change_outboxevent"))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer sending again to those who may."""
        actions: dict[str, Any] = super().get_actions(request)
        return actions if self.has_send_permission(request) else {}
