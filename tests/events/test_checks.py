"""Checks of the events app."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import events
from events.checks import check_package

SITE = """
from django.conf import settings
settings.configure(INSTALLED_APPS=["events"])
import django
django.setup()
from django.core.management import call_command
call_command("check")
"""


def test_our_own_package_passes():
    assert check_package() == []


def test_somebody_elses_package_is_an_error_that_names_it(tmp_path):
    """Another distribution with the same package name overwrites our `__init__.py` when it is installed later."""
    shutil.copytree(Path(events.__file__).parent, tmp_path / "events")
    (tmp_path / "events" / "__init__.py").write_text('"""Somebody else\'s events."""\n')
    check = run(tmp_path)
    assert check.returncode == 1
    assert "events.E001" in check.stderr
    assert str(tmp_path / "events" / "__init__.py") in check.stderr


def test_copy_of_our_own_package_passes(tmp_path):
    shutil.copytree(Path(events.__file__).parent, tmp_path / "events")
    check = run(tmp_path)
    assert (check.returncode, check.stderr) == (0, "")


def run(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", SITE], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


pytestmark = pytest.mark.rule("events.E001")
