"""Tables of the way out and the way in: the outbox, and what has been taken from the bus already."""

from hashlib import blake2b

from django.db import models
from django.db.models import Q
from django.utils import timezone

from coursecredit.fields import BulkBinaryField
from events.choices import OutboxState
from events.querysets import OutboxQuerySet, ProcessedQuerySet

LONGEST_ERROR = 500  # characters


def lane_of(topic: str, key: str) -> int:
    """Return the number under which the events of one topic and key wait; others may share it, which costs nothing."""
    digest = blake2b(f"{topic}\0{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class OutboxEvent(models.Model):
    """One event on its way to one topic, written in the transaction that makes it true.

    Payload and headers are final: later changes of code or data do not alter them. The rows of a (topic, key) are sent
    in the order of their ids. A relay that works on a key holds a lease, which stands on the key's first pending row.

    `lane` is null unless the row is pending, so that an index finds the few pending ones among millions that were sent.
    Payloads may hold personal data: sent rows are purged after some days, and `events.api.forget_subject` deletes
    those about one user.
    """

    event_id = models.UUIDField()
    event_type = models.CharField(max_length=255)
    topic = models.CharField(max_length=255, help_text="without the environment's prefix")
    key = models.CharField(max_length=255, help_text="events of equal topic and key stay in order")
    payload = BulkBinaryField(null=True, help_text="Avro; null if it could not be encoded")
    subject_user_id = models.BigIntegerField(null=True, db_index=True, help_text="whom the payload is about")
    minorversion = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=255)
    sourcehost = models.CharField(max_length=255)
    sourcelib = models.CharField(max_length=64)
    time = models.DateTimeField(help_text="when the fact became true")
    schema_fingerprint = models.CharField(max_length=64)

    state = models.CharField(max_length=7, choices=OutboxState, default=OutboxState.PENDING)
    lane = models.BigIntegerField(null=True, help_text="derived from topic and key; null unless pending")
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, help_text="null: at once")
    locked_until = models.DateTimeField(null=True)
    locked_by = models.CharField(max_length=64, default="")
    last_error = models.CharField(max_length=LONGEST_ERROR, default="")
    broker_id = models.CharField(max_length=64, default="", help_text="the entry's id on the bus")
    delete_once_sent = models.BooleanField(default=False, help_text="its subject is to be forgotten")
    created = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name = "outbox event"
        constraints = [
            models.UniqueConstraint(fields=["event_id", "topic"], name="events_outbox_once_per_topic"),
            models.CheckConstraint(
                condition=Q(state=OutboxState.PENDING, lane__isnull=False)
                | (~Q(state=OutboxState.PENDING) & Q(lane__isnull=True)),
                name="events_outbox_lane_if_pending",
            ),
        ]
        indexes = [
            models.Index(fields=["lane", "id"], name="events_outbox_waiting"),
            # What has been sent, by time; and with null, how many are pending or dead, and since when.
            models.Index(fields=["sent_at", "state", "created"], name="events_outbox_progress"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"


class ProcessedEvent(models.Model):
    """An event from the bus that a consumer group has dealt with; written in the transaction of its effects."""

    group = models.CharField(max_length=255)
    source = models.CharField(max_length=255)
    event_id = models.UUIDField()
    processed = models.DateTimeField(default=timezone.now)

    objects = ProcessedQuerySet.as_manager()

    class Meta:
        verbose_name = "processed event"
        constraints = [
            models.UniqueConstraint(fields=["group", "source", "event_id"], name="events_processed_once_per_group"),
        ]
        indexes = [models.Index(fields=["processed"], name="events_processed_when")]

    def __str__(self) -> str:
        return f"{self.group}: {self.event_id}"
