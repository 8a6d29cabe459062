"""Whether lists stay as fast when there are a thousand times as many enrollments."""

from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import get_user_model
from django.db import connection

from bench import seed
from bench.measure import Moment, Row, at_most, compare_moments, moment, repeated
from bench.server import Client
from bench.site import Site
from enrollment.models import Course, CourseEnrollment, CourseMode

PAGES = at_most(50, quick=3)  # per round
FEW, MANY = 1_000, at_most(1_000_000, quick=20_000)  # enrollments
COURSES, LEARNERS_COURSES = 50, 10
LEARNERS = MANY // LEARNERS_COURSES
API = "/api/enrollment/v1"
OLDEST_COURSE = "course-v1:HogwartsX+Cram0+1T2026"

LEARNER_ROWS = """
INSERT INTO auth_user (username, email, password, first_name, last_name, is_active, is_staff, is_superuser, date_joined)
SELECT 'crammer' || number, 'crammer' || number || '@example.com', '', 'Ron', '', true, false, false, now()
FROM generate_series(0, %s) AS number
"""
# As in life, courses follow each other, so that all enrollments of one are of the same time.
ENROLLMENT_ROWS = f"""
INSERT INTO enrollment_courseenrollment (user_id, course_id, created, is_active, mode)
SELECT %(first_learner)s + number / {LEARNERS_COURSES},
       'course-v1:HogwartsX+Cram'
           || number / {LEARNERS_COURSES} * {COURSES - LEARNERS_COURSES + 1} / {LEARNERS} + number %% {LEARNERS_COURSES}
           || '+1T2026',
       timestamptz '2016-01-01' + number * interval '5 minutes', number %% 7 > 0, 'audit'
FROM generate_series(%(first)s, %(last)s) AS number
"""


def rows(site: Site) -> Iterator[Row]:
    """Fetch lists while there are few enrollments, and while there are many."""
    CourseEnrollment.objects.all().delete()  # of the groups before this one: what is there is counted
    _courses()
    first_learner = _learners()
    _grow(first_learner, FEW)
    with site.serve() as client:
        client.authenticate(seed.CLIENT_ID, seed.CLIENT_SECRET)
        before = {name: _now(client, fetch) for name, fetch in _lists(client).items()}
        _grow(first_learner, MANY)
        for name, fetch in _lists(client).items():
            yield compare_moments(
                f"{name}, {MANY:,} enrollments",
                before=before[name],
                after=_now(client, fetch),
                baseline_name=f"the same with {FEW:,}, both against the bare view",
                target=0.8,
                repeat=PAGES,
            )


def _lists(client: Client) -> dict[str, Callable[[], object]]:
    """Return the lists by name; each has as many rows when there are few enrollments as when there are many."""
    whole = f"{API}/enrollments"
    following = urlsplit(client.get(whole)["next"])
    addresses = {
        "a learner's enrollments": f"{API}/enrollment?{urlencode({'user': 'crammer0'})}",
        "staff's list, newest page": whole,
        "staff's list, next page by cursor": f"{following.path}?{following.query}",
        "staff's list of the oldest course": f"{whole}?{urlencode({'course_id': OLDEST_COURSE})}",
        "staff's list of one learner": f"{whole}?{urlencode({'username': 'crammer0'})}",
    }
    return {name: partial(client.get, address) for name, address in addresses.items()}


def _now(client: Client, fetch: Callable[[], object]) -> Moment:
    return moment(repeated(fetch), PAGES, yardstick=repeated(lambda: client.get("/bare/read")))


def _courses() -> None:
    courses = [Course(id=f"course-v1:HogwartsX+Cram{number}+1T2026", org="HogwartsX") for number in range(COURSES)]
    Course.objects.bulk_create(courses)
    CourseMode.objects.bulk_create(
        [CourseMode(course=course, mode_slug="audit", mode_display_name="Audit") for course in courses]
    )


def _learners() -> int:
    """Make the learners; return the id of the first, which the others' follow."""
    with connection.cursor() as cursor:
        cursor.execute(LEARNER_ROWS, [LEARNERS - 1])
    first: int = get_user_model().objects.get(username="crammer0").pk
    return first


def _grow(first_learner: int, total: int) -> None:
    """Add enrollments until there are so many, and let the database look at them."""
    present = CourseEnrollment.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(ENROLLMENT_ROWS, {"first_learner": first_learner, "first": present, "last": total - 1})
        cursor.execute("VACUUM ANALYZE enrollment_courseenrollment, auth_user")
    assert CourseEnrollment.objects.count() == total
    connection.close()
