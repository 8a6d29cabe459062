"""The catalogue of events as Markdown, made from the registry: types, payloads, who sends and who receives them."""

import inspect
import re
import sys
import typing
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import attrs
from django.apps import apps

from events import avro
from events.tooling import OpenEdxPublicSignal
from events.types import About

MARK = "<!-- What follows is made by `manage.py document_events`. -->"
"""In a document, stands before the catalogue; what is above it is written by people."""


def with_catalogue(document: str) -> str:
    """Return a document with the catalogue brought up to date.

    Raises:
        ValueError: the document does not have the line that says where the catalogue begins.
    """
    prose, mark, _ = document.partition(MARK)
    if not mark:
        raise ValueError(f"The document has no line {MARK}")
    return f"{prose}{MARK}\n\n{catalogue()}"


def catalogue() -> str:
    """Return the catalogue of all events that the installed apps know."""
    signals = sorted(OpenEdxPublicSignal.all_events(), key=attrgetter("module"))  # else in the modules' order
    events = [_Event(signal) for signal in signals if signal.about]
    ours = [event for event in events if event.is_sent or event.receivers]
    classes = _classes_of(event.signal for event in ours)
    return "\n".join(
        [
            "## Catalogue",
            "",
            "Events that this project sends or receives. Topic and key are conventions, on which the setting",
            "`EVENT_BUS_PRODUCER_CONFIG` decides. All times are aware and in UTC. Enumerations are plain text.",
            "",
            *(line for event in ours for line in event.section()),
            "### Payloads",
            "",
            "In wire order. A field that may be null is null by default.",
            "",
            *(line for cls in classes for line in _payload(cls)),
            "### Other events",
            "",
            "Registered, so that a site can send or receive them; no app that is here does. Where the last column says",
            "no, an event stays within its process, because Open edX services do not put it on the bus.",
            "",
            "| type | constant | argument | told when | by | bus |",
            "|---|---|---|---|---|---|",
            *(event.row() for event in events if event not in ours),
            "",
        ]
    )


class _Event:
    """A signal, seen as people look at it."""

    def __init__(self, signal: OpenEdxPublicSignal) -> None:
        assert signal.about is not None
        self.signal = signal
        self.about: About = signal.about
        self.receivers = _receiving_apps(signal)

    @property
    def is_sent(self) -> bool:
        """Whether an installed app sends it."""
        return apps.is_installed(self.about.sender)

    def section(self) -> Iterable[str]:
        """Return the lines about an event of this project."""
        facts = {
            "constant": f"`{self._constant()}` in `{self.signal.module}`",
            "arguments": self._arguments(linked=True),
            "sent by": self.about.sender,
            "received by": ", ".join(self.receivers),
            "topic": self._code(self.about.topic),
            "key": self._code(self.about.key),
        }
        yield f"### `{self.signal.event_type}`"
        yield ""
        yield self.about.when
        yield ""
        yield from ["| | |", "|---|---|"]
        yield from (f"| {name} | {text} |" for name, text in facts.items() if text)
        yield ""

    def row(self) -> str:
        """Return the line about an event of others."""
        cells = [
            self._code(self.signal.event_type),
            self._code(f"{self.signal.module}.{self._constant()}"),
            self._arguments(linked=False),
            self.about.when,
            self.about.sender,
            "yes" if avro.is_fit_for_bus(self.signal) else "no",
        ]
        return f"| {' | '.join(cells)} |"

    def _constant(self) -> str:
        names = vars(sys.modules[self.signal.module])
        return next(name for name, value in names.items() if value is self.signal)

    def _arguments(self, *, linked: bool) -> str:
        return ", ".join(f"`{name}`: {_type(cls, linked)}" for name, cls in self.signal.init_data.items())

    @staticmethod
    def _code(text: str) -> str:
        return f"`{text}`" if text else ""


def _receiving_apps(signal: OpenEdxPublicSignal) -> list[str]:
    """Return the names of the installed apps whose receivers are connected."""
    receivers = [receiver for some in signal._live_receivers(None) for receiver in some]
    modules = {getattr(receiver, "__module__", "") for receiver in receivers}
    installed = {config.name for config in apps.get_app_configs()}
    return sorted(installed & {module.partition(".")[0] for module in modules})


def _classes_of(signals: Iterable[OpenEdxPublicSignal]) -> Sequence[type]:
    """Return the payload classes of events and all that they hold, in the order in which a reader meets them."""
    met: dict[type, None] = {}

    def meet(annotation: Any) -> None:
        for part in (annotation, *typing.get_args(annotation)):
            if attrs.has(part) and part not in met:
                met[part] = None
                for field in attrs.fields(attrs.resolve_types(part)):
                    meet(field.type)

    for signal in signals:
        for annotation in signal.init_data.values():
            meet(annotation)
    return list(met)


def _payload(cls: type) -> Iterable[str]:
    meanings = _meanings(cls)
    yield f"#### {cls.__name__}"
    yield ""
    yield (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")
    yield ""
    yield from ["| field | type | meaning |", "|---|---|---|"]
    for field in attrs.fields(attrs.resolve_types(cls)):
        nullable = " or null" if field.default is None else ""
        yield f"| `{field.name}` | {_type(field.type, linked=True)}{nullable} | {meanings.get(field.name, '')} |"
    yield ""


def _meanings(cls: type) -> dict[str, str]:
    """Return what the docstrings of a class and its bases say about each field."""
    meanings: dict[str, str] = {}
    for ancestor in cls.__mro__:
        described = inspect.cleandoc(ancestor.__doc__ or "").partition("Attributes:\n")[2].partition("\n\n")[0]
        for name, text in re.findall(r"^ {4}(\w+): (.+(?:\n {5,}.+)*)", described, flags=re.MULTILINE):
            meanings.setdefault(name, re.sub(r"\s+", " ", text))
    return meanings


def _type(annotation: Any, linked: bool) -> str:
    if attrs.has(annotation):
        name: str = annotation.__name__
        return f"[{name}](#{name.lower()})" if linked else name
    return f"`{annotation.__name__ if isinstance(annotation, type) else annotation}`"
