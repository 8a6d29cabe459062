"""What came in at the one address that nobody has to log in for."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from credit.choices import CallbackOutcome
from credit.querysets import CallbackLogQuerySet

LONGEST_REASON = 64


class CallbackLog(models.Model):
    """What became of providers' callbacks, for 90 days. No payload, no learner, no key, no caller's address.

    An accepted callback has a row of its own, in the transaction of its decision. Refused ones, which anybody can send
    in any number, share a row per provider, reason and minute, and `times` counts them: whoever wants a number sums
    `times`. So a flood adds at most a row a minute for every reason and provider that exists.
    """

    received = models.DateTimeField(
        default=timezone.now, db_index=True, editable=False, help_text=_("Of several, the first.")
    )
    provider_id = models.CharField(
        max_length=255, default="", blank=True, help_text=_("Empty: the address named no provider that exists.")
    )
    outcome = models.CharField(max_length=16, choices=CallbackOutcome.choices)
    reason = models.CharField(
        max_length=LONGEST_REASON, default="", blank=True, help_text=_("The error's code word; empty if accepted.")
    )
    times = models.PositiveIntegerField(default=1, help_text=_("How many callbacks the row stands for."))
    key_position = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Which of the provider's keys had signed it, counted from 1.")
    )
    key_count = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("How many keys were configured for the provider at that moment.")
    )
    minute = models.DateTimeField(null=True, editable=False, help_text=_("Of refused callbacks, to count them by."))

    objects = CallbackLogQuerySet.as_manager()

    class Meta:
        verbose_name = _("callback log entry")
        verbose_name_plural = _("callback log")
        constraints = [
            # Accepted callbacks have no minute, so the constraint does not concern them.
            models.UniqueConstraint(
                fields=["minute", "provider_id", "reason"], name="credit_one_count_of_refused_callbacks"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.received:%Y-%m-%d %H:%M:%S} {self.provider_id or '-'}: {self.reason or self.outcome}"
