"""The public signal class and the registry of event types."""

import logging
import pkgutil
import sys
import traceback
import typing
import warnings
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from types import FrameType
from typing import Any, ClassVar

import attrs
from asgiref.sync import async_to_sync
from django.db import DEFAULT_DB_ALIAS, transaction
from django.dispatch import Signal

from events import outbox
from events.conf import conf
from events.data import EventsMetadata
from events.exceptions import InstantiationError, SenderValidationError
from events.types import About, Emission
from events.utils import dotted_path

PROJECT = "org.coursecredit"
"""Begins every event type of this project. Consumers match on the full text, so it never changes."""

RESERVED = frozenset(
    {"sender", "signal", "metadata", "from_event_bus", "send_robust", "time", "immediate", "using"},
)
"""Names that no argument of an event may have."""

Responses = list[tuple[Callable[..., Any], Any]]

log = logging.getLogger(__name__)


class OpenEdxPublicSignal(Signal):
    """A kind of event, made once per event type and kept as a module's constant.

    Receivers are called with `sender=None`, `signal`, the arguments that the signal declares, `metadata` (an
    `EventsMetadata`) and `from_event_bus` (whether another service told it).

    Attributes:
        event_type: full type, such as `org.openedx.learning.course.enrollment.created.v1`.
        init_data: class of each argument, by name, in the order in which they are encoded.
        minor_version: counts compatible additions, from 0.
        defaults: values for arguments that were appended later, taken when an older sender leaves them out.
        about: what people should know about it, if anybody wrote it down.
    """

    _mapping: ClassVar[dict[str, "OpenEdxPublicSignal"]] = {}
    _place: "_Place"

    def __new__(
        cls,
        event_type: str,
        data: Mapping[str, Any],
        minor_version: int = 0,
        defaults: Mapping[str, Any] | None = None,
        about: About | None = None,
    ) -> "OpenEdxPublicSignal":
        """Return the registered object when a module is imported again, so that its receivers stay connected.

        Raises:
            InstantiationError: the type is registered by something else.
        """
        place = _Place.of(sys._getframe(1))
        known = cls._mapping.get(event_type)
        if known is None:
            signal = super().__new__(cls)
            signal._place = place
            return signal
        definition = (dict(data), minor_version, dict(defaults or {}))
        if not place.is_repeated_import(known._place) or definition != known._definition:
            raise InstantiationError(event_type, f"is registered already, in {known._place}.")
        return known

    def __init__(
        self,
        event_type: str,
        data: Mapping[str, Any],
        minor_version: int = 0,
        defaults: Mapping[str, Any] | None = None,
        about: About | None = None,
    ) -> None:
        """Register the event type.

        Raises:
            InstantiationError: no type or no arguments, a reserved argument name, or defaults that are not of the
                last arguments and of their classes.
        """
        if self._mapping.get(event_type) is self:
            return
        _refuse_bad_definition(event_type, data, defaults or {})
        super().__init__()
        self.event_type = event_type
        self.init_data = dict(data)
        self.minor_version = minor_version
        self.defaults = dict(defaults or {})
        self.about = about
        self._is_enabled = True
        self._failures_propagate = False
        self._mapping[event_type] = self

    def __repr__(self) -> str:
        return f"<OpenEdxPublicSignal: {self.event_type}>"

    @property
    def module(self) -> str:
        """Name of the module that has it as a constant."""
        return self._place.module

    @classmethod
    def all_events(cls) -> list["OpenEdxPublicSignal"]:
        """Return every registered signal."""
        return list(cls._mapping.values())

    @classmethod
    def get_signal_by_type(cls, event_type: str) -> "OpenEdxPublicSignal":
        """Return the signal of a type.

        Raises:
            KeyError: the type is not registered.
        """
        return cls._mapping[event_type]

    def enable(self) -> None:
        """Let the event be sent again."""
        self._is_enabled = True

    def disable(self) -> None:
        """Make sending the event do nothing."""
        self._is_enabled = False

    def allow_send_event_failure(self, allow: bool = True) -> None:
        """Let the first failing receiver stop the sender, or stop letting it."""
        self._failures_propagate = allow

    def generate_signal_metadata(
        self, time: datetime | None = None, beside: EventsMetadata | None = None
    ) -> EventsMetadata:
        """Return new metadata for one event of this type.

        Args:
            time: when the fact became true, aware; now by default.
            beside: metadata of another event of the same write, which says who sends both.
        """
        return EventsMetadata(
            event_type=self.event_type,
            minorversion=self.minor_version,
            source=None if beside is None else beside.source,
            sourcehost=None if beside is None else beside.sourcehost,
            time=time,
        )

    def send_event(
        self,
        send_robust: bool = True,
        time: datetime | None = None,
        immediate: bool = False,
        using: str = DEFAULT_DB_ALIAS,
        **kwargs: Any,
    ) -> Responses:
        """Tell a fact that becomes true with the caller's transaction.

        Inside an atomic block receivers run after the commit, and never after a rollback, of a savepoint too.
        Outside of one they run at once.

        Args:
            send_robust: whether a receiver's exception is logged and kept from the others and from the caller. With
                `settings.DEBUG`, or after `allow_send_event_failure()`, it propagates in any case: out of the commit
                if that is when receivers run.
            time: when the fact became true: the row's own time; now by default, for facts without a row.
            immediate: whether receivers run now, in the open transaction. The event itself still waits for it.
            using: alias of the database whose transaction makes the fact true.
            **kwargs: the payload: exactly the arguments in `init_data`.

        Returns:
            Each receiver with its answer or exception, or nothing while the signal is disabled or receivers wait.

        Raises:
            SenderValidationError: arguments are missing, None, unexpected or of another class.
            TypeError, ValueError: the time is no datetime, or naive.
        """
        emission = self.prepare(kwargs, time=time)
        if emission is None:
            return []
        outbox.append([emission], using=using)
        return self.deliver(emission, send_robust=send_robust, immediate=immediate, using=using)

    def send_event_with_custom_metadata(
        self, metadata: EventsMetadata, /, *, send_robust: bool = True, using: str | None = None, **kwargs: Any
    ) -> Responses:
        """Pass on an event that another service told: receivers run at once, in the consumer's transaction.

        Arguments that an older sender does not know take their declared defaults.

        Args:
            metadata: what the sender said about the event.
            send_robust: as for `send_event`.
            using: alias of the database with the consumer's transaction; each receiver then runs in a savepoint of
                its own there, so that what one has left broken does not break the others. A failure of the only
                receiver undoes the transaction.
            **kwargs: the payload.

        Raises:
            TypeError: `metadata` is something else.
            ValueError: it is the metadata of another event type.
            SenderValidationError: as `send_event`.
        """
        if not isinstance(metadata, EventsMetadata):
            raise TypeError(f"metadata must be an EventsMetadata, not {dotted_path(type(metadata))}.")
        if metadata.event_type != self.event_type:
            raise ValueError(f"The metadata of {metadata.event_type} does not fit {self.event_type}.")
        if not self._is_enabled:
            return []
        data = {**self.defaults, **kwargs}
        self._validate(data)
        robust = self._is_robust(send_robust)
        return self._call_receivers(data, metadata, robust=robust, from_event_bus=True, using=using)

    def prepare(
        self, data: Mapping[str, Any], *, time: datetime | None = None, beside: EventsMetadata | None = None
    ) -> Emission | None:
        """Return the event to be appended to the outbox and then delivered, or None while the signal is disabled.

        Args:
            beside: metadata of another event of the same write.

        Raises:
            SenderValidationError, TypeError, ValueError: as `send_event`.
        """
        metadata = self.generate_signal_metadata(time=time, beside=beside)
        if not self._is_enabled:
            return None
        self._validate(data)
        return Emission(signal=self, data=dict(data), metadata=metadata)

    def deliver(
        self,
        emission: Emission,
        *,
        send_robust: bool = True,
        immediate: bool = False,
        using: str = DEFAULT_DB_ALIAS,
    ) -> Responses:
        """Call the receivers of an event that is in the outbox, when `send_event` promises it."""
        robust = self._is_robust(send_robust)

        def call_receivers() -> Responses:
            return self._call_receivers(emission.data, emission.metadata, robust=robust, from_event_bus=False)

        if immediate or not transaction.get_connection(using).in_atomic_block:
            return call_receivers()
        transaction.on_commit(call_receivers, using=using, robust=robust)
        return []

    def send(self, sender: Any, **named: Any) -> None:  # type: ignore[override]  # it refuses to send
        """Do nothing but warn: an event needs validation and metadata."""
        _warn_of("send")

    def send_robust(self, sender: Any, **named: Any) -> None:  # type: ignore[override]  # it refuses to send
        """Do nothing but warn: an event needs validation and metadata."""
        _warn_of("send_robust")

    async def asend(self, sender: Any, **named: Any) -> None:  # type: ignore[override]  # it refuses to send
        """Do nothing but warn: an event needs validation and metadata."""
        _warn_of("asend")

    async def asend_robust(self, sender: Any, **named: Any) -> None:  # type: ignore[override]  # it refuses to send
        """Do nothing but warn: an event needs validation and metadata."""
        _warn_of("asend_robust")

    @property
    def _definition(self) -> tuple[dict[str, Any], int, dict[str, Any]]:
        return self.init_data, self.minor_version, self.defaults

    def _validate(self, data: Mapping[str, Any]) -> None:
        missing = [name for name in self.init_data if data.get(name) is None]
        unexpected = [name for name in data if name not in self.init_data]
        if missing or unexpected:
            raise SenderValidationError(self.event_type, _listed(missing=missing, unexpected=unexpected))
        wrong = [
            f"{name} must be {dotted_path(expected)}, not {dotted_path(type(data[name]))}"
            for name, expected in self.init_data.items()
            if not _is_instance(data[name], expected)
        ]
        if wrong:
            raise SenderValidationError(self.event_type, "; ".join(wrong))

    def _is_robust(self, send_robust: bool) -> bool:
        return send_robust and not self._failures_propagate and not conf.DEBUG

    def _call_receivers(
        self,
        data: Mapping[str, Any],
        metadata: EventsMetadata,
        *,
        robust: bool,
        from_event_bus: bool,
        using: str | None = None,
    ) -> Responses:
        named = {**data, "metadata": metadata, "from_event_bus": from_event_bus}
        responses: Responses
        if using is not None:
            responses = self._call_in_savepoints(named, robust=robust, using=using)
        else:
            call = super().send_robust if robust else super().send
            responses = call(sender=None, **named)
        for receiver, response in responses:
            if isinstance(response, Exception):
                _log_failure(metadata, receiver, response)
            else:
                log.debug("%s %s: %s has run.", metadata.event_type, metadata.id, dotted_path(receiver))
        return responses

    def _call_in_savepoints(self, named: Mapping[str, Any], *, robust: bool, using: str) -> Responses:
        """Do what Django's own methods do, one receiver after another, asynchronous ones last.

        A receiver that is the only one needs no savepoint: there is nobody whom it could harm, and its failure marks
        the transaction as one to be rolled back.
        """
        plain, asynchronous = self._live_receivers(None)
        calls = [(receiver, receiver) for receiver in plain]
        calls += [(receiver, async_to_sync(receiver)) for receiver in asynchronous]
        responses: Responses = []
        for receiver, call in calls:
            try:
                with transaction.atomic(using=using, savepoint=len(calls) > 1):
                    response = call(signal=self, sender=None, **named)
                    _refuse_hidden_rollback(using)
                responses.append((receiver, response))
            except Exception as error:
                if not robust:
                    raise
                responses.append((receiver, error))
        return responses

    def _log_robust_failure(self, receiver: Any, err: Exception) -> None:
        """Keep Django from logging the exception's text, which may quote the payload; `_log_failure` says the rest."""


def load_all_signals() -> None:
    """Import every `signals` module of this app, so that the registry is complete."""
    package = import_module(__package__)
    for module in pkgutil.walk_packages(package.__path__, prefix=f"{__package__}."):
        *parents, name = module.name.split(".")
        if name == "signals" and "tests" not in parents:
            import_module(module.name)


@attrs.frozen
class _Place:
    """Where a signal is made."""

    module: str
    line: int
    at_import: bool = attrs.field(eq=False)

    @classmethod
    def of(cls, frame: FrameType) -> "_Place":
        module = str(frame.f_globals.get("__name__"))
        return cls(module, frame.f_lineno, at_import=frame.f_code.co_name == "<module>")

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}"

    def is_repeated_import(self, first: "_Place") -> bool:
        """Say whether the same statement of the same module has been run a second time."""
        return self.at_import and self == first


def _refuse_bad_definition(event_type: str, data: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    if not event_type:
        raise InstantiationError(event_type, "event_type is missing.")
    if not data:
        raise InstantiationError(event_type, "data is missing: an event has at least one argument.")
    reserved = sorted(RESERVED & set(data))
    if reserved:
        raise InstantiationError(event_type, f"these argument names are reserved: {', '.join(reserved)}.")
    if set(defaults) != set(list(data)[len(data) - len(defaults) :]):
        raise InstantiationError(event_type, "only the last arguments can have defaults.")
    wrong = [name for name, value in defaults.items() if not _is_instance(value, data[name])]
    if wrong:
        raise InstantiationError(event_type, f"these defaults are of another class: {', '.join(wrong)}.")


def _refuse_hidden_rollback(using: str) -> None:
    """Have a receiver fail that has caught an error which undoes all that it did: Django would say nothing."""
    if transaction.get_rollback(using=using):
        raise transaction.TransactionManagementError("The receiver has caught an error that undoes its effects.")


def _is_instance(value: Any, declared: Any) -> bool:
    """Check against a class, or against the container of an alias such as `list[int]`."""
    return isinstance(value, typing.get_origin(declared) or declared)


def _listed(**names: list[str]) -> str:
    return "; ".join(f"{kind}: {', '.join(some)}" for kind, some in names.items() if some)


def _log_failure(metadata: EventsMetadata, receiver: object, error: Exception) -> None:
    """Say where a receiver failed. The exception's own text stays out, because it may quote the payload."""
    log.error(
        "%s %s: %s raised %s.\n%s",
        metadata.event_type,
        metadata.id,
        dotted_path(receiver),
        type(error).__name__,
        "".join(traceback.format_tb(error.__traceback__)),
    )


def _warn_of(method: str) -> None:
    warnings.warn(f"{method}() does nothing for a public event: use send_event().", UserWarning, stacklevel=3)
