"""Which events go to which topics: a checked view of `EVENT_BUS_PRODUCER_CONFIG`."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

import attrs
from opaque_keys import OpaqueKey

from events.avro import is_fit_for_bus
from events.avro.shapes import Nullable, Plain, Record, Shape, Text, shape_of
from events.conf import MODES, conf
from events.exceptions import ProducerConfigurationError
from events.privacy import PERSONAL
from events.types import EventDefinition

LONGEST_KEY = 255  # characters, as in the outbox
LONGEST_TOPIC = 255  # characters, as in the outbox
KEY_TYPES = (str, int, UUID)
REQUIRED = (("event_key_field", str), ("enabled", bool))
OPTIONAL = (("redact_pii", bool), ("mode", str))


@attrs.frozen
class Topic:
    """Where events of one type go.

    Attributes:
        name: without the environment's prefix.
        key_field: dotted path of the key in the payload.
        mode: `outbox` or `on-commit`.
        redact_pii: whether names, usernames and e-mail addresses are left empty.
    """

    name: str
    key_field: str
    mode: str
    redact_pii: bool

    @property
    def is_direct(self) -> bool:
        """Whether events are sent at once and at most once, without a row in the outbox."""
        return self.mode != MODES[0]


def topics_of(event_type: str) -> tuple[Topic, ...]:
    """Return the enabled topics of an event type; start-up has checked the configuration."""
    configured = conf.EVENT_BUS_PRODUCER_CONFIG.get(event_type)
    if not configured:
        return ()
    return tuple(
        Topic(name, entry["event_key_field"], entry.get("mode") or conf.EVENT_BUS_PRODUCER_MODE, _redacts(entry))
        for name, entry in configured.items()
        if entry["enabled"]
    )


def enabled_topics() -> set[str]:
    """Return the names of all topics that events of any type go to."""
    return {topic.name for event_type in conf.EVENT_BUS_PRODUCER_CONFIG for topic in topics_of(event_type)}


def is_needed() -> bool:
    """Say whether any topic is enabled, so that there must be a producer. The configuration may be broken."""
    config = conf.EVENT_BUS_PRODUCER_CONFIG
    entries = config.values() if isinstance(config, Mapping) else ()
    topics = [topic for entry in entries if isinstance(entry, Mapping) for topic in entry.values()]
    return any(isinstance(topic, Mapping) and topic.get("enabled") is True for topic in topics)


def merge_producer_configs(original: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration in which `overrides` win, type by type, topic by topic, setting by setting.

    What an override leaves out, or gives as None, stays. The arguments are left as they are.
    """
    merged = {
        event_type: {name: dict(entry) for name, entry in topics.items()} for event_type, topics in original.items()
    }
    for event_type, topics in overrides.items():
        for name, entry in topics.items():
            settings = merged.setdefault(event_type, {}).setdefault(name, {})
            settings.update({setting: value for setting, value in entry.items() if value is not None})
    return merged


def key_of(data: Mapping[str, Any], key_field: str) -> str:
    """Return the text of the key in a payload. A text that does not fit the outbox is replaced by its SHA-256.

    Raises:
        ProducerConfigurationError: the path leads nowhere; the text names the path and the step.
    """
    value: Any = data
    for step in key_field.split("."):
        value = value.get(step) if isinstance(value, Mapping) else getattr(value, step, None)
        if value is None:
            raise ProducerConfigurationError(message=f"The key path {key_field!r} leads nowhere at {step!r}.")
    text = str(value)
    if len(text) > LONGEST_KEY or "\0" in text:
        return sha256(text.encode(errors="surrogatepass")).hexdigest()
    return text


def validate(config: Any, definitions: Mapping[str, EventDefinition]) -> None:
    """Check a configuration.

    Args:
        config: what `EVENT_BUS_PRODUCER_CONFIG` is to be.
        definitions: every registered signal, by its event type.

    Raises:
        ProducerConfigurationError: the first error that was found.
    """
    for error in find_errors(config, definitions):
        raise error


def find_errors(config: Any, definitions: Mapping[str, EventDefinition]) -> Iterator[ProducerConfigurationError]:
    """Yield everything that is wrong with a configuration; see `validate`."""
    if not isinstance(config, dict):
        yield ProducerConfigurationError(message="EVENT_BUS_PRODUCER_CONFIG must be a dict.")
        return
    for event_type, topics in config.items():
        for complaint in _complaints_of_type(event_type, topics, definitions):
            yield ProducerConfigurationError(str(event_type), complaint)


def _complaints_of_type(event_type: Any, topics: Any, definitions: Mapping[str, EventDefinition]) -> Iterator[str]:
    signal = definitions.get(event_type)
    if not isinstance(topics, dict):
        yield "the configuration of an event type must be a dict of topics."
        return
    if signal is None:
        yield "no such event type is known."
    elif not is_fit_for_bus(signal):
        yield "this event type is not fit for the bus: it stays within the process."
        signal = None
    for name, entry in topics.items():
        for complaint in _complaints_of_topic(name, entry, signal):
            yield f"topic {name!r}: {complaint}"


def _complaints_of_topic(name: Any, entry: Any, signal: EventDefinition | None) -> Iterator[str]:
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_TOPIC:
        yield f"its name must be a text of up to {LONGEST_TOPIC} characters."
    if not isinstance(entry, dict):
        yield "its configuration must be a dict."
        return
    for setting, expected in REQUIRED:
        if setting not in entry:
            yield f"{setting} is missing."
        elif type(entry[setting]) is not expected:
            yield f"{setting} must be {expected.__name__}, not {type(entry[setting]).__name__}."
    for setting, expected in OPTIONAL:
        if entry.get(setting) is not None and type(entry[setting]) is not expected:
            yield f"{setting} must be {expected.__name__}, not {type(entry[setting]).__name__}."
    if entry.get("mode") not in (None, *MODES):
        yield f"mode must be one of {', '.join(MODES)}."
    if signal is not None and isinstance(entry.get("event_key_field"), str):
        complaint = _complaint_of_path(entry["event_key_field"], signal, redacts=_redacts(entry))
        if complaint:
            yield f"event_key_field {entry['event_key_field']!r} {complaint}"


def _complaint_of_path(path: str, signal: EventDefinition, *, redacts: bool) -> str | None:
    """Follow a key path through the classes of an event, and say at which step it cannot be a key."""
    argument, *steps = path.split(".")
    if argument not in signal.init_data:
        return f"does not exist: the event has no argument {argument!r}."
    shape: Shape = shape_of(signal.init_data[argument], argument)
    for step in steps:
        fields = {field.name: field.shape for field in shape.fields} if isinstance(shape, Record) else {}
        if step not in fields:
            return f"does not exist: there is no {step!r}."
        if redacts and step == PERSONAL:
            return f"lies in {PERSONAL!r}, which redact_pii leaves empty."
        shape = fields[step]
        if isinstance(shape, Nullable):
            return f"may be null at {step!r}."
    if isinstance(shape, Plain | Text) and (shape.cls in KEY_TYPES or issubclass(shape.cls, OpaqueKey)):
        return None
    return "must lead to a text, an int, a UUID or a key."


def _redacts(entry: Mapping[str, Any]) -> bool:
    return entry.get("redact_pii") is True
