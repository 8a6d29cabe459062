"""What has been released never changes: one schema file per type on the bus guards it (events contract 10.5, 14)."""

import io
import json
from pathlib import Path

import fastavro
import pytest
from django.core.management import CommandError, call_command

from events import avro
from events.management.commands.generate_avro_schemas import DIRECTORY
from events.tooling import OpenEdxPublicSignal
from tests.events.records import example

pytestmark = pytest.mark.database("sqlite")  # nothing here uses one, so once is enough

CREATED = "org.openedx.learning.course.enrollment.created.v1"
CREATED_FILE = "org+openedx+learning+course+enrollment+created+v1_schema.avsc"
IN_PROCESS_ONLY = "org.openedx.learning.forum.thread.created.v1"
ON_THE_BUS = [
    signal
    for signal in OpenEdxPublicSignal.all_events()
    if signal.module.startswith("events.") and avro.is_fit_for_bus(signal)
]

each_signal = pytest.mark.parametrize("signal", ON_THE_BUS, ids=lambda signal: signal.event_type)


def stored(event_type: str):
    return json.loads((DIRECTORY / f"{event_type.replace('.', '+')}_schema.avsc").read_text())


class TestReleasedSchemas:
    @each_signal
    def test_generated_schema_is_the_stored_one(self, signal):
        assert avro.schema(signal) == stored(signal.event_type)

    def test_there_is_no_file_without_a_type(self):
        assert len(list(DIRECTORY.iterdir())) == len(ON_THE_BUS) == 51

    @each_signal
    def test_record_written_with_either_schema_is_read_with_the_other(self, signal):
        raw = avro.encode(signal, {name: example(cls) for name, cls in signal.init_data.items()})
        plain = []
        for writer, reader in [
            (stored(signal.event_type), avro.schema(signal)),
            (avro.schema(signal), stored(signal.event_type)),
        ]:
            record = fastavro.schemaless_reader(io.BytesIO(raw), writer, reader)
            again = io.BytesIO()
            fastavro.schemaless_writer(again, writer, record)
            assert again.getvalue() == raw
            plain.append(record)
        assert plain[0] == plain[1]


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "schemas"

    @pytest.fixture
    def answer(self, monkeypatch):
        """Answer every question, and return the questions."""
        asked: list[str] = []

        def answer_with(text: str) -> list[str]:
            monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or text)
            return asked

        return answer_with

    def test_writes_the_named_types(self, folder, capsys):
        call_command("generate_avro_schemas", CREATED, dir=folder)
        assert [path.name for path in folder.iterdir()] == [CREATED_FILE]
        assert (folder / CREATED_FILE).read_text() == (DIRECTORY / CREATED_FILE).read_text()
        assert capsys.readouterr().out == f"{CREATED_FILE}: written\n"

    def test_writes_all_types_that_can_be_on_the_bus(self, folder):
        call_command("generate_avro_schemas", all=True, dir=folder)
        assert {path.name: path.read_text() for path in folder.iterdir()} == {
            path.name: path.read_text() for path in DIRECTORY.iterdir()
        }

    def test_released_files_are_up_to_date_so_nothing_is_asked(self, answer, capsys):
        asked = answer("n")
        call_command("generate_avro_schemas", all=True)
        assert asked == []
        assert {line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()} == {"is up to date"}

    @pytest.mark.parametrize(
        ("text", "is_replaced"), [("y", True), ("Yes", True), ("n", False), ("", False), ("what?", False)]
    )
    def test_asks_before_it_replaces_another_schema(self, folder, answer, text, is_replaced):
        asked = answer(text)
        folder.mkdir()
        (folder / CREATED_FILE).write_text("{}")
        call_command("generate_avro_schemas", CREATED, dir=folder)
        assert asked == [f"{folder / CREATED_FILE} holds another schema. Replace it? [y/N] "]
        assert ((folder / CREATED_FILE).read_text() != "{}") == is_replaced

    def test_replaces_without_asking_if_told_so(self, folder, answer):
        asked = answer("n")
        folder.mkdir()
        (folder / CREATED_FILE).write_text("{}")
        call_command("generate_avro_schemas", CREATED, dir=folder, no_input=True)
        assert asked == []
        assert (folder / CREATED_FILE).read_text() != "{}"

    @pytest.mark.parametrize(
        ("types", "options", "why"),
        [
            pytest.param([], {}, "Name event types, or give --all", id="neither"),
            pytest.param([CREATED], {"all": True}, "Name event types, or give --all", id="both"),
            pytest.param([CREATED, "org.example.v1"], {}, "There is no event type org.example.v1", id="unknown"),
            pytest.param([IN_PROCESS_ONLY], {}, "thread.discussion", id="without a schema"),
        ],
    )
    def test_bad_arguments_write_nothing(self, folder, types, options, why):
        with pytest.raises(CommandError, match=why):
            call_command("generate_avro_schemas", *types, dir=folder, **options)
        assert not folder.exists()

    def test_directory_that_cannot_be_written_is_said(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(CommandError, match=r"exists|Not a directory"):
            call_command("generate_avro_schemas", CREATED, dir=tmp_path / "file")
