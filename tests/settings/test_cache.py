"""The Redis cache: it keeps values, and without a server the service is only slower."""

import logging
import os
import time

import pytest

from settings.cache import ForgivingRedisCache
from tests.support import service_url

NOWHERE = "redis://127.0.0.1:1/0"


def cache_at(url, prefix="test-cache"):
    return ForgivingRedisCache(url, {"KEY_PREFIX": f"{prefix}-{os.getpid()}"})


@pytest.fixture
def redis_cache():
    cache = cache_at(service_url("redis"))
    yield cache
    cache.clear()


@pytest.mark.service("redis")
def test_values_are_kept(redis_cache):
    redis_cache.set("a", {"b": 1})
    assert redis_cache.get("a") == {"b": 1}
    assert redis_cache.add("a", 2) is False
    assert redis_cache.has_key("a")
    assert redis_cache.touch("a", 60)
    assert redis_cache.set_many({"c": 3, "d": 4}) == []
    assert redis_cache.get_many(["c", "d", "e"]) == {"c": 3, "d": 4}
    assert redis_cache.incr("c") == 4
    redis_cache.delete_many(["c"])
    assert redis_cache.delete("d") is True
    assert redis_cache.get("d", "gone") == "gone"


@pytest.mark.service("redis")
def test_clearing_spares_what_is_not_ours(redis_cache):
    other = cache_at(service_url("redis"), prefix="another-site")
    redis_cache.set("a", 1)
    other.set("a", 2)
    redis_cache.clear()
    assert (redis_cache.get("a"), other.get("a")) == (None, 2)
    other.clear()


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        pytest.param(lambda cache: cache.get("a"), None, id="get"),
        pytest.param(lambda cache: cache.get("a", "default"), "default", id="get with a default"),
        pytest.param(lambda cache: cache.set("a", 1), None, id="set"),
        pytest.param(lambda cache: cache.add("a", 1), False, id="add"),
        pytest.param(lambda cache: cache.touch("a"), False, id="touch"),
        pytest.param(lambda cache: cache.delete("a"), False, id="delete"),
        pytest.param(lambda cache: "a" in cache, False, id="has_key"),
        pytest.param(lambda cache: cache.get_many(["a"]), {}, id="get_many"),
        pytest.param(lambda cache: cache.set_many({"a": 1}), ["a"], id="set_many"),
        pytest.param(lambda cache: cache.delete_many(["a"]), None, id="delete_many"),
        pytest.param(lambda cache: cache.clear(), None, id="clear"),
        pytest.param(lambda cache: cache.get_or_set("a", lambda: 5), 5, id="get_or_set"),
    ],
)
def test_without_a_server_everything_is_a_miss(caplog, call, answer):
    started = time.monotonic()
    with caplog.at_level(logging.WARNING):
        assert call(cache_at(NOWHERE)) == answer
    assert time.monotonic() - started < 1
    assert caplog.messages[0].startswith("The cache failed in ")
    assert "127.0.0.1" not in caplog.text


def test_counting_without_a_server_finds_no_key():
    with pytest.raises(ValueError, match="not found"):
        cache_at(NOWHERE).incr("a")


def test_server_that_accepts_and_blocks_costs_half_a_second(blocked_port):
    started = time.monotonic()
    assert cache_at(f"redis://127.0.0.1:{blocked_port}/0").get("a") is None
    assert time.monotonic() - started < 1


def test_mistakes_of_callers_are_raised():
    with pytest.raises(TypeError):
        cache_at(NOWHERE).get()
