"""Every outcome of a request for an enrollment: the table of enrollment contract 6.2, multiplied out.

The cases are the product of what is stored, what is asked, by whom, and what has become of the course. `TABLE` is the
contract's table, row by row, and `expected` its further rules; neither knows the code under test. All cases run on the
backend in memory; a sample that covers every pair of conditions, and the whole table on a course where nothing is
special, run on the tables, where what is told to other services is compared as well.
"""

from collections import Counter
from datetime import timedelta
from itertools import combinations, product
from typing import NamedTuple

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from enrollment import api, models, testing
from enrollment.errors import (
    CourseEnrollmentClosedError,
    CourseEnrollmentFullError,
    CourseModeNotFoundError,
    CourseNotFoundError,
    EnrollmentModeMismatchError,
)
from events.testing import captured_events

YESTERDAY = timezone.now() - timedelta(days=1)
PREFIX = "org.openedx.learning.course."
CHANGED, CREATED = f"{PREFIX}enrollment.changed.v1", f"{PREFIX}enrollment.created.v1"
COMPLETED = f"{PREFIX}unenrollment.completed.v1"

AUDIT, VERIFIED, HONOR = "audit", "verified", "honor"  # every course has the first two, none has the third
LEARNER, STAFF, SERVER, FORCING_STAFF = "learner", "staff", "server", "staff with force"
OPEN, OVER, INVITATION_ONLY = "open", "window is over", "invitation only"
INVITED, INVITATION_USED = "invited", "invitation used by somebody else"


class Case(NamedTuple):
    """One request, and the state that it finds."""

    stored: tuple[str, bool] | None
    mode: str | None
    is_active: bool | None
    who: str
    expired: tuple[str, ...] = ()
    window: str = OPEN
    is_full: bool = False
    invitation: str | None = None
    is_gone: bool = False


STORED = [None, (AUDIT, False), (AUDIT, True), (VERIFIED, False), (VERIFIED, True)]
ASKED = [
    (mode, is_active, who)
    for mode, is_active, who in product(
        (None, AUDIT, VERIFIED, HONOR), (None, True, False), (LEARNER, STAFF, SERVER, FORCING_STAFF)
    )
    if not (who == LEARNER and mode == VERIFIED)  # refused before anything of this is looked at
]
EXPIRED = [(), (AUDIT,), (VERIFIED,), (AUDIT, VERIFIED)]
COURSES = list(product(EXPIRED, (OPEN, OVER, INVITATION_ONLY), (False, True), (None, INVITED, INVITATION_USED)))

REQUESTS = [(stored, *asked) for stored, asked in product(STORED, ASKED)]
CASES = [Case(*request, *course) for request, course in product(REQUESTS, COURSES)]
VANISHED = [Case(*request, is_gone=True) for request in REQUESTS]
CASES += VANISHED
SAMPLE = [Case(*request) for request in REQUESTS] + CASES[1::37] + VANISHED[::7]


# What the contract says. A row: what is stored, whether the caller is privileged, the mode and the activity that are
# asked for, and what comes of it. The first row that fits counts.

ADD, ADD_INACTIVE, STAY_INACTIVE = "add", "add, ends inactive", "stays inactive, mode = m or default"
UPDATE, UNCHANGED, VALIDATED = "update", "unchanged", "validated, then unchanged"
MISMATCH = "mode mismatch"
ANY = ("any", "none", "the stored", "another")
NONE, THE_STORED, ANOTHER = ("none",), ("the stored",), ("another",)
NOT_ANOTHER = ("none", "the stored")
BOTH = (True, False)

TABLE = [
    ("none", BOTH, ANY, (None, True), ADD),
    ("none", BOTH, ANY, (False,), ADD_INACTIVE),
    ("inactive", (False,), THE_STORED, (False,), UNCHANGED),  # a repeat: section 0, item 8
    ("inactive", (False,), ANY, (None, True), ADD),
    ("inactive", (False,), ANY, (False,), STAY_INACTIVE),
    ("inactive", (True,), ANOTHER, (None, False), UPDATE),
    ("inactive", (True,), ANY, (True,), UPDATE),
    ("inactive", (True,), NOT_ANOTHER, (None,), ADD),
    ("inactive", (True,), NOT_ANOTHER, (False,), UNCHANGED),
    ("active", (False,), NOT_ANOTHER, (None, True, False), UNCHANGED),  # a repeat, as above
    ("active", (False,), ANOTHER, (None, True, False), VALIDATED),
    ("active", (True,), ANOTHER, (None, True), UPDATE),
    ("active", (True,), NOT_ANOTHER, (False,), UPDATE),
    ("active", (True,), ANOTHER, (False,), MISMATCH),
    ("active", (True,), NOT_ANOTHER, (None, True), UNCHANGED),
]


def row_of(case):
    existing = "none" if case.stored is None else "active" if case.stored[1] else "inactive"
    if case.mode is None:
        mode = "none"
    else:
        mode = "the stored" if case.stored is not None and case.stored[0] == case.mode else "another"
    fitting = [
        row
        for row in TABLE
        if row[0] == existing and (case.who != LEARNER) in row[1] and mode in row[2] and case.is_active in row[3]
    ]
    return fitting[0]


def expected(case):
    """Return the mode and activity that are stored afterwards, or the class of the refusal."""
    result = row_of(case)[-1]
    if result is MISMATCH:
        return EnrollmentModeMismatchError
    if result is UNCHANGED:
        return case.stored

    if result is STAY_INACTIVE and case.is_gone and case.mode is None:
        return case.stored  # a repeat holds for a course that has vanished: section 0, item 8

    expired_will_do = case.is_active is False or case.who == FORCING_STAFF or (case.who == SERVER and result is UPDATE)
    refusal = mode_refusal(case, expired_will_do) if case.mode is not None or result is not UPDATE else None
    if refusal is not None:
        return refusal
    if result is VALIDATED:
        return case.stored
    if result is UPDATE:
        was_mode, was_active = case.stored
        return (case.mode or was_mode, was_active if case.is_active is None else case.is_active)
    if result is STAY_INACTIVE:
        return (case.mode or AUDIT, False)

    if case.who != FORCING_STAFF and is_closed(case):
        return CourseEnrollmentClosedError
    if case.is_full:
        return CourseEnrollmentFullError
    return (case.mode or AUDIT, result is ADD)


def mode_refusal(case, expired_will_do):
    """Return why the mode that is named will not do, or `audit`, which is taken if none is."""
    if case.is_gone:
        return CourseNotFoundError
    offered = {AUDIT, VERIFIED} if expired_will_do else {AUDIT, VERIFIED} - set(case.expired)
    offered = offered or {AUDIT}  # a course whose modes have all expired offers the default mode
    return None if (case.mode or AUDIT) in offered else CourseModeNotFoundError


def is_closed(case):
    """Return whether the learner may not enroll. An invitation decides, if there is one: no account here is staff."""
    if case.invitation is not None:
        return case.invitation == INVITATION_USED
    return case.window != OPEN


def told(before, after):
    """Return the public events that tell of the way from one state to another, each once."""
    was_active, is_active = before is not None and before[1], after is not None and after[1]
    if is_active and not was_active:
        return {CHANGED: 1, CREATED: 1}
    if was_active and not is_active:
        return {CHANGED: 1, COMPLETED: 1}
    if before is not None and before != after:
        return {CHANGED: 1}
    return {}


# What the code does.


def course_facts(case):
    return {
        "enrollment_end": YESTERDAY if case.window == OVER else None,
        "invitation_only": case.window == INVITATION_ONLY,
        "max_student_enrollments_allowed": 0 if case.is_full else None,
    }


def answer(case, username, course_id):
    """Ask, and return mode and activity of the answer, or the class of the refusal."""
    try:
        enrollment = api.request_enrollment(
            username,
            course_id,
            mode=case.mode,
            is_active=case.is_active,
            privileged=case.who != LEARNER,
            server_request=case.who == SERVER,
            force_enrollment=case.who == FORCING_STAFF,
        )
    except Exception as exc:
        return type(exc)
    return enrollment["mode"], enrollment["is_active"]


def in_memory(case):
    """Return what is answered, and what is stored then, on the backend in memory."""
    course_id = "course-v1:edX+DemoX+2026"
    testing.reset()
    for name in ("bob", "eve"):
        testing.add_user(name)
    testing.add_course(course_id, modes=[AUDIT, VERIFIED], expired=case.expired, **course_facts(case))
    if case.stored is not None:
        testing.add_enrollment("bob", course_id, mode=case.stored[0], is_active=case.stored[1])
    if case.invitation is not None:
        testing.invite("bob", course_id, used_by="eve" if case.invitation == INVITATION_USED else None)
    if case.is_gone:
        testing.remove_course(course_id)
    answered = answer(case, "bob", course_id)
    row = testing.get_course_enrollment("bob", course_id)
    return answered, row and (row["mode"], row["is_active"])


def after(case):
    wanted = expected(case)
    return wanted, case.stored if isinstance(wanted, type) else wanted


@pytest.mark.rule("enrollment.outcomes")
@pytest.mark.parametrize("who", [LEARNER, STAFF, SERVER, FORCING_STAFF])
@pytest.mark.parametrize("stored", STORED, ids=str)
def test_every_outcome_in_memory(settings, stored, who):
    settings.ENROLLMENT_DATA_API = "enrollment.testing"
    cases = [case for case in CASES if (case.stored, case.who) == (stored, who)]
    assert len(cases) in (9 * 73, 12 * 73)
    try:
        wrong = {case: (in_memory(case), after(case)) for case in cases if in_memory(case) != after(case)}
    finally:
        testing.reset()
    assert wrong == {}


class Tables:
    """The default backend's tables, with an account, a course and what is stored for each case."""

    def __init__(self, cases):
        users = get_user_model().objects
        names = [f"learner{number:05}" for number in range(len(cases))]
        users.bulk_create([users.model(username=name, email=f"{name}@example.com") for name in ["somebody", *names]])
        somebody, *accounts = users.order_by("pk")
        self.cases = list(zip(cases, accounts, [f"course-v1:edX+{name}+2026" for name in names], strict=True))
        models.Course.objects.bulk_create(
            models.Course(id=course_id, org="edX", **course_facts(case))
            for case, _, course_id in self.cases
            if not case.is_gone
        )
        models.CourseMode.objects.bulk_create(
            models.CourseMode(
                course_id=course_id,
                mode_slug=slug,
                min_price=1,
                expiration_datetime=YESTERDAY if slug in case.expired else None,
            )
            for case, _, course_id in self.cases
            for slug in (AUDIT, VERIFIED)
        )
        models.CourseEnrollment.objects.bulk_create(
            models.CourseEnrollment(user=user, course_id=course_id, mode=case.stored[0], is_active=case.stored[1])
            for case, user, course_id in self.cases
            if case.stored is not None
        )
        models.CourseEnrollmentAllowed.objects.bulk_create(
            models.CourseEnrollmentAllowed(
                email=user.email, course_id=course_id, user=somebody if case.invitation == INVITATION_USED else None
            )
            for case, user, course_id in self.cases
            if case.invitation is not None
        )

    def stored(self, user):
        row = models.CourseEnrollment.objects.filter(user=user).first()
        return row and (row.mode, row.is_active)


@pytest.mark.django_db
@pytest.mark.rule("enrollment.outcomes")
@pytest.mark.parametrize("who", [LEARNER, STAFF, SERVER, FORCING_STAFF])
def test_outcomes_on_the_tables(who):
    tables = Tables([case for case in SAMPLE if case.who == who])
    wrong = {}
    for case, user, course_id in tables.cases:
        with captured_events() as events:
            answered = answer(case, user.username, course_id)
        wanted, state = after(case)
        found = answered, tables.stored(user), Counter(event.event_type for event in events)
        if found != (wanted, state, Counter(told(case.stored, state))):
            wrong[case] = found, (wanted, state)
        told_states = {(event.data["enrollment"].mode, event.data["enrollment"].is_active) for event in events}
        assert told_states <= {state}
    assert wrong == {}

    changes = [case for case, _, _ in tables.cases if after(case)[1] != case.stored]
    assert models.CourseEnrollment.history.count() == len(changes) > 0
    entered = {user.pk for case, user, _ in tables.cases if CREATED in told(case.stored, after(case)[1])}
    invited = {user.pk for case, user, _ in tables.cases if case.invitation == INVITED}
    used = models.CourseEnrollmentAllowed.objects.filter(user__isnull=False).exclude(user__username="somebody")
    assert set(used.values_list("user", flat=True)) == entered & invited != set()


def test_sample_covers_every_pair_of_conditions():
    def pairs(cases):
        return {
            (first, case[first], second, case[second])
            for case in cases
            for first, second in combinations(range(len(Case._fields)), 2)
        }

    assert pairs(SAMPLE) == pairs(CASES)


def test_every_row_of_the_table_decides_something():
    assert {row_of(case) for case in CASES} == set(TABLE)
    outcomes = {expected(case) for case in CASES if isinstance(expected(case), type)}
    assert outcomes == {
        CourseEnrollmentClosedError,
        CourseEnrollmentFullError,
        CourseModeNotFoundError,
        CourseNotFoundError,
        EnrollmentModeMismatchError,
    }
