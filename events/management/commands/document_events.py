"""Keep a document's catalogue of events up to date."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.documentation import MARK, catalogue, with_catalogue


class Command(BaseCommand):
    """Print the catalogue, or put it into a document."""

    help = "Print the catalogue of events, put it into a Markdown document, or check that the document has it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a document and whether to change it."""
        parser.add_argument("document", nargs="?", type=Path, help=f"replaces what follows the line {MARK}")
        parser.add_argument("--check", action="store_true", help="change nothing; fail if the document is out of date")

    def handle(self, *args: Any, document: Path | None, check: bool, **options: Any) -> None:
        """Do it."""
        if document is None:
            self.stdout.write(catalogue())
            return
        try:
            present = document.read_text()
            wanted = with_catalogue(present)
        except (OSError, ValueError) as exc:
            raise CommandError(str(exc)) from exc
        if check and present != wanted:
            raise CommandError(f"{document} is out of date: run `manage.py document_events {document}`.")
        if not check:
            document.write_text(wanted)
