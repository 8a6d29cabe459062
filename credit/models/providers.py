"""Institutions that grant credit."""

from collections.abc import Collection
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from coursecredit.caching import CoherentCache
from credit.choices import CREDIT_PROVIDER_ID_REGEX
from credit.querysets import CreditProviderQuerySet
from credit.types import ProviderDict


class CreditProvider(TimeStampedModel):
    """An institution that grants credit.

    Its secret key is in the setting `CREDIT_PROVIDER_SECRET_KEYS`, never in the database.
    """

    CREDIT_PROVIDERS_CACHE_KEY = "credit.providers.list"

    provider_id = models.CharField(
        max_length=255,
        unique=True,
        validators=[RegexValidator(rf"^{CREDIT_PROVIDER_ID_REGEX}\Z", code="invalid_provider_id")],
        help_text=_("Unique identifier of the provider: letters, digits and hyphens. Case-sensitive."),
    )
    active = models.BooleanField(default=True, help_text=_("Whether the provider is currently in use."))
    display_name = models.CharField(max_length=255, help_text=_("Name of the provider as learners see it."))
    enable_integration = models.BooleanField(
        default=False,
        help_text=_("Signed requests; needs a shared secret in CREDIT_PROVIDER_SECRET_KEYS."),
    )
    provider_url = models.URLField(
        default="",
        blank=True,
        help_text=_("With integration, where requests are sent; without, the link for learners."),
    )
    provider_status_url = models.URLField(
        default="", blank=True, help_text=_("Where learners look up what became of their request.")
    )
    provider_description = models.TextField(default="", blank=True, help_text=_("Description that learners see."))
    fulfillment_instructions = models.TextField(  # noqa: DJ001  # clients tell "none" (null) from an empty text
        null=True, blank=True, help_text=_("Text or HTML: what learners do after paying.")
    )
    eligibility_email_message = models.TextField(
        default="", blank=True, help_text=_("Text or HTML for the mail that tells learners they are eligible.")
    )
    receipt_email_message = models.TextField(
        default="", blank=True, help_text=_("Text or HTML for the mail that confirms a payment.")
    )
    thumbnail_url = models.URLField(default="", blank=True, max_length=255, help_text=_("Address of a logo image."))

    objects = CreditProviderQuerySet.as_manager()

    def __str__(self) -> str:
        return self.provider_id

    @classmethod
    def get_credit_providers(cls, providers_list: Collection[str] | None = None) -> list[ProviderDict]:
        """Return the active providers by id, those in `providers_list` only unless it is None or empty. Cached."""
        providers = PROVIDERS_CACHE.get_or_build(
            lambda: [provider.as_dict() for provider in cls.objects.active().order_by("provider_id")]
        )
        return [provider for provider in providers if not providers_list or provider["id"] in providers_list]

    @classmethod
    def get_credit_provider(cls, provider_id: str) -> "CreditProvider | None":
        """Return the active provider with this id, or None."""
        provider: CreditProvider | None = cls.objects.active().filter(provider_id=provider_id).first()
        return provider

    def as_dict(self) -> ProviderDict:
        """Return what learners and clients may know of the provider."""
        return {
            "id": self.provider_id,
            "display_name": self.display_name,
            "url": self.provider_url,
            "status_url": self.provider_status_url,
            "description": self.provider_description,
            "enable_integration": self.enable_integration,
            "fulfillment_instructions": self.fulfillment_instructions,
            "thumbnail_url": self.thumbnail_url,
        }


PROVIDERS_CACHE = CoherentCache(CreditProvider.CREDIT_PROVIDERS_CACHE_KEY)


@receiver([post_save, post_delete], sender=CreditProvider)
def _provider_changed(using: str, **kwargs: Any) -> None:
    PROVIDERS_CACHE.invalidate(using=using)
