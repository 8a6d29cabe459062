"""Memory per request or task: there while it lasts, gone afterwards, never shared."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from celery import Celery
from django.http import HttpResponse
from django.urls import path

from coursecredit.request_cache import connect, forget, request_cache, request_scope


def remember(value: str) -> list[str]:
    """Add a value to what the current request remembers and return all of it."""
    memory = request_cache("tests")
    assert memory is not None
    values = memory.setdefault("values", [])
    values.append(value)
    return values


def remembering_view(request):
    return HttpResponse(",".join(remember(request.GET["value"])))


urlpatterns = [path("remember/", remembering_view)]


@pytest.fixture(autouse=True)
def _connected():
    connect()


def test_outside_of_a_request_nothing_is_remembered():
    assert request_cache("tests") is None
    forget("tests")


def test_inside_a_scope_namespaces_are_apart():
    with request_scope():
        request_cache("courses")["a"] = 1
        request_cache("providers")["a"] = 2
        assert (request_cache("courses"), request_cache("providers")) == ({"a": 1}, {"a": 2})
    assert request_cache("courses") is None


def test_forgetting_touches_one_namespace():
    with request_scope():
        request_cache("courses")["a"] = 1
        request_cache("providers")["a"] = 2
        forget("courses")
        assert (request_cache("courses"), request_cache("providers")) == ({}, {"a": 2})


def test_an_inner_scope_starts_empty_and_gives_the_outer_back():
    with request_scope():
        request_cache("tests")["a"] = 1
        with request_scope():
            assert request_cache("tests") == {}
        assert request_cache("tests") == {"a": 1}


@pytest.mark.urls(__name__)
def test_each_request_starts_empty_and_leaves_nothing(client):
    assert client.get("/remember/?value=a").content == b"a"
    assert client.get("/remember/?value=b").content == b"b"
    assert request_cache("tests") is None


def test_each_task_starts_empty_and_leaves_nothing():
    app = Celery("tests", broker="memory://", set_as_current=False)
    app.conf.task_always_eager = True
    task = app.task(remember, name="tests.remember")
    assert task.delay("a").get() == ["a"]
    assert task.delay("b").get() == ["b"]
    assert request_cache("tests") is None


def test_a_task_run_inside_a_request_leaves_the_request_its_memory():
    app = Celery("tests", broker="memory://", set_as_current=False)
    app.conf.task_always_eager = True
    task = app.task(remember, name="tests.remember_inside")
    with request_scope():
        assert remember("a") == ["a"]
        assert task.delay("b").get() == ["b"]
        assert remember("c") == ["a", "c"]


def test_threads_do_not_share_a_request():
    with request_scope(), ThreadPoolExecutor(1) as pool:
        request_cache("tests")["a"] = 1
        assert pool.submit(request_cache, "tests").result() is None
