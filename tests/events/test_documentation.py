"""`docs/events.md` tells of every event there is, and its catalogue is made from the code (issue 4, item 10)."""

import ast
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from events.documentation import MARK, catalogue
from events.learning.signals import EXAM_ATTEMPT_RESET
from events.tooling import OpenEdxPublicSignal

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "events.md"
APPS = ("enrollment", "credit")


def test_document_has_the_catalogue_of_the_code():
    call_command("document_events", DOCUMENT, "--check")


def test_command_without_a_document_prints_the_catalogue():
    printed = StringIO()
    call_command("document_events", stdout=printed)
    assert printed.getvalue().strip() == catalogue().strip()


def test_command_replaces_what_follows_the_mark(tmp_path):
    document = tmp_path / "events.md"
    document.write_text(f"# Ours\n{MARK}\nold")
    with pytest.raises(CommandError, match="is out of date"):
        call_command("document_events", document, "--check")
    assert document.read_text().endswith("old")

    call_command("document_events", document)
    assert document.read_text() == f"# Ours\n{MARK}\n\n{catalogue()}"
    call_command("document_events", document, "--check")


@pytest.mark.parametrize(("text", "why"), [(None, "No such file"), ("# Ours", "has no line")])
def test_command_refuses_a_document_that_has_no_place_for_it(tmp_path, text, why):
    document = tmp_path / "events.md"
    if text is not None:
        document.write_text(text)
    with pytest.raises(CommandError, match=why):
        call_command("document_events", document)


def test_catalogue_lists_every_event_with_its_argument():
    text = catalogue()
    for signal in OpenEdxPublicSignal.all_events():
        assert f"`{signal.event_type}`" in text
        for name, cls in signal.init_data.items():
            assert f"`{name}`: [{cls.__name__}](#{cls.__name__.lower()})" in text or f"`{name}`: {cls.__name__}" in text


def test_connected_receiver_of_an_app_makes_the_event_one_that_is_received():
    def receiver(**kwargs): ...

    receiver.__module__ = "credit.handlers"
    heading = f"### `{EXAM_ATTEMPT_RESET.event_type}`"
    EXAM_ATTEMPT_RESET.connect(receiver)
    try:
        assert "| received by | credit |" in catalogue().partition(heading)[2].partition("### ")[0]
    finally:
        EXAM_ATTEMPT_RESET.disconnect(receiver)


@pytest.mark.parametrize("app", APPS)
def test_documented_sender_is_who_sends(app):
    """An app's handlers import what they receive; whatever else it imports, it sends."""
    imported = {
        (node.module, alias.name)
        for path in (ROOT / app).rglob("*.py")
        if path.name != "handlers.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("events.")
        for alias in node.names
        if node.module.endswith(".signals")
    }
    sent = {getattr(sys.modules[module], name).event_type for module, name in imported}
    documented = {
        signal.event_type
        for signal in OpenEdxPublicSignal.all_events()
        if signal.about is not None and signal.about.sender == app
    }
    assert documented == sent
