"""Every import contract bites: one forbidden line, planted in a copy of the packages, breaks it."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.database("sqlite")  # nothing here uses one, so once is enough

ROOT = Path(__file__).resolve().parents[2]
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
BROKEN = 1  # exit status of lint-imports; a contract that cannot be read exits so too, but without the word below

# contract, file that gets a line, the line
PLANTED = [
    ("apps", "coursecredit/conf.py", "import events.data"),
    ("apps", "events/api.py", "import enrollment.api"),
    ("apps", "enrollment/apps.py", "import credit.api"),
    ("apps", "credit/apps.py", "import program_enrollments.api"),
    ("layers", "credit/models/requests.py", "import credit.api"),
    ("layers", "credit/api/eligibility.py", "import credit.tasks"),
    ("layers", "enrollment/querysets.py", "import enrollment.models"),
    ("layers", "credit/helpers.py", "# a module that nobody has given a place"),
    ("events", "events/tooling.py", "import events.api"),
    ("doors-of-credit", "coursecredit/conf.py", "import credit.models"),
    ("doors-of-enrollment", "credit/backends.py", "import enrollment.models"),
    ("doors-of-enrollment", "credit/backends.py", "from enrollment import data"),
    ("doors-of-program-enrollments", "coursecredit/conf.py", "import program_enrollments.models"),
    ("doors-of-events", "credit/backends.py", "import events.outbox"),
    ("no-http", "credit/api/provider.py", "import rest_framework.exceptions"),
    ("no-http", "credit/querysets.py", "import rest_framework"),
    ("no-http", "enrollment/errors.py", "import rest_framework"),
    ("enrollment-data", "enrollment/ports.py", "import enrollment.data"),
    ("site", "coursecredit/conf.py", "import settings.base"),
    ("site", "credit/apps.py", "from tests import support"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the packages and of the contracts."""
    for package in LINTER["root_packages"]:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def check(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache", "--contract", contract]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_contract_has_a_proof():
    assert {contract["id"] for contract in LINTER["contracts"]} == {contract for contract, _, _ in PLANTED}


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED)
def test_one_forbidden_line_breaks_the_contract(copy, contract, file, line):
    kept = check(copy, contract)
    assert kept.returncode == 0, kept.stdout

    with (copy / file).open("a") as module:
        module.write(f"\n{line}\n")
    broken = check(copy, contract)
    assert (broken.returncode, "BROKEN" in broken.stdout) == (BROKEN, True), broken.stdout
