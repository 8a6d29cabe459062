"""`docs/events.md` tells of every event there is."""

from pathlib import Path

from events.tooling import OpenEdxPublicSignal

DOCUMENT = (Path(__file__).parents[2] / "docs" / "events.md").read_text()


def test_catalogue_lists_every_type_with_its_argument():
    signals = [signal for signal in OpenEdxPublicSignal.all_events() if signal.event_type.startswith("org.")]
    missing = [
        signal.event_type
        for signal in signals
        for name, cls in signal.init_data.items()
        if not any(
            f"`{signal.event_type}`" in line and f"`{name}`: {cls.__name__} " in line for line in DOCUMENT.splitlines()
        )
    ]
    assert signals
    assert missing == []
