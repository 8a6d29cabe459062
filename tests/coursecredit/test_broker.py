"""Publishing to brokers that work, stop, block and come back: the caller is never slowed and never fails."""

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest
from celery import Celery
from django.db import transaction
from kombu import Connection, Exchange, Queue

from coursecredit import broker
from tests.support import service_url

QUICK = 1.0  # seconds: a handful of steps of `broker.TIMEOUT`, on a busy machine
AT_ONCE = 0.1  # seconds: no network at all
USUAL_TIMEOUT = broker.TIMEOUT
QUEUE = f"test-{uuid.uuid4().hex}"


def greet(*names: object) -> None:
    """What the tasks would do; no worker runs here."""


@pytest.fixture(autouse=True)
def _fresh_broker() -> Iterator[None]:
    broker.reset()
    yield
    broker.reset()


@pytest.fixture
def task_on() -> Iterator[Callable[[str], broker.DiscreetTask]]:
    """Return a maker of tasks on the broker at a URL."""
    with ExitStack() as clean_up:

        def make(url: str) -> broker.DiscreetTask:
            app = Celery("test", broker=url, set_as_current=False)
            app.conf.task_default_queue = QUEUE
            clean_up.callback(app.close)
            return app.task(greet, name="test.greet", base=broker.DiscreetTask)

        yield make


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.service(name)) for name in ("rabbitmq", "redis")])
def real_broker(request, monkeypatch) -> Iterator[str]:
    """The URL of a broker of the machine, on which nothing is left behind.

    However busy the machine is, it answers in time: what a slow answer costs is tested with brokers that give none.
    """
    monkeypatch.setattr(broker, "TIMEOUT", 10)
    yield (url := service_url(request.param))
    with Connection(url) as connection:
        channel = connection.default_channel
        if request.param == "redis":
            channel.client.delete(QUEUE, f"_kombu.binding.{QUEUE}", f"_kombu.binding_permanent.{QUEUE}")
        else:
            Queue(QUEUE, channel=channel).delete()
            Exchange(QUEUE, channel=channel).delete()


@contextmanager
def timed(limit: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < limit


def messages(url: str, *, count: int) -> list[dict]:
    """Take a number of messages off the queue, oldest first; there must be no more."""
    taken: list[dict] = []
    until = time.monotonic() + 5
    with Connection(url) as connection:
        queue = Queue(QUEUE, channel=connection.default_channel)
        while len(taken) < count and time.monotonic() < until:
            if message := queue.get(no_ack=True):
                taken.append({"headers": message.headers, "args": message.payload[0]})
        assert queue.get(no_ack=True) is None
    return taken


class Gate:
    """A way to a real broker that can be shut: frozen (nothing is read any more) or cut (connections are reset)."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._open = threading.Event()
        self._open.set()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        self._open.clear()

    def cut(self) -> None:
        while self._sockets:
            with closing(self._sockets.pop()) as ended, ExitStack() as quiet:
                quiet.push(lambda kind, *_: kind is OSError)
                ended.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.cut()
        self._open.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while self._open.wait() and (data := source.recv(4096)):
                self._open.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return


@pytest.fixture
def gate_to() -> Iterator[Callable[[str], tuple[Gate, str]]]:
    """Return a maker of gates: (gate, the broker's URL through it)."""
    with ExitStack() as clean_up:

        def make(url: str) -> tuple[Gate, str]:
            parts = urlsplit(url)
            gate = Gate((parts.hostname, parts.port))
            clean_up.callback(gate.close)
            user = f"{parts.username or ''}:{parts.password or ''}@" if parts.username or parts.password else ""
            return gate, urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{gate.port}"))

        yield make


@contextmanager
def refusing() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def silent() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def unreachable() -> Iterator[int]:
    """A port whose queue of waiting connections is full, so that the next one gets no answer at all."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        time.sleep(0.05)
        yield address[1]


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
@pytest.mark.parametrize("server", [refusing, silent, unreachable])
def test_dead_broker_costs_one_short_wait_and_then_none(task_on, server, scheme, caplog):
    with server() as port:
        task = task_on(f"{scheme}://someone:secret@127.0.0.1:{port}//")
        with timed(QUICK):
            assert broker.enqueue(task, "alice") is False
        with timed(AT_ONCE):
            assert broker.enqueue(task, "alice") is False

    assert [(record.levelno, record.name) for record in caplog.records] == [(logging.WARNING, "coursecredit.broker")]
    assert "test.greet" in caplog.text
    assert "secret" not in caplog.text
    assert "alice" not in caplog.text


def test_message_arrives_and_hides_its_arguments_from_monitors(task_on, real_broker):
    task = task_on(real_broker)
    assert broker.enqueue(task, "alice", "course-v1:X+Y+Z") is True

    [message] = messages(real_broker, count=1)

    assert message["args"] == ["alice", "course-v1:X+Y+Z"]
    assert message["headers"]["task"] == "test.greet"
    assert "alice" not in json.dumps(message["headers"])


def test_many_messages_share_one_connection(task_on, real_broker):
    task = task_on(real_broker)
    for number in range(20):
        assert broker.enqueue(task, number)
    assert len(broker._idle) == 1
    assert [message["args"] for message in messages(real_broker, count=20)] == [[number] for number in range(20)]


def test_threads_do_not_share_a_connection_at_the_same_time(task_on, real_broker):
    task = task_on(real_broker)
    threads = [threading.Thread(target=broker.enqueue, args=(task, number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(message["args"] for message in messages(real_broker, count=8)) == [[number] for number in range(8)]


def test_broker_that_stops_reading_never_holds_the_caller(task_on, gate_to, real_broker, monkeypatch):
    monkeypatch.setattr(broker, "TIMEOUT", USUAL_TIMEOUT)
    gate, gated_url = gate_to(real_broker)
    task = task_on(gated_url)
    while not broker.enqueue(task, "before"):  # a busy machine may need several attempts to connect in time
        broker.reset()

    gate.freeze()
    results = []
    for _ in range(40):  # enough to fill what the sockets hold
        with timed(QUICK):
            results.append(broker.enqueue(task, "x" * 200_000))

    assert results[-1] is False


def test_broker_that_comes_back_is_used_again_after_the_pause(task_on, gate_to, real_broker, monkeypatch):
    monkeypatch.setattr(broker, "PAUSE", 0.3)
    gate, gated_url = gate_to(real_broker)
    task = task_on(gated_url)
    assert broker.enqueue(task, 1) is True
    assert [message["args"] for message in messages(real_broker, count=1)] == [[1]]

    gate.cut()
    time.sleep(0.1)
    with timed(QUICK):
        taken = broker.enqueue(task, 2)
    time.sleep(0.4)

    assert broker.enqueue(task, 3) is True
    expected = [[2], [3]] if taken else [[3]]
    assert [message["args"] for message in messages(real_broker, count=len(expected))] == expected


def test_forked_process_leaves_its_parents_connection_alone(task_on, real_broker):
    task = task_on(real_broker)
    assert broker.enqueue(task, "parent") is True

    child = os.fork()
    if child == 0:
        inherited = len(broker._idle)
        sent = broker.enqueue(task, "child")
        os._exit(0 if sent and not inherited else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert broker.enqueue(task, "parent again") is True
    arrived = [message["args"] for message in messages(real_broker, count=3)]
    assert arrived == [["parent"], ["child"], ["parent again"]]


def test_arguments_that_no_broker_can_carry_are_logged_and_not_raised(task_on, caplog):
    assert broker.enqueue(task_on("memory://"), object()) is False
    assert "EncodeError" in caplog.text


class TestOnCommit:
    """Nudges belong to their transaction: once if it commits, never if it does not."""

    @pytest.fixture
    def ran(self, task_on, monkeypatch) -> list[tuple]:
        self.task = task_on("memory://")
        taken: list[tuple] = []
        monkeypatch.setattr(broker, "enqueue", lambda task, *args: taken.append(args))
        return taken

    @pytest.mark.django_db(transaction=True)
    def test_outside_a_transaction_at_once(self, ran):
        broker.enqueue_on_commit(self.task, 1)
        assert ran == [(1,)]

    @pytest.mark.django_db(transaction=True)
    def test_only_after_the_commit(self, ran):
        with transaction.atomic():
            broker.enqueue_on_commit(self.task, 1)
            assert ran == []
        assert ran == [(1,)]

    @pytest.mark.django_db(transaction=True)
    def test_never_after_a_rollback(self, ran):
        with transaction.atomic():
            broker.enqueue_on_commit(self.task, 1)
            transaction.set_rollback(True)
        assert ran == []

    @pytest.mark.django_db(transaction=True)
    def test_once_for_many_rows_that_each_have_a_savepoint(self, ran):
        with transaction.atomic():
            for _ in range(3):
                with transaction.atomic():
                    broker.enqueue_on_commit(self.task, 1)
            broker.enqueue_on_commit(self.task, 1)
            broker.enqueue_on_commit(self.task, 2)
        assert ran == [(1,), (2,)]

    @pytest.mark.django_db(transaction=True)
    def test_again_if_only_the_savepoint_that_asked_first_was_rolled_back(self, ran):
        with transaction.atomic():
            with transaction.atomic():
                broker.enqueue_on_commit(self.task, 1)
                transaction.set_rollback(True)
            broker.enqueue_on_commit(self.task, 1)
        assert ran == [(1,)]

    @pytest.mark.django_db(transaction=True)
    def test_kept_if_a_later_savepoint_that_asked_too_was_rolled_back(self, ran):
        with transaction.atomic():
            broker.enqueue_on_commit(self.task, 1)
            with transaction.atomic():
                broker.enqueue_on_commit(self.task, 1)
                transaction.set_rollback(True)
        assert ran == [(1,)]

    @pytest.mark.django_db
    def test_each_captured_block_of_a_test_sees_its_own(self, ran, django_capture_on_commit_callbacks):
        for _ in range(2):
            with django_capture_on_commit_callbacks(execute=True):
                broker.enqueue_on_commit(self.task, 1)
        assert ran == [(1,), (1,)]
