"""Institutions that grant credit."""

from django.contrib import admin
from django.db.models import URLField
from django.utils.translation import gettext_lazy as _

from coursecredit.admin.csv_files import with_csv
from coursecredit.admin.pages import KeptOnceUsed, TermSearch
from credit.models import CreditProvider, CreditRequest


class CreditProviderAdmin(KeptOnceUsed, TermSearch):
    list_display = ["provider_id", "display_name", "active", "enable_integration"]
    list_display_links = ["provider_id", "display_name"]
    list_filter = ["active", "enable_integration"]
    search_fields = ["provider_id", "display_name"]
    ordering = ["provider_id"]
    readonly_fields = ["created", "modified"]
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    used_by = ((CreditRequest, "provider"),)
    fieldsets = [
        (None, {"fields": ["provider_id", "display_name", "active", "provider_description", "thumbnail_url"]}),
        (_("Requests"), {"fields": ["enable_integration", "provider_url", "provider_status_url"]}),
        (
            _("What learners read"),
            {"fields": ["fulfillment_instructions", "eligibility_email_message", "receipt_email_message"]},
        ),
        (None, {"fields": ["created", "modified"]}),
    ]


admin.site.register(CreditProvider, with_csv(CreditProviderAdmin, "credit.admin.transfer.CreditProviderResource"))
