"""How PostgreSQL answers the lists of enrollments: along an index, without reading the table.

docs/scale.md has the plans of a million rows. Here are a few thousand, for which sorting the rows of one course is as
good as an index that has them in order; without that short cut it has to be seen that there is such an index.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enrollment import api
from enrollment.models import Course, CourseEnrollment
from tests.enrollment.factories import UserFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.database("postgresql"),
    pytest.mark.rule("enrollment.lists-at-scale"),
]

COURSE = "course-v1:edX+DemoX+2026_T1"
LEARNERS, COURSES = 100, 40
SHORT_CUTS = ("enable_bitmapscan", "enable_sort")


@pytest.fixture
def _rows():
    learners = [UserFactory(username=f"learner{number}", password="") for number in range(LEARNERS)]
    names = [COURSE, *(f"course-v1:edX+Demo{number}+2026_T1" for number in range(1, COURSES))]
    courses = Course.objects.bulk_create([Course(id=name, org="edX") for name in names])
    CourseEnrollment.objects.bulk_create(
        [CourseEnrollment(user=learner, course=course) for course in courses for learner in learners]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE auth_user, enrollment_course, enrollment_courseenrollment")


def plans(ask, *, without=()):
    """Return how the statements on the table of enrollments are carried out, without these ways of doing so."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    statements = [query["sql"] for query in captured if '"enrollment_courseenrollment"' in query["sql"]]
    with connection.cursor() as cursor:
        for way in without:
            cursor.execute(f"SET LOCAL {way} = off")
        found = []
        for statement in statements:
            cursor.execute(f"EXPLAIN (COSTS OFF) {statement}")
            found.append("\n".join(line for (line,) in cursor.fetchall()))
    assert found
    return found


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize(
    ("conditions", "index"),
    [
        pytest.param({}, "enrollment_by_age", id="of everybody"),
        pytest.param({"course_id": COURSE}, "enrollment_by_course_and_age", id="of one course"),
    ],
)
def test_staffs_list_follows_an_index(conditions, index):
    first, *_ = plans(lambda: api.list_enrollments(**conditions), without=SHORT_CUTS)
    assert f"Index Scan Backward using {index}" in first, first
    assert "Sort" not in first, first


@pytest.mark.usefixtures("_rows")
def test_a_learners_list_reads_the_learners_rows():
    [plan] = plans(lambda: api.get_enrollments("learner7"))
    assert "Index Cond: (user_id = auth_user.id)" in plan, plan
    assert "Seq Scan on enrollment_courseenrollment" not in plan, plan
