"""Fill an empty database with the sample site: `manage.py load_sample SAMPLE.json --settings demo.settings`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from demo.rows import load
from demo.sample import Sample


class Command(BaseCommand):
    help = "Write the rows of a sample that `python -m demo` has made. The database must not have them yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sample", type=Path, help="file that holds the sample as JSON")

    def handle(self, *args: Any, sample: Path, **options: Any) -> None:
        load(Sample.read(sample))
