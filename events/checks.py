"""System checks of the events app. Messages name settings, event types and topics, never addresses."""

import sys
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from events.conf import DISTRIBUTION, EventsSettings, conf
from events.ports import get_producer
from events.producer_config import find_errors, is_needed
from events.tooling import OpenEdxPublicSignal


def register() -> None:
    """Have Django run the checks of this module."""
    for check in (check_package, check_settings, check_producer_config, check_producer, check_lease):
        checks.register(check, "events")


def check_package(**kwargs: Any) -> list[CheckMessage]:
    """Fail if `import events` finds somebody else's package, such as one installed over ours."""
    package = sys.modules[__package__]
    if getattr(package, "DISTRIBUTION", None) == DISTRIBUTION:
        return []
    return [
        checks.Error(
            f"`import events` finds somebody else's package: {package.__file__}.",
            hint="Remove the other package from the environment, then reinstall course-credit.",
            id="events.E001",
        )
    ]


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Fail for a setting that cannot be read."""
    problems: list[CheckMessage] = []
    for name, member in vars(EventsSettings).items():
        if isinstance(member, property):
            try:
                getattr(conf, name)
            except (ImproperlyConfigured, TypeError, ValueError) as exc:
                problems.append(checks.Error(f"The setting {name} cannot be used: {exc}", id="events.E002"))
    return problems


def check_producer_config(**kwargs: Any) -> list[CheckMessage]:
    """Fail for every mistake in `EVENT_BUS_PRODUCER_CONFIG`, which would otherwise show when an event is lost."""
    signals = {signal.event_type: signal for signal in OpenEdxPublicSignal.all_events()}
    return [
        checks.Error(str(error), hint="Correct EVENT_BUS_PRODUCER_CONFIG.", id="events.E003")
        for error in find_errors(conf.EVENT_BUS_PRODUCER_CONFIG, signals)
    ]


def check_producer(**kwargs: Any) -> list[CheckMessage]:
    """Fail if a topic is enabled and nothing would carry its events."""
    if not is_needed():
        return []
    try:
        producer_is_there = conf.EVENT_BUS_PRODUCER is not None and get_producer() is not None
    except ImproperlyConfigured as exc:
        return [checks.Error(str(exc), id="events.E004")]
    if producer_is_there:
        return []
    return [
        checks.Error(
            "EVENT_BUS_PRODUCER_CONFIG enables topics, but EVENT_BUS_PRODUCER is not set.",
            hint="Name a producer, such as events.bus.redis.create_producer, or disable the topics.",
            id="events.E004",
        )
    ]


def check_lease(**kwargs: Any) -> list[CheckMessage]:
    """Fail if a lease may end while its relay still waits for the bus: another relay would send the same events."""
    try:
        lease = conf.EVENTS_OUTBOX_LEASE_SECONDS
        patience = getattr(get_producer(), "patience", None) if is_needed() else None
    except ImproperlyConfigured:  # told by the other checks
        return []
    if patience is None or lease > patience():
        return []
    return [
        checks.Error(
            f"EVENTS_OUTBOX_LEASE_SECONDS is {lease.total_seconds():g}, but the bus may take "
            f"{patience().total_seconds():g} seconds for a batch: meanwhile another relay would send it too.",
            hint="Make the lease longer, or the time-outs in the address of the bus shorter.",
            id="events.E005",
        )
    ]
