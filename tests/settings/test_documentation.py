"""docs/settings.md against the code: every variable and every setting, and none that is not read."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "settings.md").read_text()
PREFIXES = {"credit": "CREDIT_", "enrollment": "ENROLLMENT_", "events": "EVENTS_"}
DJANGOS_OWN = {"DEBUG", "AUTH_USER_MODEL", "EMAIL_TIMEOUT", "CSRF_COOKIE_AGE", "SECRET_KEY"}


def table(heading):
    """Return the names in the first column of the table below a heading."""
    section = re.split(r"^#+ .*$", DOCUMENT.partition(heading)[2], flags=re.MULTILINE)[0]
    return [row.group(1) for row in re.finditer(r"^\| \**`([^`]+)`", section, re.MULTILINE)]


def calls(path):
    """Yield the name of every method that a module calls with a text first, and this text."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            yield ast.unparse(node.func), node.args[0].value


def variables(path):
    return {name for function, name in calls(path) if function.startswith("env.")}


WHOLE_NAMES = ("_get_site", "_duration", "_count", "_one_of", "_dotted_path")
MEMBERS = ("_member", "_number")  # of a setting that is a mapping


def published_settings(app):
    for function, name in calls(f"{app}/conf.py"):
        if function == "self._get":
            yield PREFIXES[app] + name
        elif function.removeprefix("self.") in (*WHOLE_NAMES, *MEMBERS):
            yield name


def test_every_variable_of_production_is_documented():
    documented = table("## 2. Variables of the service in production")
    read = variables("settings/production.py") | variables("settings/gunicorn.py")
    assert sorted(documented) == sorted(read)


def test_every_variable_of_development_is_documented():
    assert variables("settings/development.py") == {"COURSE_CREDIT_DATA_DIR", "CREDIT_PROVIDER_SECRET_KEYS"}
    assert all(f"`{name}`" in DOCUMENT for name in variables("settings/development.py"))


def test_variables_without_default_are_marked():
    marked = re.findall(r"^\| \*\*`([^`]+)`\*\*", DOCUMENT, re.MULTILINE)
    needed = {
        name
        for function, name in calls("settings/production.py")
        if function.rpartition(".")[2]
        in {"required", "secret", "signing_key", "database", "cache_server", "mail_server"}
    }
    assert sorted(marked) == sorted(name for name in needed if not name.startswith("LMS_"))


@pytest.mark.parametrize("app", ["credit", "enrollment", "events", "program_enrollments"])
def test_every_setting_of_an_app_is_documented(app):
    documented = {name.removeprefix('FEATURES["').removesuffix('"]') for name in table(f"### {app}")}
    read = set(published_settings(app)) - DJANGOS_OWN
    read = {"ENABLE_CREDIT_ELIGIBILITY" if name == "FEATURES" else name for name in read}
    assert documented == read
