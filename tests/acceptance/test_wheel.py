"""The wheel: what is in it, and how it behaves in an empty Django site that has nothing of ours but the wheel."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("coursecredit", "events", "enrollment", "credit", "program_enrollments")
PACKAGES = {name for name in NAMES if (ROOT / name).is_dir()}
APPS = PACKAGES - {"coursecredit"}
NEVER = {"settings", "tests", "demo", "bench"}
SERVICE_ONLY = [
    "demo",
    "drf_spectacular",
    "edx_rest_framework_extensions",
    "environ",
    "oauth2_provider",
    "settings.production",  # `settings` alone comes with edx-opaque-keys, which installs one by mistake
    "structlog",
]
FIRST_OF_THE_APPS = {
    "events": ["events"],
    "enrollment": ["events", "simple_history", "enrollment"],
    "program_enrollments": ["events", "simple_history", "enrollment", "program_enrollments"],
}

OURS = ("COV_", "DATABASE_", "DJANGO_", "PYTEST_", "PYTHON", "TEST_")  # variables that a newcomer does not have

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),  # that of the new sites, so once is enough
    pytest.mark.xdist_group("wheel"),  # which takes long to build
]


def run(*command, cwd, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environment, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **variables},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Copy the tree: building leaves folders behind, and must not find those of earlier builds."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "var", "*.pyc")
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("source") / "tree", ignore=ignored)


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source, cwd=folder)
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """Return the interpreter of a new environment with the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    interpreter = folder / "bin" / "python"
    constraints = ROOT / "constraints.txt"
    run(interpreter, "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel, cwd=folder)
    return interpreter


@pytest.fixture
def site(python, tmp_path):
    """Return a maker of new Django projects, migrated, with more settings and addresses; it returns their folder."""

    def site(settings, urls=""):
        run(python, "-m", "django", "startproject", "host", ".", cwd=tmp_path)
        append(tmp_path / "host" / "settings.py", settings)
        append(tmp_path / "host" / "urls.py", urls)
        run(python, "-W", "error", "manage.py", "check", "--fail-level", "WARNING", cwd=tmp_path)
        run(python, "manage.py", "migrate", "--verbosity", "0", cwd=tmp_path)
        run(python, "manage.py", "makemigrations", "--check", "--dry-run", cwd=tmp_path)
        return tmp_path

    return site


def append(path, text):
    path.write_text(f"{path.read_text()}\n{text}\n")


def readme_blocks():
    """Return what README tells the owner of a site to add to settings.py and to urls.py."""
    blocks = re.findall(r"^```python\n# (settings|urls)\.py\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    found = dict(blocks)
    return found["settings"], found["urls"]


def test_wheel_holds_the_packages_and_all_of_them(source, wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.split("/")[0].endswith(".dist-info")}
    files = {path.relative_to(source).as_posix() for name in PACKAGES for path in (source / name).rglob("*")}
    assert packed == {name for name in files if (source / name).is_file()}
    assert {name.split("/")[0] for name in packed} == PACKAGES
    assert not NEVER & PACKAGES


def test_wheel_holds_what_is_not_python(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.namelist()
    assert {f"{name}/py.typed" for name in PACKAGES} <= set(packed)
    for needed in ("credit/templates/", "credit/static/", "credit/migrations/0001", "enrollment/migrations/0001"):
        assert any(name.startswith(needed) for name in packed), needed
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in packed)


def test_environment_has_nothing_of_the_service(python, tmp_path):
    code = "import importlib.util, sys; print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])"
    assert run(python, "-c", code, *SERVICE_ONLY, cwd=tmp_path) == "[]\n"


@pytest.mark.parametrize("apps", FIRST_OF_THE_APPS.values(), ids=FIRST_OF_THE_APPS)
def test_apps_work_without_those_above(python, site, apps):
    folder = site(f"INSTALLED_APPS += {apps!r}")
    code = f"import django, sys; django.setup(); print(sorted({APPS!r} & set(sys.modules) - set(sys.argv[1:])))"
    assert run(python, "-c", code, *apps, cwd=folder, DJANGO_SETTINGS_MODULE="host.settings") == "[]\n"


REQUESTS = """
from django.contrib.auth.models import User
from django.test import Client

client = Client(headers={"Host": "localhost"})
path = "/api/credit/v1/providers/"
anonymous = client.get(path)
client.force_login(User.objects.create_user("learner"))
known = client.get(path)
print(anonymous.status_code, anonymous["WWW-Authenticate"], anonymous.json()["detail"])
print(known.status_code, known.json())
"""


def test_site_set_up_as_readme_says_answers(python, site):
    folder = site(*readme_blocks())
    answers = run(python, "manage.py", "shell", "--verbosity", "0", "--command", REQUESTS, cwd=folder)
    assert answers == "401 Token Authentication credentials were not provided.\n200 []\n"
