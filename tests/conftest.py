"""Fixtures and rules for every test."""

import signal

import pytest
from django.core.cache import cache
from django.db import connection
from hypothesis import settings

settings.register_profile("suite", deadline=None)  # how long one example takes says nothing on a busy machine
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """Heed interruptions: a suite that runs in the background ignores them, and so would what its tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run a test marked `database("postgresql")` on that database only: each suite runs once per database."""
    kept, left_out = [], []
    for item in items:
        wanted = [mark.args for mark in item.iter_markers("database")]
        (kept if all(connection.vendor in names for names in wanted) else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()
    yield
    cache.clear()
