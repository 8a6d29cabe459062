"""Does the process live, and can it serve? Answers name no host, no user and no error text."""

import logging
import time
from collections.abc import Callable, Mapping
from threading import Event, Thread
from uuid import uuid4

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from settings.celery import app

TIME_LIMIT = 2.0  # seconds, for all probes together
CONNECT_TIMEOUT = 1  # second

log = logging.getLogger(__name__)
_migrated = Event()


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200: the process takes requests. It asks nobody else, so no neighbour's failure restarts it."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 503 without database or with unapplied migrations; without cache, broker or bus 200 and `degraded`."""
    passed = run_together({**NECESSARY, **HELPFUL}, limit=TIME_LIMIT)
    failure = {**dict.fromkeys(NECESSARY, "unavailable"), **dict.fromkeys(HELPFUL, "degraded")}
    checks = {name: "ok" if passed[name] else failure[name] for name in passed}
    status = next((state for state in ("unavailable", "degraded") if state in checks.values()), "ok")
    return JsonResponse({"status": status, "checks": checks}, status=503 if status == "unavailable" else 200)


def run_together(probes: Mapping[str, Callable[[], None]], *, limit: float) -> dict[str, bool]:
    """Return which probes ended well within `limit` seconds. What hangs is left behind in a thread of its own."""
    passed = dict.fromkeys(probes, False)

    def run(name: str, probe: Callable[[], None]) -> None:
        try:
            probe()
        except Exception as exc:
            log.warning("The readiness probe of the %s failed (%s).", name, type(exc).__name__)
        else:
            passed[name] = True

    threads = [Thread(target=run, args=pair, daemon=True) for pair in probes.items()]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + limit
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    return dict(passed)


def probe_database() -> None:
    """Open a connection of this thread's own, as a new worker would, and use it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def probe_migrations() -> None:
    """Compare the code's migrations with the database's; once they fit, this process does not look again."""
    if _migrated.is_set():
        return
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise RuntimeError("There are unapplied migrations.")
    finally:
        connection.close()
    _migrated.set()


def probe_cache() -> None:
    """Write and read: our Redis cache misses instead of raising."""
    key, value = f"readyz.{uuid4().hex}", "here"
    cache.set(key, value, timeout=5)
    if cache.get(key) != value:
        raise RuntimeError("The cache did not keep a value.")


def probe_broker() -> None:
    """Open a channel, as a publisher would."""
    with app.connection_for_write(connect_timeout=CONNECT_TIMEOUT) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=CONNECT_TIMEOUT)
        broker.channel()


def probe_bus() -> None:
    """Ask the event bus for a sign of life. Without one, events go to the log, which does not fail."""
    url = getattr(settings, "EVENT_BUS_REDIS_CONNECTION_URL", None)
    if url is not None:
        with redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_TIMEOUT, socket_timeout=CONNECT_TIMEOUT
        ) as client:
            client.ping()


NECESSARY = {"database": probe_database, "migrations": probe_migrations}
HELPFUL = {"cache": probe_cache, "broker": probe_broker, "bus": probe_bus}
