"""Cached values stay coherent with the database, whatever overlaps, and a broken cache only slows."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection, transaction
from psycopg import IsolationLevel

from coursecredit.caching import CoherentCache
from tests.support import in_parallel

houses = CoherentCache("tests.houses")


def stored() -> list[str]:
    """Return what the database holds."""
    return list(Group.objects.order_by("name").values_list("name", flat=True))


def read() -> list[str]:
    """Return what a reader of the cached value gets."""
    return houses.get_or_build(stored)


def found(name: str) -> None:
    """Add a house, as an api function does."""
    with transaction.atomic():
        Group.objects.create(name=name)
        houses.invalidate()


class SteppingCache(LocMemCache):
    """Calls `before` ahead of every operation, so that a test can let something else happen just then."""

    before: ClassVar[Callable[[], None]] = staticmethod(lambda: None)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        self.before()
        return super().get(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        self.before()
        return super().add(*args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self.before()
        super().set(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        self.before()
        return super().delete(*args, **kwargs)


class BrokenCache(LocMemCache):
    """Fails as a cache server that is down does."""

    def _fail(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("The cache is down.")

    get = add = set = delete = _fail


@pytest.fixture
def use_cache(settings) -> Callable[[type], None]:
    def use_cache(backend: type) -> None:
        settings.CACHES = {"default": {"BACKEND": f"{__name__}.{backend.__name__}", "LOCATION": backend.__name__}}

    return use_cache


@pytest.fixture
def at_step(use_cache, monkeypatch):
    """Let something happen just before the nth cache operation, counted from 0, and once only."""
    use_cache(SteppingCache)
    cache.clear()

    def at_step(step: int, happen: Callable[[], object]) -> None:
        waiting = iter(range(step + 1))

        def before() -> None:
            if next(waiting, None) == step:
                happen()

        monkeypatch.setattr(SteppingCache, "before", staticmethod(before))

    return at_step


@pytest.mark.django_db(transaction=True)
def test_a_value_is_built_once():
    assert read() == []
    Group.objects.create(name="unannounced")
    assert read() == []


@pytest.mark.django_db(transaction=True)
def test_none_is_a_value_too():
    assert houses.get_or_build(lambda: None) is None
    assert houses.get_or_build(lambda: "built again") is None


@pytest.mark.django_db(transaction=True)
def test_a_value_lasts_as_long_as_it_is_told():
    houses.get_or_build(stored, timeout=0)
    Group.objects.create(name="Ravenclaw")
    assert read() == ["Ravenclaw"]


@pytest.mark.django_db(transaction=True)
def test_values_under_other_keys_stay():
    other = CoherentCache("tests.other")
    other.get_or_build(lambda: "kept")
    found("Ravenclaw")
    assert other.get_or_build(lambda: "built again") == "kept"


@pytest.mark.django_db(transaction=True)
def test_a_committed_change_is_seen_at_once():
    read()
    found("Ravenclaw")
    assert read() == ["Ravenclaw"]


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_a_change_is_seen_at_once():
    read()
    Group.objects.create(name="Ravenclaw")
    houses.invalidate()
    assert read() == ["Ravenclaw"]


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_began_before_a_change_cannot_refill_the_old_value():
    def overtaken() -> list[str]:
        old = stored()
        found("Ravenclaw")
        return old

    assert houses.get_or_build(overtaken) == []
    assert read() == ["Ravenclaw"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("filled", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize("step", range(6))
def test_a_change_at_any_step_of_a_read_is_seen_by_the_next(at_step, step, filled):
    if filled:
        read()
    at_step(step, lambda: found("Ravenclaw"))
    assert read() in ([], ["Ravenclaw"])
    at_step(0, lambda: None)
    assert read() == stored()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("filled", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize("step", range(3))
def test_a_read_at_any_step_of_a_change_leaves_nothing_old(at_step, step, filled):
    if filled:
        read()
    seen: list[list[str]] = []
    at_step(step, lambda: seen.append(read()))
    found("Ravenclaw")
    assert seen in ([], [[]], [["Ravenclaw"]])
    assert read() == ["Ravenclaw"]


@pytest.mark.django_db(transaction=True)
def test_inside_a_changing_transaction_the_cache_is_bypassed():
    read()
    with transaction.atomic():
        Group.objects.create(name="Ravenclaw")
        houses.invalidate()
        assert read() == ["Ravenclaw"]
        assert cache.get(houses.key)[1] == []
    assert read() == ["Ravenclaw"]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_was_never_cached():
    with suppress(RuntimeError), transaction.atomic():
        Group.objects.create(name="Ravenclaw")
        houses.invalidate()
        read()
        raise RuntimeError
    assert read() == []


@pytest.mark.django_db(transaction=True)
def test_after_a_rolled_back_savepoint_the_cache_serves_again():
    read()
    with transaction.atomic():
        with suppress(RuntimeError), transaction.atomic():
            Group.objects.create(name="Ravenclaw")
            houses.invalidate()
            raise RuntimeError
        assert houses.get_or_build(lambda: ["built again"]) == []


@pytest.mark.django_db(transaction=True)
def test_a_lost_generation_costs_one_rebuild():
    read()
    cache.delete(f"{houses.key}.generation")
    assert houses.get_or_build(lambda: ["built again"]) == ["built again"]
    assert read() == ["built again"]


@pytest.mark.django_db(transaction=True)
def test_something_elses_entry_under_the_key_is_not_taken():
    read()
    cache.set(houses.key, "foreign")
    assert read() == []


@pytest.mark.django_db(transaction=True)
def test_a_broken_cache_reads_as_empty_and_is_logged(use_cache, caplog):
    use_cache(BrokenCache)
    with caplog.at_level(logging.ERROR, logger="coursecredit.caching"):
        assert read() == []
        found("Ravenclaw")
        assert read() == ["Ravenclaw"]
    assert {record.levelname for record in caplog.records} == {"ERROR"}


@pytest.mark.django_db(transaction=True)
def test_a_cache_that_fails_half_way_never_serves_what_it_could_not_forget(monkeypatch):
    read()
    monkeypatch.setattr(LocMemCache, "set", BrokenCache._fail)
    found("Ravenclaw")
    assert read() == ["Ravenclaw"]


@pytest.mark.database("postgresql")
@pytest.mark.django_db(transaction=True)
def test_many_writers_and_readers_each_see_what_was_committed_before_they_began():
    def write(number: int) -> bool:
        for step in range(5):
            found(f"{number}.{step}")
            if f"{number}.{step}" not in read():
                return False
        return True

    def watch() -> bool:
        seen: set[str] = set()
        for _ in range(100):
            latest = set(read())
            if not seen <= latest:
                return False
            seen = latest
        return True

    writers = [lambda number=number: write(number) for number in range(4)]
    assert in_parallel(*writers, watch, watch) == [True] * 6
    assert read() == stored()
    assert len(read()) == 20


@pytest.mark.database("postgresql")
@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_sees_old_data_does_not_fill_the_cache():
    connection.ensure_connection()
    usual, connection.isolation_level = connection.isolation_level, IsolationLevel.REPEATABLE_READ
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            assert stored() == []
            in_parallel(lambda: found("Slytherin"))
            assert read() == []
    finally:
        connection.isolation_level = usual
    assert read() == ["Slytherin"]
