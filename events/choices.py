"""Words that the tables and the settings of this app share."""

from django.db import models


class OutboxState(models.TextChoices):
    """How far an event has come on its way to the bus. The words are shown and stored, so they never change."""

    PENDING = "pending", "Pending"
    SENT = "sent", "Sent"
    DEAD = "dead", "Dead"
