"""PostgreSQL: leave room in each page, so that a lease is written beside its row and touches no index."""

from typing import Any

from django.db import migrations


def leave_room(apps: Any, schema_editor: Any) -> None:
    _set_fillfactor(schema_editor, 70)


def fill_up(apps: Any, schema_editor: Any) -> None:
    _set_fillfactor(schema_editor, 100)


def _set_fillfactor(schema_editor: Any, percent: int) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE events_outboxevent SET (fillfactor = {percent})")


class Migration(migrations.Migration):
    dependencies = [("events", "0001_outbox_and_processed_events")]
    operations = [migrations.RunPython(leave_room, fill_up)]
