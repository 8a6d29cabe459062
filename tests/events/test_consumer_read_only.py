"""A database that takes no writes for a while, as after a failover, is nobody's fault (events contract 16)."""

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection

from events.models import ProcessedEvent
from tests.events.redis_bus import Topic
from tests.support import service_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("events.consumer")]

REFUSALS = 8  # more than there are deliveries of an entry


@pytest.fixture
def topic(settings):
    topic = Topic(service_url("redis"))
    for name, value in topic.settings.items():
        setattr(settings, name, value)
    yield topic
    topic.delete()


class Failover:
    """Has the database refuse writes until it has refused some: on this connection, and if it can, on new ones."""

    def __init__(self) -> None:
        self.refusals = 0

    def begin(self) -> None:
        self._set(is_read_only=True)

    def end(self) -> None:
        self._set(is_read_only=False)

    def __call__(self, execute, sql, params, many, context):
        try:
            return execute(sql, params, many, context)
        except DatabaseError:
            self.refusals += 1
            if self.refusals == REFUSALS:
                self.end()
            raise

    def _set(self, *, is_read_only: bool) -> None:
        word = "ON" if is_read_only else "OFF"
        match connection.vendor:
            case "sqlite":
                _run(connection, f"PRAGMA query_only = {word}")
            case "postgresql":
                other = connection.copy()
                _run(other, "SET default_transaction_read_only = OFF")
                name = connection.ops.quote_name(connection.settings_dict["NAME"])
                _run(other, f"ALTER DATABASE {name} SET default_transaction_read_only = {word}")
                other.close()
                connection.close()
            case "mysql":  # new sessions may write: reconnecting is what helps
                _run(connection, f"SET SESSION TRANSACTION READ {'ONLY' if is_read_only else 'WRITE'}")


def _run(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def failover():
    failover = Failover()
    with connection.execute_wrapper(failover):
        yield failover
    failover.end()


def consume(topic):
    consumer = topic.consumer()
    read = consumer._group.read_new

    def read_or_stop(count, *, block):
        batch = read(count, block=None)
        if not batch:
            consumer.stop()
        return batch

    consumer._group.read_new = read_or_stop
    consumer.consume_indefinitely()
    return consumer.counts


def test_a_consumer_that_starts_meanwhile_waits(topic, settings, parcel_sent, receive, failover):
    settings.EVENTS_CONSUMER_MAX_DELIVERIES = 1
    receiver = receive(parcel_sent)
    topic.send(parcel_sent, attempt=1)
    failover.begin()
    counts = consume(topic)
    assert failover.refusals >= REFUSALS or connection.vendor == "mysql"
    assert (counts["processed"], counts["failure"], counts["dead letter"]) == (1, 0, 0)
    assert (len(receiver.calls), ProcessedEvent.objects.count()) == (1, 1)
    assert (topic.pending, topic.dead_letters) == ([], [])


def test_a_consumer_that_has_read_already_waits_with_the_entry_in_hand(topic, settings, parcel_sent, failover):
    settings.EVENTS_CONSUMER_MAX_DELIVERIES = 1
    calls = []

    def receiver(attempt, **kwargs):
        calls.append(attempt)
        if len(calls) == 1:  # after this entry
            connection.on_commit(failover.begin)
        Group.objects.create(name=str(attempt))

    parcel_sent.connect(receiver)
    topic.send(parcel_sent, attempt=1)
    topic.send(parcel_sent, attempt=2)
    counts = consume(topic)
    assert (counts["processed"], counts["failure"], counts["dead letter"]) == (2, 0, 0)
    assert sorted(Group.objects.values_list("name", flat=True)) == ["1", "2"]
    assert calls[0] == 1
    assert (topic.pending, topic.dead_letters) == ([], [])


def test_receivers_that_touch_no_table_lose_no_note(topic, parcel_sent, failover):
    calls = []

    def receiver(attempt, **kwargs):
        calls.append(attempt)
        if len(calls) == 1:  # before the note is written
            connection.on_commit(failover.begin)

    parcel_sent.connect(receiver)
    topic.send(parcel_sent, attempt=1)
    counts = consume(topic)
    assert (counts["failure"], counts["dead letter"]) == (0, 0)
    assert ProcessedEvent.objects.count() == 1
    assert (topic.pending, topic.dead_letters) == ([], [])


@pytest.mark.database("postgresql")
def test_a_receiver_that_meets_it_has_not_failed(topic, settings, parcel_sent):
    settings.EVENTS_CONSUMER_MAX_DELIVERIES = 1
    calls = []

    def receiver(attempt, **kwargs):
        calls.append(attempt)
        if len(calls) == 1:
            Group.objects.count()
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
        Group.objects.create(name=str(attempt))

    parcel_sent.connect(receiver)
    topic.send(parcel_sent, attempt=1)
    counts = consume(topic)
    assert (counts["processed"], counts["failure"], topic.dead_letters) == (1, 0, [])
