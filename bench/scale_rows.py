"""Whether pages stay as fast when there are a thousand times as many statuses."""

from collections.abc import Callable, Iterator
from functools import partial

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client as Browser
from opaque_keys.edx.keys import CourseKey

from bench import seed
from bench.measure import Moment, Row, at_most, compare_moments, moment, repeated
from bench.site import Site
from credit.models import CreditCourse, CreditEligibility, CreditRequirement, CreditRequirementStatus
from enrollment.models import Course, CourseEnrollment

PAGES = at_most(25, quick=3)  # per round
FEW, MANY = 1_000, at_most(1_000_000, quick=20_000)  # statuses
COURSES, REQUIREMENTS = 50, 4  # requirements of each course
LEARNERS_COURSES = 3

STATUSES = f"""
INSERT INTO credit_creditrequirementstatus (created, modified, username, status, reason, requirement_id)
SELECT now(), now(), 'scale' || number / {REQUIREMENTS}, 'satisfied', '{{"final_grade": 0.95}}',
       (%s::bigint[])[1 + (number / {REQUIREMENTS} %% {COURSES}) * {REQUIREMENTS} + number %% {REQUIREMENTS}]
FROM generate_series(%s, %s) AS number
"""


def rows(site: Site) -> Iterator[Row]:
    """Fetch the staff's list and a learner's page while there are few statuses, and while there are many."""
    CreditRequirementStatus.objects.all().delete()  # of the groups before this one: what is there is counted
    requirements = _requirements()
    staff = get_user_model().objects.create_superuser("clerk", "clerk@example.com", "bench")
    learner = _learner(requirements)
    _grow(requirements, FEW)
    sessions = {
        ("admin list of requirement statuses", "/admin/credit/creditrequirementstatus/"): _session(staff),
        ("a learner's credit page", "/credit/"): _session(learner),
    }
    with site.serve() as client:
        pages = {name: partial(client.page, path, session) for (name, path), session in sessions.items()}
        client.authenticate(seed.CLIENT_ID, seed.CLIENT_SECRET)

        def now(fetch: Callable[[], object]) -> Moment:
            return moment(repeated(fetch), PAGES, yardstick=repeated(lambda: client.get("/bare/read")))

        before = {name: now(fetch) for name, fetch in pages.items()}
        _grow(requirements, MANY)
        for name, fetch in pages.items():
            yield compare_moments(
                f"{name}, {MANY:,} statuses",
                before=before[name],
                after=now(fetch),
                baseline_name=f"the same with {FEW:,}, both against the bare view",
                target=0.8,
                repeat=PAGES,
            )


def _requirements() -> list[CreditRequirement]:
    """Make courses for credit, each with its requirements."""
    keys = [CourseKey.from_string(f"course-v1:HogwartsX+Scale{number}+1T2026") for number in range(COURSES)]
    Course.objects.bulk_create([Course(id=str(key), display_name=f"Scale {number}") for number, key in enumerate(keys)])
    courses = CreditCourse.objects.bulk_create([CreditCourse(course_key=key, enabled=True) for key in keys])
    return CreditRequirement.objects.bulk_create(
        [
            CreditRequirement(course=course, namespace="proctored_exam", name=f"exam {place}", sort_value=place)
            for course in courses
            for place in range(REQUIREMENTS)
        ]
    )


def _learner(requirements: list[CreditRequirement]) -> object:
    """Make a learner who has met the requirements of a few courses."""
    learner = get_user_model().objects.create_user("measured", "measured@example.com")
    met = requirements[: LEARNERS_COURSES * REQUIREMENTS]
    CreditRequirementStatus.objects.bulk_create(
        [
            CreditRequirementStatus(username="measured", requirement=requirement, status="satisfied")
            for requirement in met
        ]
    )
    for course in {requirement.course for requirement in met}:
        CourseEnrollment.objects.create(user=learner, course_id=course.course_key, mode="verified")
        CreditEligibility.objects.create(username="measured", course=course)
    return learner


def _grow(requirements: list[CreditRequirement], total: int) -> None:
    """Add statuses of others until there are so many, and let the database look at them."""
    present = CreditRequirementStatus.objects.count()
    first = CreditRequirementStatus.objects.filter(username__startswith="scale").count()
    ids = [requirement.pk for requirement in requirements]
    with connection.cursor() as cursor:
        cursor.execute(STATUSES, [ids, first, first + total - present - 1])
        cursor.execute("VACUUM ANALYZE credit_creditrequirementstatus")
    assert CreditRequirementStatus.objects.count() == total
    connection.close()


def _session(user: object) -> str:
    browser = Browser()
    browser.force_login(user)  # type: ignore[arg-type]  # the account model is the site's
    return browser.cookies["sessionid"].value
