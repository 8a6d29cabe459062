"""Fixtures and rules for every test."""

import signal

import pytest
from django.core.cache import cache
from django.core.management.color import no_style
from django.db import connection, connections
from django.test import TransactionTestCase
from hypothesis import settings

from coursecredit import request_cache

WRITTEN_BY_MIGRATE = {"django_content_type", "auth_permission"}
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}

settings.register_profile("suite", deadline=None)  # how long one example takes says nothing on a busy machine
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take what `tests.run` says to all suites but one."""
    parser.addoption(
        "--only-with-database",
        action="store_true",
        help="leave out the tests that use no database: another database's suite runs them",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Heed interruptions: a suite that runs in the background ignores them, and so would what its tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what another database's suite runs: each suite runs once per database."""
    runs_elsewhere = config.getoption("--only-with-database")
    kept, left_out = [], []
    for item in items:
        (kept if _belongs_here(item, runs_elsewhere=runs_elsewhere) else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def _belongs_here(item: pytest.Item, *, runs_elsewhere: bool) -> bool:
    """Tell whether a test runs on this database: one marked `database("postgresql")` on that one only."""
    wanted = [mark.args for mark in item.iter_markers("database")]
    if wanted:
        return all(connection.vendor in names for names in wanted)
    return not runs_elsewhere or _uses_database(item)


def _uses_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())  # all of them, also those that others ask for
    return item.get_closest_marker("django_db") is not None or not DATABASE_FIXTURES.isdisjoint(fixtures)


def _empty_tables(case: TransactionTestCase) -> None:
    """Delete all rows but those that `migrate` has written.

    Django's own flush has PostgreSQL make a new file for every table, and has `migrate` write its rows again.
    """
    for alias in case._databases_names(include_mirrors=False):
        database = connections[alias]
        tables = sorted({*database.introspection.django_table_names(include_views=False)} - WRITTEN_BY_MIGRATE)
        if database.vendor == "postgresql":
            statements = [f"DELETE FROM {database.ops.quote_name(table)}" for table in tables]
        else:
            statements = database.ops.sql_flush(no_style(), tables)
        database.ops.execute_sql_flush(statements)


TransactionTestCase._fixture_teardown = _empty_tables


@pytest.fixture(autouse=True, scope="session")
def _cache_of_nobody():
    cache.clear()


@pytest.fixture(autouse=True)
def _empty_cache():
    yield
    cache.clear()
    request_cache._close_request()  # of a response that was never closed: it is not the next test's
