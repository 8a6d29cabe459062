"""Configuration that staff change while the site runs."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from credit.conf import conf


class CreditConfig(models.Model):
    """Configuration that staff change by adding a row: the newest counts, older ones are the history."""

    CACHE_KEY = "credit.providers.api.data"

    change_date = models.DateTimeField(auto_now_add=True)
    changed_by = models.ForeignKey(
        conf.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    enabled = models.BooleanField(default=False)
    cache_ttl = models.PositiveIntegerField(
        _("Cache Time To Live"), default=0, help_text=_("In seconds; 0 switches caching off.")
    )

    class Meta:
        ordering = ["-change_date", "-pk"]

    def __str__(self) -> str:
        return "Credit Configuration"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add a row, whatever row this was."""
        self.pk = None
        self._state.adding = True
        super().save(*args, **{**kwargs, "force_insert": True, "force_update": False, "update_fields": None})

    @classmethod
    def current(cls) -> "CreditConfig":
        """Return the newest configuration; without any, the defaults."""
        return cls.objects.first() or cls()

    @property
    def is_cache_enabled(self) -> bool:
        """Return whether names and ids of a course's providers are cached."""
        return self.enabled and self.cache_ttl > 0
