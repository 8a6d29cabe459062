"""How gunicorn serves the site: `gunicorn --config python:settings.gunicorn settings.wsgi`.

Sync workers: a request is short, and waits for the database only.
"""

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
