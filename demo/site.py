"""The sample site: a fresh data folder, and every process that the service has in production."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe

import attrs
import requests

from demo.processes import Processes, free_port
from demo.report import Report, Surprise
from demo.sample import Sample, new_sample

ROOT = Path(__file__).resolve().parent.parent
MANAGE = str(ROOT / "manage.py")


@attrs.frozen
class Site:
    """A running sample site."""

    sample: Sample
    folder: Path
    url: str
    sandbox_url: str
    processes: Processes

    @property
    def mail_folder(self) -> Path:
        return self.folder / "mail"


@contextmanager
def running_site(report: Report, folder: Path, *, ports: tuple[int, int], wrong_keys: bool) -> Iterator[Site]:
    """Set the site up and start it, told step by step; end all of it with the block.

    Args:
        ports: preferred ones of the web process and the sandbox; 0 for any.
        wrong_keys: give the sandbox keys that the service does not have.
    """
    folder = folder.resolve()
    url, sandbox_url = (f"http://127.0.0.1:{free_port(port)}" for port in ports)
    sample = new_sample(sandbox_url)
    report.heading("Setting up")
    with report.step("Demo", f"takes the data folder {folder}"):
        _require_empty(folder)
        (folder / "logs").mkdir(parents=True)
        sample.write(folder / "sample.json")

    with Processes(_environment(folder, sample.keys, url), folder=ROOT, logs=folder / "logs") as processes:
        with report.step("Demo", "migrates a new SQLite database"):
            processes.run("migrate", MANAGE, "migrate", "--verbosity", "0")
        with report.step("Demo", "loads a course for credit, two universities, three learners, one registrar"):
            processes.run("load_sample", MANAGE, "load_sample", str(folder / "sample.json"))
        _start_web(report, processes, url)
        _start_worker(report, processes)
        keys = {provider_id: token_urlsafe() for provider_id in sample.keys} if wrong_keys else sample.keys
        _start_sandbox(report, processes, sandbox_url, keys, url)
        yield Site(sample, folder, url, sandbox_url, processes)
        names = ", ".join(processes.names)
        with report.step("Demo", f"ends its processes: {names}"):
            processes.stop()


def _require_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise Surprise(f"The folder {folder} is not empty, and nothing there is to be overwritten.")


def _environment(folder: Path, keys: dict[str, str], url: str) -> dict[str, str]:
    own = {
        "DJANGO_SETTINGS_MODULE": "demo.settings",
        "COURSE_CREDIT_DATA_DIR": str(folder),
        "CREDIT_PROVIDER_SECRET_KEYS": json.dumps(keys),
        "DEMO_SITE_NAME": url.removeprefix("http://"),
        "PYTHONPATH": str(ROOT),
    }
    return {**os.environ, **own}


def _start_web(report: Report, processes: Processes, url: str) -> None:
    with report.step("Web", f"starts at {url}") as step:
        processes.start("web", MANAGE, "runserver", "--noreload", url.removeprefix("http://"))
        processes.wait_for(lambda: _status(f"{url}/readyz") == 200)
        step.outcome = "200"


def _start_worker(report: Report, processes: Processes) -> None:
    with report.step("Worker", "starts with beat, on a broker made of files"):
        processes.start("worker", "-m", "celery", "-A", "settings", "worker", "--beat", "--concurrency", "1")
        processes.wait_for(lambda: b"ready." in processes.log("worker").read_bytes())


def _start_sandbox(report: Report, processes: Processes, sandbox_url: str, keys: dict[str, str], url: str) -> None:
    with report.step("Sandbox", f"starts at {sandbox_url}, playing both universities") as step:
        processes.start(
            "sandbox",
            *(MANAGE, "provider_sandbox", "--port", sandbox_url.rpartition(":")[2], "--service-url", url),
            environment={"CREDIT_PROVIDER_SECRET_KEYS": json.dumps(keys)},
        )
        processes.wait_for(lambda: _status(sandbox_url) == 200)
        step.outcome = "200"


def _status(url: str) -> int | None:
    with requests.Session() as session:
        session.trust_env = False  # no proxy between processes of one machine
        try:
            return session.get(url, timeout=5).status_code
        except requests.RequestException:
            return None
