"""A thousand enrollments in one call, against the least that stores the same rows."""

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import psycopg
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from bench.measure import Row, Work, compare
from bench.site import Site
from enrollment.api import enroll_in_bulk
from enrollment.models import Course, CourseEnrollment, CourseMode
from events import avro
from events.learning.data import CourseData, CourseEnrollmentData, UserData, UserPersonalData
from events.learning.signals import COURSE_ENROLLMENT_CHANGED, COURSE_ENROLLMENT_CREATED
from events.models import OutboxEvent, lane_of
from settings.bus import ENROLLMENTS, PRODUCER_CONFIG

Statement = Callable[..., tuple[str, list[Any]]]

CHUNK = 1_000
COURSES = 10
SIGNALS = (COURSE_ENROLLMENT_CHANGED, COURSE_ENROLLMENT_CREATED)  # as each new enrollment tells
HISTORY = CourseEnrollment.history.model

TYPES = {  # of the columns that are written, for the form with arrays
    CourseEnrollment: {
        "user_id": "int",
        "course_id": "text",
        "created": "timestamptz",
        "is_active": "bool",
        "mode": "text",
    },
    HISTORY: {
        "history_id": "uuid",
        "id": "bigint",
        "created": "timestamptz",
        "is_active": "bool",
        "mode": "text",
        "history_date": "timestamptz",
        "history_type": "text",
        "course_id": "text",
        "user_id": "int",
    },
    OutboxEvent: {
        "event_id": "uuid",
        "event_type": "text",
        "topic": "text",
        "key": "text",
        "payload": "bytea",
        "subject_user_id": "bigint",
        "minorversion": "int",
        "source": "text",
        "sourcehost": "text",
        "sourcelib": "text",
        "time": "timestamptz",
        "schema_fingerprint": "text",
        "state": "text",
        "lane": "bigint",
        "attempts": "int",
        "locked_by": "text",
        "last_error": "text",
        "broker_id": "text",
        "delete_once_sent": "bool",
        "created": "timestamptz",
    },
}


def rows(site: Site) -> Iterator[Row]:
    """Enroll the same learners over and over, in tables that are empty again each time."""
    learners, courses = _learners(), _courses()
    baselines = (
        ("psycopg, a VALUES statement per table, payloads encoded before", _values, 0.35),
        ("the same, with arrays in unnest()", _unnest, None),
    )
    # The service's own producer configuration: each enrollment has two rows in the outbox.
    with override_settings(EVENT_BUS_PRODUCER_CONFIG=PRODUCER_CONFIG), _bare_connection() as bare:
        for name, statement, target in baselines:
            yield compare(
                f"bulk of {CHUNK:,} enrollments",
                ours=_ours(courses),
                baseline=_baseline(bare, statement, learners, courses),
                baseline_name=name,
                target=target,
                repeat=CHUNK,
                before=_clear,
            )
    _clear()


def _ours(courses: Sequence[str]) -> Work:
    items: list[Any] = [
        {"username": f"bulk{number}", "course_id": courses[number % COURSES], "mode": "verified"}
        for number in range(CHUNK)
    ]

    def work(times: int) -> None:
        outcomes = enroll_in_bulk(items[:times], requested_by=None)
        assert not any(outcome["error"] for outcome in outcomes)
        assert OutboxEvent.objects.count() == 2 * times

    return work


def _baseline(
    bare: "psycopg.Connection[Any]", statement: Statement, learners: Sequence[int], courses: Sequence[str]
) -> Work:
    """Return the work of three INSERTs and a commit; their rows are ready, but for the ids of the enrollments."""
    now = timezone.now()
    enrollments = [
        (user_id, courses[number % COURSES], now, True, "verified") for number, user_id in enumerate(learners)
    ]
    events = [event for enrollment in enrollments for event in _events(*enrollment)]

    def work(times: int) -> None:
        with bare.transaction(), bare.cursor() as cursor:
            cursor.execute(*statement(CourseEnrollment, enrollments[:times], " RETURNING id"))
            ids = [row[0] for row in cursor.fetchall()]
            history = [
                (uuid.uuid4(), pk, created, is_active, mode, now, "+", course_id, user_id)
                for pk, (user_id, course_id, created, is_active, mode) in zip(ids, enrollments, strict=False)
            ]
            cursor.execute(*statement(HISTORY, history))
            cursor.execute(*statement(OutboxEvent, events[: 2 * times]))

    return work


def _events(user_id: int, course_id: str, created: datetime, is_active: bool, mode: str) -> Iterator[tuple[Any, ...]]:
    """Return what is known of an enrollment's events: all columns of the outbox that are filled."""
    enrollment = CourseEnrollmentData(
        user=UserData(user_id, True, UserPersonalData(f"bulk{user_id}", f"bulk{user_id}@example.com", "Ada Lovelace")),
        course=CourseData(CourseKey.from_string(course_id), "Intro"),
        mode=mode,
        is_active=is_active,
        creation_date=created,
    )
    for signal in SIGNALS:
        event = (
            uuid.uuid4(),
            signal.event_type,
            ENROLLMENTS,
            course_id,
            avro.encode(signal, {"enrollment": enrollment}),
        )
        source = (user_id, 0, "openedx/course-credit/web", "bench", "1.0.0", created, avro.fingerprint(signal))
        yield (*event, *source, "pending", lane_of(ENROLLMENTS, course_id), 0, "", "", "", False, created)


def _values(model: Any, table: Sequence[Sequence[Any]], suffix: str = "") -> tuple[str, list[Any]]:
    columns = TYPES[model]
    places = f"({', '.join(['%s'] * len(columns))})"
    text = (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES {', '.join([places] * len(table))}{suffix}"
    )
    return text, [*itertools.chain.from_iterable(table)]


def _unnest(model: Any, table: Sequence[Sequence[Any]], suffix: str = "") -> tuple[str, list[Any]]:
    columns = TYPES[model]
    arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
    text = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT * FROM unnest({arrays}){suffix}"
    return text, [list(column) for column in zip(*table, strict=True)]


def _bare_connection() -> "psycopg.Connection[Any]":
    """Connect to the same database, past Django."""
    settings = connection.settings_dict
    return psycopg.connect(
        dbname=settings["NAME"],
        user=settings["USER"] or None,
        password=settings["PASSWORD"] or None,
        host=settings["HOST"] or None,
        port=settings["PORT"] or None,
    )


def _clear(times: int = 0) -> None:
    tables = ", ".join(model._meta.db_table for model in TYPES)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def _learners() -> list[int]:
    model = get_user_model()
    learners = [
        model(username=f"bulk{number}", email=f"bulk{number}@example.com", first_name="Ada", last_name="Lovelace")
        for number in range(CHUNK)
    ]
    return [user.pk for user in model.objects.bulk_create(learners)]


def _courses() -> list[str]:
    ids = [f"course-v1:HogwartsX+Bulk{number}+1T2026" for number in range(COURSES)]
    Course.objects.bulk_create([Course(id=course_id, org="HogwartsX", display_name="Intro") for course_id in ids])
    for course_id in ids:
        for slug, price in (("audit", 0), ("verified", 49)):
            CourseMode.objects.create(course_id=course_id, mode_slug=slug, min_price=price)
    return ids
