"""Calls of the enrollment API against bare views under the same server."""

import itertools
import json
from collections.abc import Iterator
from urllib.parse import urlencode

from django.contrib.auth import get_user_model

from bench import seed
from bench.measure import ROUNDS, Row, at_most, compare, repeated
from bench.server import Client
from bench.site import Site
from enrollment.models import Course, CourseEnrollment, CourseMode

READS = at_most(150, quick=5)  # requests per round
WRITES = at_most(100, quick=5)
NEEDED_WRITES = WRITES * (ROUNDS + 1)
COURSES = 50  # in which one learner is enrolled
READER, ENROLLMENT = "reader", "/api/enrollment/v1/enrollment"


def rows(site: Site) -> Iterator[Row]:
    """Compare reads, and enrolling one learner after the other."""
    courses = _courses()
    _enroll_reader(courses)
    _newcomers()
    with site.serve() as client:
        client.authenticate(seed.CLIENT_ID, seed.CLIENT_SECRET)
        yield from _read_rows(client, courses[0])
        yield _write_row(client, courses[0])


def _read_rows(client: Client, course: Course) -> Iterator[Row]:
    yield compare(
        "GET one enrollment",
        ours=repeated(lambda: client.get(f"{ENROLLMENT}/{READER},{course.pk}")),
        baseline=repeated(lambda: client.get("/bare/read")),
        baseline_name="bare view",
        target=0.5,
        repeat=READS,
    )
    yield compare(
        f"GET list of {COURSES} enrollments",
        ours=repeated(lambda: client.get(f"{ENROLLMENT}?{urlencode({'user': READER})}")),
        baseline=repeated(lambda: client.get("/bare/read")),
        baseline_name="bare view",
        target=0.3,
        repeat=READS,
    )
    yield compare(
        "GET course details, cached",
        ours=repeated(lambda: client.get(f"/api/enrollment/v1/course/{course.pk}", authenticated=False)),
        baseline=repeated(lambda: client.get("/bare/anonymous-read", authenticated=False)),
        baseline_name="bare view, without authentication too",
        target=0.8,
        repeat=READS,
    )


def _write_row(client: Client, course: Course) -> Row:
    learners = itertools.count()
    return compare(
        "POST first enrollment",
        ours=repeated(lambda: client.post(ENROLLMENT, _wish(course, next(learners)))),
        baseline=repeated(lambda: client.post("/bare/write", _wish(course, 0))),
        baseline_name="bare view and one committed INSERT",
        target=0.15,
        repeat=WRITES,
    )


def _wish(course: Course, number: int) -> str:
    return json.dumps({"user": f"newcomer{number}", "course_details": {"course_id": course.pk}, "mode": "audit"})


def _courses() -> list[Course]:
    """Make courses with two modes each."""
    courses = Course.objects.bulk_create(
        [
            Course(id=f"course-v1:HogwartsX+Bench{number}+1T2026", org="HogwartsX", display_name=f"Bench {number}")
            for number in range(COURSES)
        ]
    )
    CourseMode.objects.bulk_create(
        [
            CourseMode(course=course, mode_slug=slug, mode_display_name=slug.capitalize(), min_price=price)
            for course in courses
            for slug, price in (("audit", 0), ("verified", 49))
        ]
    )
    return courses


def _enroll_reader(courses: list[Course]) -> None:
    reader = get_user_model().objects.create(username=READER, email="reader@example.com")
    CourseEnrollment.objects.bulk_create([CourseEnrollment(user=reader, course=course) for course in courses])


def _newcomers() -> None:
    """Make learners who are enrolled nowhere yet."""
    names = [f"newcomer{number}" for number in range(NEEDED_WRITES)]
    users = [get_user_model()(username=name, email=f"{name}@example.com", first_name="Ron") for name in names]
    get_user_model().objects.bulk_create(users, batch_size=1000)
