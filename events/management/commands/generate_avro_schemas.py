"""Write the Avro schemas of events into files, for readers in other languages and to notice changes."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events import avro
from events.exceptions import EventSerializationError
from events.tooling import OpenEdxPublicSignal

DIRECTORY = Path(__file__).parents[2] / "avro_schemas"
"""Where the released schemas are."""


def file_name(event_type: str) -> str:
    """Return the name of the file that holds the schema of a type."""
    return f"{event_type.replace('.', '+')}_schema.avsc"


class Command(BaseCommand):
    """Write schemas, and ask before one is replaced."""

    help = "Write the Avro schema of each event type into a file. What has been released must never change."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the types, or all, and the directory."""
        parser.add_argument("event_types", nargs="*", metavar="event_type", help="full type of an event")
        parser.add_argument("--all", action="store_true", help="every registered type that can be on the bus")
        parser.add_argument("--dir", type=Path, default=DIRECTORY, help="where the files are (default: %(default)s)")
        parser.add_argument("--no-input", action="store_true", help="replace files without asking")

    def handle(self, *args: Any, event_types: list[str], all: bool, dir: Path, no_input: bool, **options: Any) -> None:
        """Write one file after the other."""
        if all == bool(event_types):
            raise CommandError("Name event types, or give --all.")
        signals = [_signal(event_type) for event_type in event_types] or [
            signal for signal in OpenEdxPublicSignal.all_events() if avro.is_fit_for_bus(signal)
        ]
        schemas = {dir / file_name(signal.event_type): _text(signal) for signal in signals}
        try:
            dir.mkdir(parents=True, exist_ok=True)
            for path, text in schemas.items():
                self._write(path, text, ask=not no_input)
        except OSError as exc:
            raise CommandError(str(exc)) from exc

    def _write(self, path: Path, text: str, *, ask: bool) -> None:
        if path.exists():
            if path.read_text() == text:
                self.stdout.write(f"{path.name}: is up to date")
                return
            if ask and input(f"{path} holds another schema. Replace it? [y/N] ").strip().lower() not in ("y", "yes"):
                self.stdout.write(f"{path.name}: kept")
                return
        path.write_text(text)
        self.stdout.write(f"{path.name}: written")


def _signal(event_type: str) -> OpenEdxPublicSignal:
    try:
        return OpenEdxPublicSignal.get_signal_by_type(event_type)
    except KeyError as exc:
        raise CommandError(f"There is no event type {event_type}.") from exc


def _text(signal: OpenEdxPublicSignal) -> str:
    try:
        return json.dumps(avro.schema(signal), indent=2) + "\n"
    except EventSerializationError as exc:
        raise CommandError(str(exc)) from exc
