"""The newcomer's demo, as `make demo` and `make run` start it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),  # that of the demo, so once is enough
]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "site"


def demo(folder, *options):
    """Start the demo with its data in a folder."""
    # Variables that this suite runs with must not leak into the demo, which has settings of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    return subprocess.Popen(
        [sys.executable, "-m", "demo", "--data-dir", folder, *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def play(folder, *options):
    """Run the demo to its end; return its exit status and what it told."""
    with demo(folder, *options) as process:
        told, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, told


def told_until(process, text):
    """Read what the demo tells until a line holds a text."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"It ended without {text!r}:\n{''.join(lines)}")


def processes_of(folder):
    """Return the command of every process whose environment names the folder, by process id."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = path.read_bytes()
            command = (path.parent / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if os.fsencode(folder) in environment:
            found[int(path.parent.name)] = command
    return found


def test_the_journey_is_told_to_its_end(folder):
    status, told = play(folder)
    assert status == 0, told
    steps = re.findall(r"^ +\d+  (.*?) +(\d{3}|done)$", told, re.MULTILINE)
    expected = [
        ("Demo        migrates a new SQLite database", "done"),
        ("Amara       gets a JSON Web Token: valid for 3600 seconds", "200"),
        ("Amara       asks whether credit is open: not yet", "200"),
        ("Registrar   enters Amara's grade, 0.91 where 0.7 is needed: satisfied", "200"),
        ("Amara       asks whether credit is open: not yet", "200"),
        ("Registrar   enters Amara's proctored exam: satisfied", "200"),
        ("Worker      mails Amara", "done"),
        ("Amara       asks Northlake University for credit: gets a signed form", "200"),
        ("Northlake   verifies the form: the signature is right", "200"),
        ("Northlake   decides “approved” and sends a signed callback: taken", "200"),
        ("Registrar   looks up Amara's request to Northlake University: approved", "200"),
        ("Bruno       gets a bearer token: valid for 3600 seconds", "200"),
        ("St Columba  decides “rejected” and sends a signed callback: taken", "200"),
        ("Registrar   looks up Bruno's request to St Columba College: rejected", "200"),
        ("Registrar   enters Chiara's proctored exam: failed", "200"),
        ("Chiara      asks Northlake University for credit: refused, user_not_eligible", "400"),
        (f"Mail        landed in {folder}/mail: 2 messages", "done"),
        ("Demo        ends its processes: web, worker, sandbox", "done"),
    ]
    assert [step for step in steps if step in expected] == expected, told
    assert "credit from Northlake University and St Columba College" in told
    assert "1 x org.coursecredit.learning.credit.request.approved.v1  by web" in told
    assert told.endswith("All went well.\n")
    assert processes_of(folder) == {}


def test_a_surprise_ends_it_and_names_the_step(folder):
    status, told = play(folder, "--wrong-keys")
    assert status == 1, told
    assert re.search(r"Step \d+ failed: Browser posts Amara's form", told)
    assert "The signature is wrong." in told
    assert processes_of(folder) == {}


def test_a_folder_with_other_things_is_left_alone(folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("Years of work")
    status, told = play(folder)
    assert status == 1
    assert "Step 1 failed" in told
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_an_interrupted_journey_leaves_nothing_running(folder, number):
    with demo(folder) as process:
        told_until(process, "Worker ")
        process.send_signal(number)
        told, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told.endswith("Every process has been ended.\n")) == (130, True), told
    assert processes_of(folder) == {}


def test_the_site_is_served_until_ctrl_c(folder):
    with demo(folder, "--serve", "--any-ports") as process:
        told = told_until(process, "Stop with Ctrl-C.")
        url = re.search(r"staff pages +(http://\S+)admin/", told)[1]
        client_id, secret = re.search(r"^ +amara +\S+ +(\S+) +(\S+)$", told, re.MULTILINE).groups()
        pages = [f"{url}admin/login/", f"{url}api/docs/", re.search(r"universities +(http://\S+)", told)[1]]
        assert [requests.get(page, timeout=30).status_code for page in pages] == [200, 200, 200]
        token = requests.post(
            f"{url}oauth2/access_token",
            {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret},
            timeout=30,
        )
        assert token.status_code == 200
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert processes_of(folder) == {}


def test_a_served_site_that_breaks_says_so(folder):
    with demo(folder, "--serve", "--any-ports") as process:
        told = told_until(process, "Stop with Ctrl-C.")
        port = int(re.search(r"universities +http://127\.0\.0\.1:(\d+)", told)[1])
        [sandbox] = [pid for pid, command in processes_of(folder).items() if f"--port {port} " in command]
        os.kill(sandbox, signal.SIGKILL)
        told, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "The process 'sandbox' has ended." in told
    assert processes_of(folder) == {}
