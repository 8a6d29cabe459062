"""What an event costs on its way: encoding, relay and consumer, against the least and against the reference."""

import itertools
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import redis
from django.db import connection
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from bench import reference
from bench.measure import Row, at_most, compare, compare_moments, moment, repeated
from bench.site import Site
from events import avro
from events.bus.redis import RedisEventConsumer
from events.bus.redis.connection import stream_of
from events.conf import conf
from events.headers import PAYLOAD_FIELD
from events.learning.data import CourseData, CourseEnrollmentData, UserData, UserPersonalData
from events.learning.signals import COURSE_ENROLLMENT_CREATED
from events.models import ProcessedEvent, lane_of
from events.relay import relay_due

ENCODINGS = at_most(1_000, quick=20)  # per round
RELAYED = at_most(10_000, quick=100)
COMPARED = at_most(2_000, quick=50)  # with the reference, which is slower
HISTORY = at_most(1_000_000, quick=1_000)  # rows that were sent long ago
WAITING = at_most(1_000, quick=50)  # rows beside them
BATCH = 200
TOPIC = "bench"
COLUMNS = (
    "event_id, event_type, topic, key, payload, subject_user_id, minorversion, source, sourcehost, sourcelib, time, "
    "schema_fingerprint, state, lane, attempts, locked_by, last_error, broker_id, delete_once_sent, created"
)
SENT = f"""
INSERT INTO events_outboxevent ({COLUMNS}, sent_at)
SELECT gen_random_uuid(), event_type, topic, key || number %% 100000, payload, number, 0, source, sourcehost, sourcelib,
       time, schema_fingerprint, 'sent', NULL, 0, '', '', '1-1', false, now(), now()
FROM events_outboxevent, generate_series(1, %s) AS number WHERE id = (SELECT max(id) FROM events_outboxevent)
"""


def rows(site: Site) -> Iterator[Row]:
    """Measure every part alone, in the order in which an event passes them."""
    server = redis.Redis.from_url(conf.EVENT_BUS_REDIS_CONNECTION_URL or "")
    try:
        with reference.running(topic=TOPIC) as stock:
            stock.work("prepare")(max(ENCODINGS, COMPARED))
            yield from _encoding_rows(stock)
            for keys in (RELAYED, 1):
                yield _relay_row(server, keys)
            yield _sending_row(stock)
            yield _consumer_row(server, stock)
        yield _history_row(server)
    finally:
        server.delete(stream_of(TOPIC))
        connection.cursor().execute("TRUNCATE events_outboxevent, events_processedevent")


def _encoding_rows(stock: reference.Reference) -> Iterator[Row]:
    enrollments = [_enrollment(number) for number in range(ENCODINGS)]
    payloads = [avro.encode(COURSE_ENROLLMENT_CREATED, {"enrollment": one}) for one in enrollments]

    def encode(times: int) -> None:
        for one in enrollments[:times]:
            avro.encode(COURSE_ENROLLMENT_CREATED, {"enrollment": one})

    def decode(times: int) -> None:
        for payload in payloads[:times]:
            avro.decode(COURSE_ENROLLMENT_CREATED, payload)

    for name, work, target in (("encode", encode, 10), ("decode", decode, 5)):
        yield compare(
            f"enrollment events {name}d",
            ours=work,
            baseline=stock.work(name),
            baseline_name="the reference's package",
            target=target,
            repeat=ENCODINGS,
        )


def _relay_row(server: "redis.Redis", keys: int) -> Row:
    return compare(
        f"relay, {RELAYED:,} events of {keys:,} key{'s' if keys > 1 else ''}",
        ours=_relay,
        baseline=partial(_bare_relay, server),
        baseline_name=f"SELECT {BATCH}, one pipelined XADD, one UPDATE",
        target=0.6,
        repeat=RELAYED,
        before=partial(_fill, keys=keys),
    )


def _sending_row(stock: reference.Reference) -> Row:
    return compare(
        "relay, from the outbox to the stream",
        ours=_relay,
        baseline=stock.work("send"),
        baseline_name="the reference producer's send() in a loop",
        target=3,
        repeat=COMPARED,
        before=partial(_fill, keys=20),
    )


def _consumer_row(server: "redis.Redis", stock: reference.Reference) -> Row:
    server.delete(stream_of(TOPIC))
    stock.work("send")(COMPARED)
    groups = itertools.count()
    return compare(
        "consumer with a receiver that does nothing",
        ours=lambda times: _consume(f"ours{next(groups)}", times),
        baseline=stock.work("consume"),
        baseline_name="the reference's consumer",
        target=2,
        repeat=COMPARED,
    )


def _history_row(server: "redis.Redis") -> Row:
    """Relay a few events, alone in the table and beside very many that were sent."""
    cursor = connection.cursor()
    yardstick = repeated(lambda: (cursor.execute("SELECT 1"), server.ping()))
    before = moment(_relay, WAITING, yardstick=yardstick, before=partial(_fill, keys=100))
    cursor.execute(SENT, [HISTORY])
    cursor.execute("VACUUM ANALYZE events_outboxevent")
    return compare_moments(
        f"relay, {WAITING:,} events beside {HISTORY:,} that were sent",
        before=before,
        after=moment(_relay, WAITING, yardstick=yardstick, before=partial(_insert, keys=100)),
        baseline_name="the same in a table without these, both against trips to database and bus",
        target=0.8,
        repeat=WAITING,
    )


def _relay(times: int) -> None:
    sent = relay_due(batch=BATCH)
    assert sent == times, f"{sent} of {times} events were relayed."


def _bare_relay(server: "redis.Redis", times: int) -> None:
    """Do the least that moves rows from the table to the stream, in their order, for one relay alone."""
    sent = 0
    cursor = connection.cursor()
    while True:
        cursor.execute(
            "SELECT id, event_type, event_id, source, time, minorversion, sourcehost, sourcelib, payload"
            " FROM events_outboxevent WHERE lane IS NOT NULL ORDER BY lane, id LIMIT %s",
            [BATCH],
        )
        due = cursor.fetchall()
        if not due:
            break
        pipeline = server.pipeline(transaction=False)
        for row in due:
            pipeline.xadd(stream_of(TOPIC), _fields(row), maxlen=1_000_000, approximate=True)
        pipeline.execute()
        cursor.execute(
            "UPDATE events_outboxevent SET state = 'sent', lane = NULL, sent_at = now() WHERE id = ANY(%s)",
            [[row[0] for row in due]],
        )
        sent += len(due)
    assert sent == times


def _fields(row: tuple[Any, ...]) -> dict[Any, Any]:
    _, event_type, event_id, source, moment, minorversion, sourcehost, sourcelib, payload = row
    return {
        "type": event_type,
        "id": str(event_id),
        "source": source,
        "time": moment.isoformat(),
        "minorversion": minorversion,
        "sourcehost": sourcehost,
        "sourcelib": sourcelib,
        PAYLOAD_FIELD: bytes(payload),
    }


def _consume(group: str, times: int) -> None:
    consumer = RedisEventConsumer(TOPIC, group, "bench")
    received = 0

    def receive(**kwargs: Any) -> None:
        nonlocal received
        received += 1
        if received == times:
            consumer.stop()

    COURSE_ENROLLMENT_CREATED.connect(receive)
    try:
        consumer.consume_indefinitely()
    finally:
        COURSE_ENROLLMENT_CREATED.disconnect(receive)
    assert ProcessedEvent.objects.filter(group=group).count() == times


def _fill(count: int, *, keys: int) -> None:
    connection.cursor().execute("TRUNCATE events_outboxevent")
    _insert(count, keys=keys)
    connection.cursor().execute("VACUUM ANALYZE events_outboxevent")


def _insert(count: int, *, keys: int) -> None:
    """Write events that wait, spread over keys."""
    now = timezone.now()
    payload = os.urandom(104)
    with connection.cursor() as cursor, cursor.copy(f"COPY events_outboxevent ({COLUMNS}) FROM STDIN") as copy:
        for number in range(count):
            key = f"course-v1:Org+C{number % keys}+2024"
            event = (uuid.uuid4(), COURSE_ENROLLMENT_CREATED.event_type, TOPIC, key, payload, number)
            headers = (0, "openedx/course-credit/web", "bench", "1.0.0", now, "f" * 64)
            copy.write_row((*event, *headers, "pending", lane_of(TOPIC, key), 0, "", "", "", False, now))


def _enrollment(number: int) -> CourseEnrollmentData:
    return CourseEnrollmentData(
        user=UserData(
            id=number, is_active=True, pii=UserPersonalData(f"ada{number}", f"ada{number}@example.org", "Ada L")
        ),
        course=CourseData(CourseKey.from_string(f"course-v1:Org+C{number % 20}+2024"), "Intro"),
        mode="verified",
        is_active=True,
        creation_date=datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    )
