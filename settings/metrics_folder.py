"""Where the processes of one service count together. Imports nothing: prometheus-client looks once, when imported."""

import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "course-credit-metrics-"


def share() -> None:
    """Name a folder for what this process and its children will count, unless one is named already."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix=PREFIX)


def forget() -> None:
    """Delete the folder if it is ours."""
    folder = Path(os.environ.get(VARIABLE, ""))
    if folder.name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
