"""What the documents tell people to type works, and their links lead somewhere.

The site of the README is made as it says; make's targets are planned here and run by `.ci/run`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.database("sqlite")  # that of a new Django project, so once is enough

ROOT = Path(__file__).resolve().parents[2]
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
DOCUMENTS = [README, CONTRIBUTING, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN_BY_CI = {"setup", "check", "demo", "test"}
ANONYMOUS = """
from django.test import Client
print(Client(SERVER_NAME="localhost").get("/api/credit/v1/providers/").status_code)
"""


def blocks(document: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)


def commands(document: Path) -> list[str]:
    """Return the lines of its shell blocks."""
    return [line for block in blocks(document, "sh") for line in block.splitlines()]


def run(*command: str, cwd: Path = ROOT) -> str:
    """Run a command in a clean environment; return what it says, or fail with it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DATABASE_", "COV"))}
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Return a new Django project with what the README adds to its files."""
    folder = tmp_path_factory.mktemp("site")
    run(sys.executable, "-m", "django", "startproject", "university", str(folder))
    for block in blocks(README, "python"):
        name = block.partition("\n")[0].removeprefix("# ")
        with (folder / "university" / name).open("a") as module:
            module.write(block)
    return folder


def try_out(command: str, site: Path) -> None:
    """Do what a command does, as far as that is possible inside the suite."""
    words = command.split()
    match words:
        case ["git", "clone", *_]:
            pass  # the suite runs in what it makes
        case ["make", target, *_]:
            assert f"make {target} " in run("make", "help")
            run("make", "--dry-run", f"VENV={sys.prefix}", target)
        case ["python", "-m", "pip", "install", "course-credit"]:
            run(sys.executable, *words[1:], "--no-index")
        case ["python", "manage.py", *_]:
            run(sys.executable, *words[1:], cwd=site)
        case [".venv/bin/pytest", *paths]:
            run(sys.executable, "-m", "pytest", "--collect-only", "--quiet", *paths)
        case _:
            pytest.fail(f"Nobody has said how to try out: {command}")


@pytest.mark.slow
@pytest.mark.parametrize("document", [README, CONTRIBUTING], ids=lambda path: path.name)
def test_every_command_works(document, site):
    for command in commands(document):
        try_out(command, site)


@pytest.mark.slow
def test_the_site_of_the_readme_is_in_order_and_lets_nobody_in_unasked(site):
    assert "no issues" in run(sys.executable, "manage.py", "check", "--fail-level", "WARNING", cwd=site)
    run(sys.executable, "manage.py", "migrate", cwd=site)
    assert run(sys.executable, "manage.py", "shell", "-v", "0", "-c", ANONYMOUS, cwd=site).split()[-1] == "401"


def test_ci_runs_what_newcomers_type():
    script = (ROOT / ".ci" / "run").read_text()
    assert set(re.findall(r"make ([a-z]+)$", script, re.MULTILINE)) >= RUN_BY_CI


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(document):
    targets = re.findall(r"\]\(([^)#:]+)\)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []
