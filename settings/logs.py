"""Structured logs on standard output: one event per line, with the ids of the request or task that caused it."""

import logging
import re
import traceback
from typing import Any

import structlog
from celery import signals
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest
from structlog.typing import EventDict, ExcInfo, WrappedLogger

QUOTING = re.compile(r"Error handling request|Invalid request from ip=\S+(?=: )")
"""How those lines of gunicorn begin that quote a request."""
REQUEST_ID = "request_id"  # under this name in log lines and in the headers of tasks


def logging_config(*, json: bool, level: str) -> dict[str, Any]:
    """Return the `LOGGING` setting: JSON for machines, or lines for people."""
    renderer = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"routes": {"()": RoutesForPaths}},
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.add_logger_name,
                    structlog.stdlib.ExtraAdder(allow=["milliseconds"]),
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                    add_exception,
                ],
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "structured",
                "filters": ["routes"],
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"level": "ERROR"},  # below that it repeats the line of the request
            "django.server": {"handlers": [], "level": "CRITICAL", "propagate": False},  # it prints whole paths
            "gunicorn.error": {"handlers": ["stdout"], "level": level, "propagate": False},
            "oauth2_provider": {"level": "WARNING"},
            "celery.pool": {"level": "INFO"},  # below that it prints the bodies of tasks
            "edx_rest_framework_extensions": {"level": "WARNING"},
        },
    }


def route(request: HttpRequest) -> str:
    """Return the pattern that the address matched, with names in place of values."""
    return f"/{request.resolver_match.route}" if request.resolver_match else "(no route)"


class RoutesForPaths(logging.Filter):
    """Takes the address out of Django's and gunicorn's own lines about a request: it may hold usernames.

    Django's name the route instead. Gunicorn's are about requests that took too long, or that it could not read.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest) and isinstance(record.args, tuple) and record.args:
            record.args = (*record.args[:-1], route(request))
        elif record.name == "gunicorn.error" and (quoting := QUOTING.match(record.msg)):
            record.msg, record.args = f"{quoting[0]} (address and details are not shown)", ()
        return True


def add_exception(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Render the exception, without local variables and without the rows that database errors quote."""
    exc_info: ExcInfo | None = event.pop("exc_info", None)
    if exc_info and exc_info[1] is not None:
        event["exception"] = format_exception(exc_info[1])
    return event


def format_exception(exc: BaseException) -> str:
    """Return the traceback of an exception and of those that led to it, oldest first."""
    before = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    lines = [format_exception(before), "\nThis led to:\n"] if before is not None else []
    return "".join([*lines, *traceback.format_tb(exc.__traceback__), _title(exc)])


def _title(exc: BaseException) -> str:
    quotes_rows = type(exc).__module__.partition(".")[0] in ("psycopg", "MySQLdb", "sqlite3")
    if quotes_rows or type(exc).__module__ == "django.db.utils":
        return f"{type(exc).__module__}.{type(exc).__qualname__}"
    return "".join(traceback.format_exception_only(exc)).rstrip("\n")


@receiver(request_finished, dispatch_uid="settings.logs")
def _release_request(**kwargs: Any) -> None:
    structlog.contextvars.clear_contextvars()


@signals.before_task_publish.connect(dispatch_uid="settings.logs")
def _send_request_id(headers: dict[str, Any], **kwargs: Any) -> None:
    bound = structlog.contextvars.get_contextvars().get(REQUEST_ID)
    if bound:
        headers[REQUEST_ID] = bound


@signals.task_prerun.connect(dispatch_uid="settings.logs")
def _bind_task(task_id: str, task: Any, **kwargs: Any) -> None:
    if not task.request.is_eager:  # then the request that runs it stays bound
        sent = {REQUEST_ID: task.request.get(REQUEST_ID)} if task.request.get(REQUEST_ID) else {}
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(task_id=task_id, **sent)


@signals.task_postrun.connect(dispatch_uid="settings.logs")
def _release_task(task: Any, **kwargs: Any) -> None:
    if not task.request.is_eager:
        structlog.contextvars.clear_contextvars()


@signals.setup_logging.connect(dispatch_uid="settings.logs")
def _keep_logging(**kwargs: Any) -> None:
    """Celery leaves logging alone if anybody listens to this signal; Django has configured it."""
