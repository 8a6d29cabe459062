"""Many enrollments in one call: what each item is answered, and what it leaves behind."""

from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from coursecredit.request_cache import request_scope
from enrollment import api
from enrollment.errors import DryRunImpossibleError, TooManyItemsError
from enrollment.models import (
    CourseEnrollment,
    CourseEnrollmentAllowed,
    ManualEnrollmentAudit,
)
from events.testing import captured_events
from tests.enrollment import seed_data_api
from tests.enrollment.doubles import RecordingHook
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)
from tests.support import in_parallel, statements

pytestmark = pytest.mark.django_db

ENROLL_PORTS = "tests.enrollment.doubles."
CREATED = "org.openedx.learning.course.enrollment.created.v1"
ORDER = [{"namespace": "order", "name": "order_number", "value": "EDX-1"}]
OTHER = [{"namespace": "order", "name": "order_number", "value": "EDX-2"}]
AUDIT, VERIFIED = {"mode": "audit", "is_active": True}, {"mode": "verified", "is_active": True}
LEFT = {"mode": "audit", "is_active": False}


@pytest.fixture
def course():
    course = CourseFactory()
    for slug in ("audit", "verified"):
        CourseModeFactory(course=course, mode_slug=slug)
    return course


@pytest.fixture
def bob():
    return UserFactory(username="bob", email="bob@example.com")


def enroll(*items: Any, **options: Any) -> list[Any]:
    return api.enroll_in_bulk(items, **{"requested_by": None, **options})


def done(before: Any, after: Any, *, invited: bool = False) -> dict[str, Any]:
    return {"before": before, "after": after, "invited": invited, "error": None}


def codes(outcomes: list[Any]) -> list[str | None]:
    return [outcome["error"] and outcome["error"]["error_code"] for outcome in outcomes]


# --- form


@pytest.mark.rule("enrollment.bulk.items")
@pytest.mark.parametrize(
    ("item", "code"),
    [
        pytest.param(None, "malformed_item", id="nothing"),
        pytest.param(["bob"], "malformed_item", id="a list"),
        pytest.param({}, "course_id_missing", id="an empty one"),
        pytest.param({"course_id": ""}, "course_id_missing", id="no course"),
        pytest.param({"course_id": 7}, "invalid_course_id", id="a number for a course"),
        pytest.param({"course_id": ["a"]}, "invalid_course_id", id="a list for a course"),
        pytest.param({"course_id": "course-v1:a+b"}, "invalid_course_id", id="no course key"),
        pytest.param({"username": None, "email": ""}, "target_missing", id="nobody"),
        pytest.param({"username": 7}, "malformed_item", id="a number for a name"),
        pytest.param({"username": "b\0b"}, "malformed_item", id="a name that cannot be stored"),
        pytest.param({"username": None, "email": "\ud800@example.com"}, "malformed_item", id="nor can the address"),
        pytest.param({"username": "nobody"}, "user_not_found", id="an unknown name"),
        pytest.param({"username": None, "email": "nobody@example.com"}, "user_not_found", id="an unknown address"),
        pytest.param({"username": "nobody", "is_active": "no"}, "user_not_found", id="nobody, and flawed"),
        pytest.param({"mode": 7}, "malformed_item", id="a number for a mode"),
        pytest.param({"mode": "\ud800"}, "malformed_item", id="a mode that cannot be told"),
        pytest.param({"is_active": 1}, "invalid_is_active", id="a number for a truth"),
        pytest.param({"enrollment_attributes": {}}, "attribute_invalid", id="no list of attributes"),
        pytest.param({"enrollment_attributes": [{}]}, "attribute_invalid", id="an empty attribute"),
        pytest.param({"course_id": "course-v1:un+known+1"}, "course_not_found", id="an unknown course"),
    ],
)
def test_a_bad_item_hinders_no_other(course, bob, item, code):
    good = {"username": "bob", "course_id": course.id}
    flawed = {**good, **item} if isinstance(item, dict) and item else item

    outcomes = enroll(flawed, good, flawed)

    assert codes(outcomes) == [code, None, code]
    assert outcomes[1] == done(None, AUDIT)
    assert CourseEnrollment.objects.count() == 1


def test_more_than_a_thousand_are_refused(course, bob):
    with pytest.raises(TooManyItemsError):
        enroll(*[{"username": "bob", "course_id": course.id}] * 1001)
    assert not CourseEnrollment.objects.exists()


@pytest.mark.parametrize("address", ["BOB@example.com", "Bób@example.com", "BÓB@EXAMPLE.COM"])
def test_addresses_are_found_without_regard_to_case(course, address):
    user = UserFactory(email=address.replace("B", "b"))

    assert enroll({"email": address, "course_id": course.id, "username": ""}) == [done(None, AUDIT)]
    assert CourseEnrollment.objects.get().user == user


def test_an_address_of_several_accounts_names_nobody(course, bob):
    UserFactory(email="Bob@Example.com")

    outcomes = enroll({"email": "bob@example.com", "course_id": course.id}, invite_unknown=True)

    assert codes(outcomes) == ["user_not_found"]
    assert not CourseEnrollmentAllowed.objects.exists()


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in bulk"])
def test_names_that_differ_in_spaces_at_the_end_are_one(course, bob, alone):
    # A database that pads text takes them for the same, and would refuse the second.
    attributes = [{"namespace": space, "name": f"n{space}", "value": "1"} for space in (" ", "")]
    attributes += [{"namespace": "order", "name": name, "value": name} for name in ("number", "number ", "Number")]
    attributes[-1]["more"] = "than is asked for"
    if alone:
        api.request_enrollment("bob", course.id, enrollment_attributes=attributes)
    else:
        assert codes(enroll({"username": "bob", "course_id": course.id, "enrollment_attributes": attributes})) == [None]

    stored = api.get_enrollment_attributes("bob", course.id)
    assert [(one["namespace"], one["value"]) for one in stored] == [
        ("", "1"),
        ("order", "number "),
        ("order", "Number"),
    ]


# --- items that meet each other


@pytest.mark.rule("enrollment.bulk.order")
def test_items_of_one_learner_are_applied_in_their_order(course, bob):
    ask = {"username": "bob", "course_id": course.id}
    with captured_events() as events:
        outcomes = enroll(
            {**ask, "enrollment_attributes": ORDER},
            {**ask, "mode": "verified"},
            {**ask, "mode": "audit", "is_active": False},
            {**ask, "is_active": False, "enrollment_attributes": OTHER},
            {**ask, "is_active": False},
            {**ask, "email": "nobody@example.com", "mode": "audit"},
        )

    left = {**VERIFIED, "is_active": False}
    assert outcomes[:2] + outcomes[3:] == [
        done(None, AUDIT),
        done(AUDIT, VERIFIED),
        done(VERIFIED, left),
        done(left, left),
        done(left, LEFT),
    ]
    assert codes(outcomes[2:3]) == ["mode_mismatch"]
    row = CourseEnrollment.objects.get()
    history = list(row.history.order_by("history_date").values_list("history_type", "mode", "is_active"))
    assert history == [
        ("+", "audit", True),
        ("~", "verified", True),
        ("~", "verified", False),
        ("~", "audit", False),
    ]
    assert [event.event_type for event in events].count(CREATED) == 1
    assert list(row.attributes.values_list("value", flat=True)) == ["EDX-2"]


@pytest.mark.rule("enrollment.bulk.seats")
def test_seats_are_taken_in_the_order_of_items(course):
    course.max_student_enrollments_allowed = 2
    course.save()
    CourseAccessRoleFactory(course_id=course.id, user=CourseEnrollmentFactory(course=course).user)
    leaving = CourseEnrollmentFactory(course=course)
    new = [UserFactory().username for _ in range(3)]

    outcomes = enroll(
        {"username": new[0], "course_id": course.id},
        {"username": new[1], "course_id": course.id},
        {"username": leaving.user.username, "course_id": course.id, "is_active": False},
        {"username": new[2], "course_id": course.id},
    )

    assert codes(outcomes) == [None, "course_full", None, None]
    assert CourseEnrollment.objects.num_enrolled_in_exclude_admins(course.id) == 2


def test_an_invitation_serves_whoever_comes_first(course):
    course.invitation_only = True
    course.save()
    first, second = UserFactory(email="one@example.com"), UserFactory(email="ONE@example.com")
    invitation = CourseEnrollmentAllowedFactory(email="One@example.com", course_id=course.id)

    outcomes = enroll(*({"username": user.username, "course_id": course.id} for user in (first, second)))

    assert codes(outcomes) == [None, "enrollment_closed"]
    invitation.refresh_from_db()
    assert invitation.user == first


def test_unconfirmed_addresses_open_no_invitation(settings, course, bob):
    settings.ENROLLMENT_PORTS = {"ProfilePort": f"{ENROLL_PORTS}NobodyConfirmed"}
    course.invitation_only = True
    course.save()
    CourseEnrollmentAllowedFactory(email=bob.email, course_id=course.id)

    assert codes(enroll({"username": "bob", "course_id": course.id})) == ["enrollment_closed"]


# --- addresses that nobody has


@pytest.mark.rule("enrollment.bulk.invitations")
def test_unknown_addresses_are_invited_if_that_is_asked(course, django_capture_on_commit_callbacks):
    staff = UserFactory()
    known = CourseEnrollmentAllowedFactory(email="known@example.com", course_id=course.id)
    ask = {"course_id": course.id, "mode": "verified", "enrollment_attributes": ORDER}
    items = [
        {**ask, "email": "New@example.com"},
        {**ask, "email": "new@example.COM"},
        {**ask, "email": "KNOWN@example.com"},
        {**ask, "email": "no address"},
        {**ask, "email": "leaver@example.com", "is_active": False},
        {**ask, "email": "lost@example.com", "course_id": "course-v1:un+known+1"},
        {**ask, "email": "flawed@example.com", "is_active": 1},
        {**ask, "username": "nobody", "email": "named@example.com"},
    ]

    assert set(codes(enroll(*items))) == {"user_not_found"}
    outcomes = enroll(*items, invite_unknown=True, requested_by=staff.pk)

    invited = done(None, None, invited=True)
    assert outcomes[:3] == [invited] * 3
    assert codes(outcomes[3:]) == [
        "user_not_found",
        "user_not_found",
        "course_not_found",
        "invalid_is_active",
        "user_not_found",
    ]
    known.refresh_from_db()
    assert known.auto_enroll
    new = CourseEnrollmentAllowed.objects.exclude(pk=known.pk).get()
    assert (new.email.lower(), new.course_id, new.auto_enroll, new.user) == ("new@example.com", course.id, True, None)
    audit = ManualEnrollmentAudit.objects.get()
    assert audit.enrolled_email == new.email
    assert (audit.enrolled_by, audit.state_transition) == (staff, "from unenrolled to allowed to enroll")
    assert audit.history.get().history_user == staff

    with django_capture_on_commit_callbacks(execute=True):
        user = UserFactory(email="new@example.com")
    assert CourseEnrollment.is_enrolled(user, course.id)


def test_an_invitation_that_was_used_is_not_given_away_again(course):
    used = CourseEnrollmentAllowedFactory(email="used@example.com", course_id=course.id, user=UserFactory())

    outcomes = enroll({"email": "used@example.com", "course_id": course.id}, invite_unknown=True)

    assert outcomes == [done(None, None, invited=True)]
    used.refresh_from_db()
    assert used.user is not None
    assert not used.auto_enroll


# --- neighbours


@pytest.mark.parametrize(
    ("ports", "row", "code"),
    [
        pytest.param({"EnrollHook": [f"{ENROLL_PORTS}KeepOut"]}, None, "enrollment_not_allowed", id="kept out"),
        pytest.param({"EnrollHook": [f"{ENROLL_PORTS}EverybodyVerified"]}, None, None, id="another mode"),
        pytest.param({"UnenrollHook": [f"{ENROLL_PORTS}HoldBack"]}, AUDIT, "unenrollment_not_allowed", id="held back"),
        pytest.param({"CoursePort": f"{ENROLL_PORTS}ElsewhereCourses"}, None, "course_not_found", id="courses"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_neighbours_decide_as_ever(settings, course, bob, ports, row, code, dry_run):
    if row is not None:
        CourseEnrollmentFactory(user=bob, course=course)
    settings.ENROLLMENT_PORTS = ports
    rows = list(CourseEnrollment.objects.values())

    with captured_events() as events:
        outcomes = enroll(
            {"username": "bob", "course_id": course.id, "is_active": None if row is None else False},
            {"username": "nobody", "course_id": course.id},
            dry_run=dry_run,
        )

    assert codes(outcomes) == [code, "user_not_found"]
    if code is None:
        assert outcomes[0] == done(None, VERIFIED)
    assert bool(events) == (code is None and not dry_run)
    assert (list(CourseEnrollment.objects.values()) == rows) == (code is not None or dry_run)


class NotHere:
    def check(self, user, course_key, ip, path):
        return "/sorry" if (ip, path) == ("192.0.2.1", "/bulk") else None


def test_the_embargo_is_obeyed(settings, course, bob):
    settings.ENROLLMENT_PORTS = {"EmbargoPort": f"{__name__}.NotHere"}
    UserFactory(username="teacher", is_staff=True)
    items = [{"username": name, "course_id": course.id} for name in ("bob", "teacher", "nobody")]

    outcomes = enroll(*items, ip="192.0.2.1", path="/bulk")

    assert codes(outcomes) == ["embargoed", None, "user_not_found"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_hooks_see_each_request_before_it_changes_anything(settings, course, bob, dry_run):
    settings.ENROLLMENT_PORTS = {"PreEnrollHook": [f"{ENROLL_PORTS}RecordingHook"]}
    RecordingHook.calls.clear()
    good = {"username": "bob", "course_id": course.id, "linked_enterprise_customer": "acme"}

    enroll(good, {**good, "is_active": 1}, {**good, "username": "nobody"}, dry_run=dry_run)

    assert len(RecordingHook.calls) == (0 if dry_run else 1)


def test_a_hook_may_prevent_all(settings, course, bob):
    settings.ENROLLMENT_PORTS = {"PreEnrollHook": [f"{ENROLL_PORTS}PreventEverything"]}

    [outcome] = enroll({"username": "bob", "course_id": course.id})

    message = "This site prevented the request before it changed anything."
    assert outcome["error"] == {"error_code": "prevented", "message": message}
    assert not CourseEnrollment.objects.exists()


def test_another_data_backend_is_asked_item_by_item(settings, bob):
    settings.ENROLLMENT_DATA_API = "tests.enrollment.seed_data_api"
    seed_data_api.rows.clear()
    item = {"username": "bob", "course_id": seed_data_api.COURSE, "mode": "verified"}

    # It answers with words of its own, so the states are not told.
    assert enroll(item) == [done(None, None)]
    assert seed_data_api.rows["bob", seed_data_api.COURSE]["track"] == "verified"
    with pytest.raises(DryRunImpossibleError):
        enroll(item, dry_run=True)


# --- transactions


def test_all_is_the_callers_to_undo(course, bob):
    with captured_events() as events, transaction.atomic():
        assert enroll({"username": "bob", "course_id": course.id}) == [done(None, AUDIT)]
        transaction.set_rollback(True)

    assert not events
    assert not CourseEnrollment.objects.exists()


STATEMENTS = [
    pytest.param("new", {}, 7, id="new learners"),
    pytest.param("new", {"enrollment_attributes": ORDER}, 8, id="new learners, attributes"),
    pytest.param("enrolled", {"is_active": False}, 8, id="learners who leave"),
    pytest.param(
        "enrolled", {"mode": "verified", "enrollment_attributes": ORDER}, 10, id="learners who move, attributes"
    ),
    pytest.param("enrolled", {}, 6, id="repeats"),
    pytest.param("capped", {}, 10, id="a cap"),
    pytest.param("invited", {}, 8, id="invitations"),
    pytest.param("unknown", {}, 6, id="unknown addresses"),
]


def items_for(kind: str, count: int, fields: dict[str, Any]) -> list[Any]:
    """Return items in so many courses as there are learners, up to five."""
    courses = CourseFactory.create_batch(min(count, 5))
    people = UserFactory._meta.model.objects.bulk_create(
        UserFactory._meta.model(username=f"{kind}{count}-{n}", email=f"{kind}{count}-{n}@example.com")
        for n in range(count)
    )
    pairs = [(user, courses[place % len(courses)]) for place, user in enumerate(people)]
    for course in courses:
        CourseModeFactory(course=course)
        CourseModeFactory(course=course, mode_slug="verified")
        if kind == "capped":
            course.max_student_enrollments_allowed = count
        course.invitation_only = kind == "invited"
        course.save()
    if kind == "enrolled":
        CourseEnrollment.objects.bulk_create(
            CourseEnrollment(user=user, course=course, mode="audit") for user, course in pairs
        )
    if kind == "invited":
        CourseEnrollmentAllowed.objects.bulk_create(
            CourseEnrollmentAllowed(email=user.email, course_id=course.id) for user, course in pairs
        )
    if kind == "unknown":
        return [{"email": f"new-{user.email}", "course_id": course.id} for user, course in pairs]
    return [{"username": user.username, "course_id": course.id, **fields} for user, course in pairs]


def taken(items: list[Any]) -> Any:
    with request_scope(), statements(without=("events_outboxevent",)) as run:
        assert codes(enroll(*items, invite_unknown=True)) == [None] * len(items)
    return run


@pytest.mark.rule("enrollment.bulk.statements")
@pytest.mark.parametrize(("kind", "fields", "exactly"), STATEMENTS)
def test_statements_do_not_grow_with_the_items(kind, fields, exactly):
    # SQLite takes 999 values in a statement, so its inserts are cut into parts.
    counts = (1, 10) if connection.vendor == "sqlite" else (1, 10, 1000)
    runs = [taken(items_for(kind, count, fields)) for count in counts]

    assert len({len(run) for run in runs}) == 1, "\n\n".join(map(str, runs))
    assert len(runs[0]) == exactly or connection.vendor != "postgresql", runs[0]


def test_events_cost_one_statement(settings):
    settings.EVENT_BUS_PRODUCER_CONFIG = {
        CREATED: {"enrollments": {"event_key_field": "enrollment.course.course_key", "enabled": True}}
    }
    settings.EVENT_BUS_PRODUCER = "events.bus.redis.create_producer"
    settings.EVENT_BUS_REDIS_CONNECTION_URL = "redis://127.0.0.1:1/0"  # nobody is asked: a row is enough
    items = items_for("new", 30, {})

    with statements() as run:
        enroll(*items)

    assert sum("INSERT INTO" in text and "events_outboxevent" in text for text in run.texts) == 1


# --- at the same moment


@pytest.mark.database("postgresql", "mysql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("enrollment.bulk.concurrency")
def test_the_same_items_at_the_same_moment_are_applied_once(course):
    for _ in range(3):
        learners = [UserFactory().username for _ in range(20)]
        items = [{"username": name, "course_id": course.id, "enrollment_attributes": ORDER} for name in learners]
        mirrored = partial(enroll, *reversed(items))

        with captured_events() as events:
            results = in_parallel(partial(enroll, *items), mirrored, mirrored, *_single(learners[:2], course))

        assert all(codes(result) == [None] * 20 for result in results[:3]), results
        assert all(isinstance(result, dict) for result in results[3:]), results
        rows = CourseEnrollment.objects.filter(user__username__in=learners)
        assert rows.count() == 20
        assert [event.event_type for event in events].count(CREATED) == 20
        assert all(row.history.count() == 1 and row.attributes.count() == 1 for row in rows)


@pytest.mark.database("postgresql", "mysql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("enrollment.bulk.concurrency")
def test_no_more_learners_than_seats_at_the_same_moment(course):
    course.max_student_enrollments_allowed = 7
    course.save()
    learners = [UserFactory().username for _ in range(12)]
    items = [{"username": name, "course_id": course.id} for name in learners]

    results = in_parallel(partial(enroll, *items), partial(enroll, *reversed(items)), *_single(learners[:2], course))

    assert not any(isinstance(result, Exception) for result in results[:2]), results
    assert CourseEnrollment.objects.filter(course_id=course.id, is_active=True).count() == 7


@pytest.mark.database("postgresql", "mysql")
@pytest.mark.django_db(transaction=True)
def test_the_same_addresses_are_invited_once(course):
    items = [{"email": f"new{number}@example.com", "course_id": course.id} for number in range(20)]
    invite = partial(enroll, invite_unknown=True)

    results = in_parallel(partial(invite, *items), partial(invite, *reversed(items)))

    assert results == [[done(None, None, invited=True)] * 20] * 2
    assert CourseEnrollmentAllowed.objects.count() == ManualEnrollmentAudit.objects.count() == 20


def _single(learners, course):
    return [
        partial(api.request_enrollment, name, course.id, privileged=True, enrollment_attributes=ORDER)
        for name in learners
    ]
