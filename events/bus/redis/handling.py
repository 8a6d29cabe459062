"""What is done about one entry: once, and wholly or not at all (events contract 16)."""

import enum
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from django.db import DatabaseError, IntegrityError, OperationalError, connections, router, transaction
from django.utils import timezone

from coursecredit.request_cache import request_scope
from coursecredit.transactions import was_read_only, was_sacrificed
from events.avro import decode
from events.bus.redis.group import Delivery
from events.data import EventsMetadata
from events.exceptions import EventDeserializationError, SenderValidationError
from events.headers import PAYLOAD_FIELD, from_fields
from events.models import ProcessedEvent
from events.tooling import OpenEdxPublicSignal, Responses
from events.utils import dotted_path

if TYPE_CHECKING:
    from django.db.models import Field


class Outcome(enum.Enum):
    """Why an entry needs no further delivery."""

    PROCESSED = "processed"
    DUPLICATE = "duplicate"
    UNKNOWN_TYPE = "unknown type"


class Unusable(Exception):
    """No delivery of this entry will ever succeed. The text says why, and quotes neither headers nor payload."""


class ReceiversFailed(Exception):
    """At least one receiver has raised; nothing of what the others did has remained."""


class _Duplicate(Exception):
    """The group has dealt with this event before."""


@attrs.frozen
class _Event:
    """An entry that has been read."""

    signal: OpenEdxPublicSignal
    metadata: EventsMetadata
    data: Mapping[str, Any] = attrs.field(repr=False)

    @property
    def identity(self) -> tuple[str, UUID]:
        return self.metadata.source, self.metadata.id


def database() -> str:
    """Return the alias of the database in which consumed events take effect."""
    return router.db_for_write(ProcessedEvent)


class Handler:
    """Gives entries to the receivers, each in one transaction with the note that the group has dealt with it.

    The note is written before a receiver's first statement. Where receivers touch no table there is nothing that it
    would have to be atomic with: then it waits for `flush`, which writes many with one statement and has to come
    before the entries are acknowledged.
    """

    def __init__(self, *, group: str, stream: str) -> None:
        """Prepare.

        Args:
            group: name of the consumer group.
            stream: full key of the stream.
        """
        self._group = group
        self._stream = stream
        self._expected: dict[str, _Event | Unusable | None] = {}
        self._known: set[tuple[str, UUID]] = set()
        self._unwritten: list[_Event] = []

    def expect(self, deliveries: Iterable[Delivery]) -> None:
        """Find out, with one statement, which of these events the group has dealt with; forget earlier ones."""
        self._expected = {delivery.id: self._read(delivery) for delivery in deliveries if delivery.fields}
        events = [event for event in self._expected.values() if isinstance(event, _Event)]
        waiting = {event.identity for event in self._unwritten}
        self._known = waiting | (self._look_up(events) if events else set())

    def handle(self, delivery: Delivery) -> Outcome:
        """Deal with an entry.

        Raises:
            Unusable: its headers or its payload cannot be read.
            ReceiversFailed: a receiver failed.
            django.db.Error: the database failed.
            Exception: what a receiver raised whose failures are to propagate.
        """
        if delivery.id not in self._expected:
            self.expect([delivery])
        event = self._expected.pop(delivery.id)
        if event is None:
            return Outcome.UNKNOWN_TYPE
        if isinstance(event, Unusable):
            raise event
        if event.identity in self._known:
            return Outcome.DUPLICATE
        try:
            self._run(event)
        except _Duplicate:
            return Outcome.DUPLICATE
        self._known.add(event.identity)
        return Outcome.PROCESSED

    def has_handled(self, delivery: Delivery) -> bool:
        """Say whether the group has dealt with an entry's event; False if the entry cannot be read."""
        event = self._read(delivery)
        return isinstance(event, _Event) and bool(self._look_up([event]))

    def flush(self) -> None:
        """Write the notes that wait.

        Raises:
            django.db.Error: the database failed; the entries must not be acknowledged.
        """
        if self._unwritten:
            notes = [ProcessedEvent(**_note(event, self._group)) for event in self._unwritten]
            ProcessedEvent.objects.using(database()).bulk_create(notes, ignore_conflicts=True)
            self._unwritten.clear()

    def forget(self) -> None:
        """Drop what waits: the entries will be delivered again."""
        self._expected.clear()
        self._known.clear()
        self._unwritten.clear()

    def _read(self, delivery: Delivery) -> _Event | Unusable | None:
        """Return the event, why there is none, or None for a type that is not known here."""
        try:
            signal = _signal(delivery.fields)
            if signal is None:  # first: other services' types may have headers of their own
                return None
            metadata = from_fields(delivery.fields, stream=self._stream, entry_id=delivery.id)
            return _Event(signal, metadata, decode(signal, _payload(delivery.fields)))
        except EventDeserializationError as exc:
            return Unusable(str(exc))
        except Unusable as exc:
            return exc
        except Exception as exc:  # of the entry itself: nothing else has been asked yet
            return Unusable(f"cannot be read ({type(exc).__qualname__})")

    def _look_up(self, events: Iterable[_Event]) -> set[tuple[str, UUID]]:
        ids = {event.metadata.id for event in events}
        notes = ProcessedEvent.objects.using(database()).filter(group=self._group, event_id__in=ids)
        return set(notes.values_list("source", "event_id"))

    def _run(self, event: _Event) -> None:
        using = database()
        note = _FirstStatement(using, event, self._group)
        with (
            request_scope(),
            transaction.atomic(using=using, durable=True),
            connections[using].execute_wrapper(note),
        ):
            responses = _call_receivers(event, using=using)
            if note.failure is not None:
                raise note.failure
            _refuse_failures(responses)
            if note.has_seen_error:
                _refuse_broken_transaction(using)
        if not note.is_written:
            self._unwritten.append(event)


class _FirstStatement:
    """Wraps the statements of a transaction: writes the note before the first of them, and remembers their errors.

    Attributes:
        is_written: whether there was any statement.
        failure: what the receivers cannot make good, even if they have caught it: the note was not written, the
            database has undone the transaction, or takes no writes.
        has_seen_error: whether any statement has failed.
    """

    def __init__(self, using: str, event: _Event, group: str) -> None:
        self.is_written = False
        self.failure: Exception | None = None
        self.has_seen_error = False
        self._using = using
        self._event = event
        self._group = group

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            if not self.is_written:
                self.is_written = True
                self._write()
            return execute(sql, params, many, context)
        except DatabaseError as exc:
            self.has_seen_error = True
            if was_read_only(exc) or (isinstance(exc, OperationalError) and was_sacrificed(exc)):
                self.failure = exc
            raise

    def _write(self) -> None:
        """Insert the row that makes the next delivery a duplicate. It locks out a second consumer with the same event.

        In SQL, because a model's `save` takes longer than all the rest about an event.
        """
        connection = connections[self._using]
        quoted = connection.ops.quote_name
        values = _note(self._event, self._group)
        columns = _columns()
        parameters = [columns[name].get_db_prep_save(value, connection) for name, value in values.items()]
        names = ", ".join(quoted(columns[name].get_attname_column()[1] or "") for name in values)
        table = quoted(ProcessedEvent._meta.db_table)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"INSERT INTO {table} ({names}) VALUES (%s, %s, %s, %s)", parameters)  # noqa: S608  # ours
        except IntegrityError as exc:
            self.failure = _Duplicate()
            raise self.failure from exc
        except DatabaseError as exc:
            self.failure = exc
            raise


def _refuse_broken_transaction(using: str) -> None:
    """Raise what the next statement would: to commit a broken transaction is to undo it without a word.

    Raises:
        django.db.Error: a receiver has caught an error that broke the transaction.
    """
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1")


def _note(event: _Event, group: str) -> dict[str, Any]:
    source, event_id = event.identity
    return {"group": group, "source": source, "event_id": event_id, "processed": timezone.now()}


@cache
def _columns() -> "dict[str, Field[Any, Any]]":
    return {field.name: field for field in ProcessedEvent._meta.concrete_fields}


def _signal(fields: Mapping[bytes, bytes]) -> OpenEdxPublicSignal | None:
    try:
        event_type = fields.get(b"type", b"").decode()
    except UnicodeDecodeError:
        event_type = ""
    if not event_type:
        raise Unusable("type: is missing or no text")
    try:
        return OpenEdxPublicSignal.get_signal_by_type(event_type)
    except KeyError:
        return None


def _payload(fields: Mapping[bytes, bytes]) -> bytes:
    payload = fields.get(PAYLOAD_FIELD.encode(), b"")
    if not payload:
        raise Unusable(f"{PAYLOAD_FIELD}: is missing")
    return payload


def _call_receivers(event: _Event, *, using: str) -> Responses:
    try:
        return event.signal.send_event_with_custom_metadata(event.metadata, using=using, **event.data)
    except SenderValidationError as exc:
        raise Unusable(str(exc)) from exc


def _refuse_failures(responses: Responses) -> None:
    failures = [
        f"{dotted_path(receiver)} raised {type(response).__name__}"
        for receiver, response in responses
        if isinstance(response, Exception)
    ]
    if failures:
        raise ReceiversFailed("; ".join(failures))
