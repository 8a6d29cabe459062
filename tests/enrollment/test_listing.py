"""The list of everybody's enrollments: `enrollment.api`."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enrollment import api
from enrollment.errors import InvalidCourseKeyError, InvalidCursor
from enrollment.models import CourseEnrollment
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, UserFactory
from tests.support import statements

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

RUNS = {  # by what makes each one different
    "run": "course-v1:edX+DemoX+2026",
    "other run": "course-v1:edX+DemoX+2027",
    "longer course": "course-v1:edX+DemoX2+2026",
    "longer org": "course-v1:edX.org+DemoX+2026",
    "other case": "course-v1:edX+demox+2026",
    "legacy": "edX/DemoX/2026",
    "wildcards": "course-v1:ed_+Dem_X+2026",
    "elsewhere": "course-v1:a+b+c",
}


@pytest.fixture
def runs(db):
    for course_id in RUNS.values():
        CourseEnrollmentFactory(course=CourseFactory(id=course_id))


@pytest.mark.rule("enrollment.list.filters")
@pytest.mark.parametrize(
    ("items", "found"),
    [
        pytest.param(["course-v1:edX+DemoX+2026"], ["run"], id="key"),
        pytest.param(["edX+DemoX+2026"], ["run"], id="key without its prefix"),
        pytest.param(["edX/DemoX/2026"], ["legacy"], id="legacy key"),
        pytest.param(["edX+DemoX"], ["run", "other run", "legacy"], id="all runs"),
        pytest.param(["EDX+DEMOX"], [], id="all runs in another case"),
        pytest.param(["edX+Demo"], [], id="beginning of a course"),
        pytest.param(["ed_+Dem_X"], ["wildcards"], id="wildcards of LIKE are letters"),
        pytest.param(["%+%"], [], id="wildcards"),
        pytest.param(["course-v1:edX+DemoX"], [], id="prefix, but no run"),
        pytest.param(["edX"], [], id="organisation"),
        pytest.param([""], [], id="nothing"),
        pytest.param(["+"], [], id="plus"),
        pytest.param(["edX/DemoX"], [], id="half a legacy key"),
        pytest.param(["edX+DemoX+2026+2"], [], id="too many parts"),
        pytest.param([], [], id="no items"),
        pytest.param(["course-v1:edX+DemoX+2027", "a+b+c", "nonsense"], ["other run", "elsewhere"], id="several"),
        pytest.param(["edX+DemoX2", "edX.org+DemoX"], ["longer course", "longer org"], id="several courses"),
        pytest.param(["x" * 300, f"{'x' * 300}+y"], [], id="longer than any key"),
    ],
)
def test_items_choose_courses(runs, items, found):
    chosen = [row["course_id"] for row in api.list_enrollments(course_ids=items).results]
    assert sorted(chosen) == sorted(RUNS[name] for name in found)
    assert sorted(chosen) == sorted(row.course_id for row in api.find_enrollments(course_ids=items))


@pytest.mark.django_db
@pytest.mark.rule("enrollment.list.filters")
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({}, ["ann", "bob", "cat"], id="nothing"),
        pytest.param({"usernames": ["ann", "cat", "dan"]}, ["ann", "cat"], id="accounts"),
        pytest.param({"usernames": ["ANN"]}, [], id="account in another case"),
        pytest.param({"emails": ["BOB@example.com"]}, ["bob"], id="address in another case"),
        pytest.param({"emails": [""]}, [], id="empty address"),
        pytest.param({"usernames": ["ann", "bob"], "emails": ["bob@example.com"]}, ["bob"], id="both"),
        pytest.param({"usernames": ["ann"], "emails": ["bob@example.com"]}, [], id="different ones"),
        pytest.param({"course_id": "course-v1:edX+ann+1"}, ["ann"], id="course"),
        pytest.param({"course_id": "course-v1:edX+ann+1", "course_ids": ["edX+bob"]}, [], id="two courses"),
        pytest.param({"course_id": "course-v1:edX+bob+1", "usernames": ["bob"]}, ["bob"], id="all of it"),
        pytest.param({"course_ids": ["edX+bob"], "usernames": ["ann"]}, [], id="somebody else's course"),
    ],
)
def test_filters_are_combined(wanted, found):
    for name in ("ann", "bob", "cat"):
        CourseEnrollmentFactory(
            user=UserFactory(username=name, email=f"{name}@Example.com"),
            course=CourseFactory(id=f"course-v1:edX+{name}+1"),
        )
    UserFactory(username="dan", email="")
    assert sorted(row["user"] for row in api.list_enrollments(**wanted).results) == found
    assert sorted(api.listed_enrollment(row)["user"] for row in api.find_enrollments(**wanted)) == found


@pytest.mark.django_db
def test_a_row_is_listed_whatever_has_become_of_its_course():
    row = CourseEnrollmentFactory(mode="verified", is_active=False, created=NOON)
    row.course.delete()
    assert api.list_enrollments().results == [
        {
            "created": NOON,
            "mode": "verified",
            "is_active": False,
            "user": row.username,
            "course_id": row.course_id,
        }
    ]


@pytest.mark.django_db
def test_newest_come_first_and_those_of_unknown_age_last():
    for age in (2, None, 1, 2, None):
        CourseEnrollmentFactory(created=None if age is None else NOON - timedelta(days=age))
    ids = {row.course_id: row.pk for row in CourseEnrollment.objects.all()}
    listed = [ids[row["course_id"]] for row in api.list_enrollments().results]
    first = min(ids.values())
    assert [pk - first for pk in listed] == [2, 3, 0, 4, 1]
    of_users = api.list_enrollments(usernames=[row.username for row in CourseEnrollment.objects.all()])
    assert [ids[row["course_id"]] - first for row in of_users.results] == [2, 3, 0, 4, 1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ordering", "listed"),
    [("created", [1, 0, 2]), ("-created", [2, 0, 1]), ("id", [0, 1, 2]), ("-id", [2, 1, 0])],
)
def test_numbered_pages_have_an_order_to_choose(ordering, listed):
    rows = [CourseEnrollmentFactory(created=NOON + timedelta(days=age)) for age in (1, 0, 1)]
    assert list(api.find_enrollments(ordering=ordering)) == [rows[place] for place in listed]


def pages_forth_and_back(page_size, **wanted):
    """Return all pages as they come by `next`, and as they come from there by `previous`."""
    forth = [api.list_enrollments(page_size=page_size, **wanted)]
    while forth[-1].next is not None:
        forth.append(api.list_enrollments(cursor=api.Cursor.parse(str(forth[-1].next)), page_size=page_size, **wanted))
    back = [forth[-1]]
    while back[-1].previous is not None:
        back.append(
            api.list_enrollments(cursor=api.Cursor.parse(str(back[-1].previous)), page_size=page_size, **wanted)
        )
    return forth, back


def stored(user, ages):
    """Store an enrollment per age in days, None for an unknown one, and return their courses in the list's order."""
    CourseEnrollment.objects.all().delete()
    for number, age in enumerate(ages):
        created = None if age is None else NOON - timedelta(days=age)
        CourseEnrollmentFactory(user=user, course_id=f"course-v1:edX+{number}+1", course=None, created=created)
    newest_first = sorted(enumerate(ages), key=lambda item: (item[1] is None, item[1] or 0, -item[0]))
    return [f"course-v1:edX+{number}+1" for number, _ in newest_first]


def courses_on(pages):
    return [row["course_id"] for page in pages for row in page.results]


AGES = st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=12)
FILTERS = st.sampled_from([{}, {"usernames": ["walker"]}, {"course_ids": [f"edX+{number}" for number in range(12)]}])
on_one_database_state = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def walker(db):
    return UserFactory(username="walker")


@pytest.mark.rule("enrollment.list.pages")
@on_one_database_state
@given(ages=AGES, page_size=st.integers(1, 5), wanted=FILTERS)
def test_walking_the_pages_meets_every_row_once(walker, ages, page_size, wanted):
    listed = stored(walker, ages)

    forth, back = pages_forth_and_back(page_size, **wanted)

    assert courses_on(forth) == listed
    assert [page.results for page in reversed(back)] == [page.results for page in forth]
    assert all(len(page.results) == page_size for page in forth[:-1])


@pytest.mark.rule("enrollment.list.pages")
@on_one_database_state
@given(ages=AGES.filter(lambda ages: len(ages) > 2), place=st.integers(0, 10), wanted=FILTERS)
def test_what_is_added_or_deleted_meanwhile_hides_nothing(walker, ages, place, wanted):
    listed = stored(walker, ages)
    first = api.list_enrollments(page_size=2, **wanted)

    CourseEnrollmentFactory(
        user=walker, course=None, course_id="course-v1:edX+11+new", created=NOON + timedelta(days=1)
    )
    gone = listed[place % len(listed)]
    CourseEnrollment.objects.filter(course_id=gone).delete()
    rest = api.list_enrollments(cursor=first.next, **wanted)

    assert courses_on([rest]) == [course_id for course_id in listed[2:] if course_id != gone]


@pytest.mark.rule("enrollment.list.pages")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("nonsense", id="nonsense"),
        pytest.param("💩", id="not ASCII"),
        pytest.param("o1:1", id="not encoded"),
        pytest.param("bzE6MQ%3D%3D", id="quoted twice"),
        pytest.param("eDE6MQ", id="unknown direction"),  # x1:1
        pytest.param("bzE6MQo", id="line break at the end"),  # o1:1\n
        pytest.param("bzk5OTk5OTk5OTk5OTk5OTk5OTk", id="id beyond the database"),  # o9999999999999999999
        pytest.param("bzE6OTk5OTk5OTk5OTk5OTk5OTk5", id="moment beyond the calendar"),  # o1:999999999999999999
        pytest.param("bzE6LTk5OTk5OTk5OTk5OTk5OTk5OQ", id="moment before the calendar"),
        pytest.param("A" * 10_000, id="long"),
    ],
)
def test_invented_cursors_are_refused(text):
    with pytest.raises(InvalidCursor):
        api.Cursor.parse(text)


@pytest.mark.django_db
@given(text=st.text(max_size=40) | st.binary(max_size=30).map(lambda octets: base64.urlsafe_b64encode(octets).decode()))
def test_whatever_a_cursor_says_it_is_a_place_or_refused(text):
    try:
        cursor = api.Cursor.parse(text)
    except InvalidCursor:
        return
    api.list_enrollments(cursor=cursor)


@pytest.mark.django_db
@pytest.mark.parametrize("created", [None, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
@pytest.mark.parametrize("pk", [0, 2**63 - 1])
@pytest.mark.parametrize("towards_newer", [True, False])
@pytest.mark.parametrize("wanted", [{}, {"usernames": ["learner"]}])
def test_extreme_places_are_places(created, pk, towards_newer, wanted):
    place = api.Cursor(created=created, pk=pk, towards_newer=towards_newer)
    assert api.Cursor.parse(str(place)) == place
    api.list_enrollments(cursor=place, **wanted)


@pytest.mark.django_db
def test_only_a_course_key_is_a_course():
    for listing in (api.list_enrollments, api.find_enrollments):
        with pytest.raises(InvalidCourseKeyError):
            listing(course_id="edX+DemoX+2026")


@pytest.mark.django_db
@pytest.mark.rule("enrollment.budgets")
@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, 2),
        ({"course_id": "course-v1:edX+0+1"}, 2),
        ({"usernames": ["walker"], "emails": ["walker@example.com"], "course_ids": ["edX+0", "edX+1"]}, 2),
    ],
)
def test_a_page_takes_two_statements_at_most(walker, count, wanted, expected):
    stored(walker, range(count))
    with statements() as run:
        api.list_enrollments(**wanted)
    assert len(run) == expected, run
    behind_the_first = api.list_enrollments(page_size=1, **wanted).next
    with statements() as run:
        api.list_enrollments(page_size=1, cursor=behind_the_first, **wanted)
    assert len(run) <= expected, run
