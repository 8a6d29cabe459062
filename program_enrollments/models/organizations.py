"""Institutions, and how people who sign on through them are recognised, on a site that keeps them itself."""

from django.conf import settings
from django.db import models
from django.db.models import UniqueConstraint
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coursecredit.fields import DerivedCharField
from program_enrollments.querysets import ExternalIdentityQuerySet
from program_enrollments.student_keys import MAX_LENGTH, folded


class Organization(models.Model):
    """An institution that owns programs."""

    short_name = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["short_name"]

    def __str__(self) -> str:
        return self.short_name


class IdentityProvider(models.Model):
    """A way to sign on that tells an institution's own key of a person. An institution may have several."""

    slug = models.SlugField(max_length=100, unique=True)
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.SET_NULL, related_name="identity_providers"
    )
    enabled = models.BooleanField(default=True)
    backend_name = models.CharField(
        max_length=100, blank=True, help_text=_("Name of the social-auth backend, such as tpa-saml.")
    )
    display_name = models.CharField(max_length=255, blank=True, help_text=_("Made from the slug if left empty."))

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.display_name or self.slug

    def save(self, *args: object, **kwargs: object) -> None:
        if not self.display_name:
            self.display_name = f"{self.slug}-{timezone.now():%M%S}"
        super().save(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they are


def _folded_key(row: "ExternalIdentity") -> str:
    return folded(row.external_key)


class ExternalIdentity(models.Model):
    """An account's key at an institution, told by one of its providers. Personal data: goes with the account."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="external_identities")
    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="identities")
    external_key = models.CharField(max_length=MAX_LENGTH)
    external_key_folded = DerivedCharField(max_length=MAX_LENGTH, derive=_folded_key)

    objects = ExternalIdentityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("external identities")
        constraints = [
            UniqueConstraint(fields=["provider", "external_key_folded"], name="program_enrollments_one_identity"),
        ]

    def __str__(self) -> str:
        return f"[ExternalIdentity id={self.pk}]"

    @property
    def uid(self) -> str:
        """The identity as social sign-on writes it: the provider's slug and the key."""
        return f"{self.provider.slug}:{self.external_key}"
