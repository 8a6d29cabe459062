"""Plays the reference's own packages, in an environment of their own; each line of its input says what to do.

Started by `bench.reference` with the Python that has them. Nothing of this project is imported here.
"""

import json
import logging
import sys
from datetime import UTC, datetime

import django
from django.conf import settings

OPTIONS = json.loads(sys.argv[1])
settings.configure(
    DATABASES={"default": OPTIONS["database"]},
    EVENT_BUS_REDIS_CONNECTION_URL=OPTIONS["redis_url"],
    EVENT_BUS_TOPIC_PREFIX=OPTIONS["prefix"],
    EVENT_BUS_REDIS_CONSUMER_POLL_TIMEOUT=1,
    EVENT_BUS_REDIS_STREAM_MAX_LEN=1_000_000,
    INSTALLED_APPS=["openedx_events"],
    SERVICE_VARIANT="lms",
    USE_TZ=True,
)
django.setup()

from edx_event_bus_redis import RedisEventConsumer, create_producer  # noqa: E402  # they need the settings
from opaque_keys.edx.keys import CourseKey  # noqa: E402
from openedx_events.event_bus.avro.deserializer import deserialize_bytes_to_event_data  # noqa: E402
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes  # noqa: E402
from openedx_events.learning.data import (  # noqa: E402
    CourseData,
    CourseEnrollmentData,
    UserData,
    UserPersonalData,
)
from openedx_events.learning.signals import COURSE_ENROLLMENT_CREATED  # noqa: E402


def enrollment(number: int) -> CourseEnrollmentData:
    return CourseEnrollmentData(
        user=UserData(
            id=number, is_active=True, pii=UserPersonalData(f"ada{number}", f"ada{number}@example.org", "Ada L")
        ),
        course=CourseData(CourseKey.from_string(f"course-v1:Org+C{number % 20}+2024"), "Intro"),
        mode="verified",
        is_active=True,
        creation_date=datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    )


class Worker:
    """What may be asked for; every method does its work that many times."""

    def __init__(self) -> None:
        self._producer = create_producer()
        self._groups = 0
        self._payloads: list[bytes] = []
        self._enrollments: list[CourseEnrollmentData] = []

    def prepare(self, count: int) -> None:
        """Make what `encode` and `decode` work on."""
        self._enrollments = [enrollment(number) for number in range(count)]
        self._payloads = [self._encoded(one) for one in self._enrollments]

    def encode(self, count: int) -> None:
        for one in self._enrollments[:count]:
            self._encoded(one)

    def decode(self, count: int) -> None:
        for payload in self._payloads[:count]:
            deserialize_bytes_to_event_data(payload, COURSE_ENROLLMENT_CREATED)

    def send(self, count: int) -> None:
        for one in self._enrollments[:count]:
            self._producer.send(
                signal=COURSE_ENROLLMENT_CREATED,
                topic=OPTIONS["topic"],
                event_key_field="enrollment.course.course_key",
                event_data={"enrollment": one},
                event_metadata=COURSE_ENROLLMENT_CREATED.generate_signal_metadata(),
            )

    def consume(self, count: int) -> None:
        """Read the stream from its beginning with a new group."""
        self._groups += 1
        consumer = RedisEventConsumer(OPTIONS["topic"], f"reference{self._groups}", "bench", check_backlog=True)
        received = 0

        def receive(**kwargs: object) -> None:
            nonlocal received
            received += 1
            if received == count:
                consumer._shut_down()

        COURSE_ENROLLMENT_CREATED.connect(receive)
        try:
            consumer.consume_indefinitely()
        finally:
            COURSE_ENROLLMENT_CREATED.disconnect(receive)

    @staticmethod
    def _encoded(one: CourseEnrollmentData) -> bytes:
        payload: bytes = serialize_event_data_to_bytes({"enrollment": one}, COURSE_ENROLLMENT_CREATED)
        return payload


def main() -> None:
    logging.disable(logging.WARNING)  # it logs every event with its payload; writing that down would slow it further
    worker = Worker()
    for line in sys.stdin:
        order, count = json.loads(line)
        getattr(worker, order)(count)
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
