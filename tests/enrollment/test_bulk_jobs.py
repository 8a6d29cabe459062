"""Many enrollments from a file."""

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from enrollment import api
from enrollment.errors import InvalidJob
from enrollment.jobs import runner
from enrollment.models import CourseEnrollment, CourseEnrollmentAllowed
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, CourseModeFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.jobs.enrollments")]

COURSE = "course-v1:edX+DemoX+2026_T1"
ORDER = [("order", "order_number", "EDX-1")]


@pytest.fixture(autouse=True)
def _people_and_course():
    course = CourseFactory(id=COURSE)
    for slug in ("audit", "verified"):
        CourseModeFactory(course=course, mode_slug=slug)
    UserFactory(username="bob", email="bob@example.com")
    CourseEnrollmentFactory(user__username="carol", course=course)


def result_of(content: str, **options: Any) -> list[str]:
    """Apply a file, and return the lines of its result without the header."""
    job = api.start_job("enrollments", BytesIO(content.encode()), **{"input_format": "csv", **options})
    runner.run_due(timedelta(minutes=1))
    with api.open_result(job["id"]) as file:
        header, *lines = file.read().decode("utf-8-sig").splitlines()
    assert header == "row,line,status,code,message,mode_before,active_before,mode_after,active_after"
    return lines


def stored() -> dict[str, Any]:
    return {
        row.user.username: (row.mode, row.is_active, list(row.attributes.values_list("namespace", "name", "value")))
        for row in CourseEnrollment.objects.select_related("user")
    }


CSV = f"""\
username,email,course_id,mode,is_active,order:order_number,enrollment_attributes
bob,,{COURSE},verified,TRUE,EDX-1,
carol,,{COURSE},,no,,
carol,,{COURSE},,0,,
,BOB@example.com,{COURSE}, audit ,,,"[{{""namespace"": ""a"", ""name"": ""b"", ""value"": ""c""}}]"
bob,,{COURSE},,,,[7
bob,,{COURSE},,perhaps,,
,new@example.com,{COURSE},,,,
nobody,,{COURSE},,,,
"""
RESULT = [
    "1,2,ok,enrolled,,,,verified,true",
    "2,3,ok,unenrolled,,audit,true,audit,false",
    "3,4,ok,unchanged,,audit,false,audit,false",
    "4,5,ok,changed,,verified,true,audit,true",
    '5,6,failed,malformed_item,"`enrollment_attributes` must be a JSON list of namespace, name and value.",,,,',
    '6,7,failed,invalid_is_active,"`is_active` must be true, false or null.",,,,',
    "7,8,ok,invited,,,,,",
    "8,9,failed,user_not_found,There is no such user.,,,,",
]


@pytest.mark.parametrize("dry_run", [False, True])
def test_each_row_is_one_request_of_staff(dry_run):
    before = stored()

    lines = result_of(CSV, parameters={"invite_unknown": True}, dry_run=dry_run)

    assert lines == RESULT
    if dry_run:
        assert (stored(), CourseEnrollmentAllowed.objects.count()) == (before, 0)
        return
    assert stored() == {"bob": ("audit", True, [("a", "b", "c")]), "carol": ("audit", False, [])}
    assert CourseEnrollmentAllowed.objects.get().email == "new@example.com"


def test_json_lines_have_types_of_their_own():
    attribute = {"namespace": "a", "name": "b", "value": "c"}
    rows = [
        {"username": "bob", "course_id": COURSE, "order:order_number": "EDX-1", "enrollment_attributes": [attribute]},
        {"username": "carol", "course_id": COURSE, "is_active": False, "mode": None},
        {"username": "carol", "course_id": COURSE, "is_active": 1},
        {"username": ["carol"], "course_id": COURSE},
        {"username": "carol", "course_id": COURSE, "enrollment_attributes": {"a": "b"}},
        {"username": "carol", "course_id": COURSE, "order:order_number": 7},
    ]

    lines = result_of("\n".join(map(json.dumps, rows)), input_format="jsonl")

    assert [line.split(",")[2:4] for line in lines] == [
        ["ok", "enrolled"],
        ["ok", "unenrolled"],
        ["failed", "invalid_is_active"],
        ["failed", "malformed_item"],
        ["failed", "attribute_invalid"],
        ["failed", "attribute_invalid"],
    ]
    assert stored() == {"bob": ("audit", True, [("a", "b", "c"), *ORDER]), "carol": ("audit", False, [])}


@pytest.mark.parametrize(
    ("content", "parameters"),
    [
        pytest.param("username,mode\nbob,audit\n", {}, id="no course"),
        pytest.param(f"course_id\n{COURSE}\n", {}, id="nobody"),
        pytest.param(CSV, {"force": True}, id="an unknown parameter"),
        pytest.param(CSV, {"force_enrollment": "yes"}, id="a parameter of another type"),
    ],
)
def test_a_job_that_cannot_work_is_refused(content, parameters):
    with pytest.raises(InvalidJob):
        api.start_job("enrollments", BytesIO(content.encode()), input_format="csv", parameters=parameters)


def test_staff_may_force():
    CourseFactory(id="course-v1:edX+Closed+2026", enrollment_end="2020-01-01T00:00:00Z")
    content = "email,course_id\nbob@example.com,course-v1:edX+Closed+2026\n"

    [refused] = result_of(content)
    [forced] = result_of(content, parameters={"force_enrollment": True})

    assert refused.startswith("1,2,failed,enrollment_closed,")
    assert forced == "1,2,ok,enrolled,,,,audit,true"


def test_without_a_backend_that_can_undo_nothing_is_tried(settings):
    settings.ENROLLMENT_DATA_API = "tests.enrollment.seed_data_api"

    [line] = result_of("username,course_id\nbob,edX/DemoX/2014T2\n", dry_run=True)

    assert line.startswith("1,2,failed,dry_run_impossible,")
