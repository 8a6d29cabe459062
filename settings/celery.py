"""The service's Celery application, and the site's own periodic work."""

import time
from typing import Any

import click
import django
from celery import Celery, bootsteps, signals
from django.core.management import BaseCommand, call_command
from django.core.management.base import SystemCheckError

from settings import metrics_folder

app = Celery("course_credit")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.task(name="settings.celery.delete_expired")
def delete_expired() -> None:
    """Delete bearer tokens and sessions that are of no use to anybody any more."""
    call_command("cleartokens")
    call_command("clearsessions")


@signals.worker_init.connect(dispatch_uid="settings.celery")
@signals.beat_init.connect(dispatch_uid="settings.celery")
def stop_at_failed_checks(**kwargs: Any) -> None:
    """Run the system checks as every command does. Celery runs them too, but does not look at what they find."""
    django.setup()
    try:
        BaseCommand().check()
    except SystemCheckError as exc:
        # Celery logs what a receiver raises, and goes on.
        raise SystemExit(str(exc)) from exc


class Metrics(bootsteps.StartStopStep):
    """Serves figures of the worker: `celery --app settings worker --metrics-port 9103`."""

    requires = ("celery.worker.components:Pool",)  # whose processes are there before the first thread

    def __init__(
        self, parent: Any, metrics_port: int | None = None, metrics_address: str = "127.0.0.1", **options: Any
    ) -> None:
        super().__init__(parent, **options)
        self.address = f"{metrics_address}:{metrics_port}"
        self.enabled = metrics_port is not None
        if self.enabled:
            metrics_folder.share()
            _count_tasks()

    def start(self, parent: Any) -> None:
        """Begin to serve."""
        from settings.metrics import serve  # needs the site, which the worker has loaded by now

        serve(self.address)

    def terminate(self, parent: Any) -> None:
        """Leave nothing behind."""
        metrics_folder.forget()

    stop = terminate


def _count_tasks() -> None:
    """Have the pool's processes, which are made later, count what they run."""
    from settings.metrics import task_seconds, tasks  # only now is their folder named

    started: dict[str, float] = {}

    def note_start(task_id: str, **kwargs: Any) -> None:
        started[task_id] = time.perf_counter()

    def note_end(task_id: str, task: Any, state: str, **kwargs: Any) -> None:
        tasks.labels(task.name, state).inc()
        task_seconds.labels(task.name).observe(time.perf_counter() - started.pop(task_id, time.perf_counter()))

    signals.task_prerun.connect(note_start, weak=False, dispatch_uid="settings.celery.metrics")
    signals.task_postrun.connect(note_end, weak=False, dispatch_uid="settings.celery.metrics")


app.user_options["worker"].add(
    click.Option(("--metrics-port",), type=int, help="serve figures for Prometheus on this port of 127.0.0.1")
)
app.user_options["worker"].add(
    click.Option(("--metrics-address",), default="127.0.0.1", help="serve them on another address")
)
app.steps["worker"].add(Metrics)
