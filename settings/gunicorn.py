"""How gunicorn serves the site: `gunicorn --config python:settings.gunicorn settings.wsgi`.

Sync workers: a request is short, and waits for the database only.
"""

from typing import Any

from settings import metrics_folder
from settings.environment import Environment
from settings.logs import logging_config

env = Environment()

bind = env.str("BIND", default="127.0.0.1:8000")
workers = env.number("WEB_CONCURRENCY", default=3)
timeout = 30  # seconds in which a request is done, or its worker is replaced
graceful_timeout = 20  # seconds that requests get when the process is told to stop
max_requests = 10_000
max_requests_jitter = 1_000
control_socket_disable = True  # whoever runs the service restarts it, and several may share a home
logconfig_dict = logging_config(json=True, level=env.str("LOG_LEVEL", default="INFO"))

metrics_bind = env.str("METRICS_BIND", default="")
if metrics_bind:
    metrics_folder.share()


def post_worker_init(worker: Any) -> None:
    """Serve figures from each worker. Not from their parent, which must have no threads when it makes new ones."""
    if metrics_bind:
        from settings.metrics import serve  # the worker has loaded the site now

        serve(metrics_bind)


def on_exit(server: Any) -> None:
    """Leave nothing behind."""
    metrics_folder.forget()
