"""A data backend in memory, for tests of code that calls `enrollment.api`: ours and yours. It needs no database.

```
settings.ENROLLMENT_DATA_API = "enrollment.testing"

testing.reset()
testing.add_user("bob")
testing.add_course("course-v1:edX+DemoX+2026", modes=["audit", "verified"], expired=["verified"])
api.add_enrollment("bob", "course-v1:edX+DemoX+2026")
```

It keeps the rules of the default backend (enrollment contract 5 to 8): who may enroll, seats, invitations, attributes,
roles; `enrollment.api` does the rest, and several threads may call it. What it does not know: hooks, history, events
and signals, and everything that is asked of ports, such as cohorts.
"""

import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from attrs import Factory, define, field, fields
from django.utils import timezone

from enrollment.access_rules import may_enroll
from enrollment.choices import COURSE_STAFF_ROLES, COURSE_TEAM_ROLES
from enrollment.conf import conf
from enrollment.dicts import course_details, enrollment_dict
from enrollment.errors import (
    CourseEnrollmentClosedError,
    CourseEnrollmentExistsError,
    CourseEnrollmentFullError,
    CourseNotFoundError,
    UserNotFoundError,
)
from enrollment.keys import course_id_of, parse_course_key
from enrollment.mode_rules import default_mode
from enrollment.types import AttributeDict, CourseDetailsDict, EnrollmentDict, Mode, Role

log = logging.getLogger(__name__)


@define
class Course:
    """A course run; dates are aware or None, as in `enrollment.ports.CourseLike`."""

    id: str
    modes: list[Mode] = Factory(list)
    display_name: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    enrollment_start: datetime | None = None
    enrollment_end: datetime | None = None
    invitation_only: bool = False
    max_student_enrollments_allowed: int | None = None
    self_paced: bool = False
    minimum_grade_credit: float | None = None
    enable_proctored_exams: bool = False
    proctoring_provider: str | None = None

    @property
    def org(self) -> str:
        return str(parse_course_key(self.id).org)

    @property
    def display_name_with_default(self) -> str:
        """The display name, or the run part of the key in words."""
        return self.display_name or str(parse_course_key(self.id).run).replace("_", " ")

    @property
    def pacing(self) -> str:
        """ "self" or "instructor"."""
        return "self" if self.self_paced else "instructor"

    def is_enrollment_open(self) -> bool:
        """Return whether now is strictly inside the enrollment window; a missing bound is infinite."""
        now = timezone.now()
        return (self.enrollment_start is None or self.enrollment_start < now) and (
            self.enrollment_end is None or now < self.enrollment_end
        )


@define
class Enrollment:
    """A learner's place in a course: the row of this backend."""

    username: str
    course_id: str
    mode: str
    is_active: bool
    created: datetime = field(factory=timezone.now)
    attributes: list[AttributeDict] = Factory(list)


@define
class _Tables:
    """Everything that is stored. Enrollments and invitations are by username and course key."""

    staff_flags: dict[str, bool] = Factory(dict)
    courses: dict[str, Course] = Factory(dict)
    enrollments: dict[tuple[str, str], Enrollment] = Factory(dict)
    invitations: dict[tuple[str, str], str | None] = Factory(dict)
    roles: dict[str, list[Role]] = Factory(dict)


_tables = _Tables()
_lock = RLock()


def reset() -> None:
    """Forget everything."""
    _replace(_Tables())


def add_user(username: str, *, is_staff: bool = False) -> None:
    """Let there be an account, of global staff or of a learner."""
    _tables.staff_flags[username] = is_staff


def add_course(course_id: str, *, modes: Iterable[str] = (), expired: Collection[str] = (), **facts: Any) -> Course:
    """Let there be a course; one without modes offers the default mode.

    Args:
        course_id: the course key's text.
        modes: slugs of the modes that it has.
        expired: those of them whose deadline is past.
        facts: other attributes of `Course`.
    """
    course = Course(course_id_of(course_id), [_mode(slug, is_expired=slug in expired) for slug in modes], **facts)
    _tables.courses[course.id] = course
    return course


def remove_course(course_id: str) -> None:
    """Let a course vanish; its enrollments stay."""
    del _tables.courses[course_id]


def add_enrollment(username: str, course_id: str, *, mode: str, is_active: bool = True) -> Enrollment:
    """Let somebody be enrolled, or have left, without any check."""
    row = Enrollment(username, course_id, mode, is_active)
    _tables.enrollments[username, course_id] = row
    return row


def invite(username: str, course_id: str, *, used_by: str | None = None) -> None:
    """Let the address of an account be invited to a course; only the first who used the invitation may use it."""
    _tables.invitations[username, course_id] = used_by


def give_role(username: str, role: str, *, org: str = "", course_id: str | None = None) -> None:
    """Let somebody have a role on a course, or without one on all courses of an organisation."""
    _tables.roles.setdefault(username, []).append(Role(org=org, course_id=course_id, role=role))


@contextmanager
def atomic() -> Iterator[None]:
    """Let nobody else in, and undo what was done if it fails."""
    with _lock:
        before = deepcopy(_tables)
        try:
            yield
        except BaseException:
            _replace(before)
            raise


def get_course_enrollments(username: str, include_inactive: bool = False) -> list[EnrollmentDict]:
    """Return a learner's enrollments, oldest first; those whose course is gone are left out, with a warning."""
    mine = [row for row in _tables.enrollments.values() if row.username == username]
    rows = [row for row in _oldest_first(mine) if include_inactive or row.is_active]
    kept = [row for row in rows if row.course_id in _tables.courses]
    if len(kept) < len(rows):
        log.warning("%d enrollments of one user are left out: their courses are gone.", len(rows) - len(kept))
    return serialize_enrollments(kept)


def get_course_enrollment(username: str, course_id: str) -> EnrollmentDict | None:
    """Return the enrollment, active or not, or None."""
    row = _tables.enrollments.get((username, course_id))
    return None if row is None else _as_dict(row)


def create_course_enrollment(
    username: str,
    course_id: str,
    mode: str,
    is_active: bool,
    enterprise_uuid: str | None = None,
    force_enrollment: bool = False,
) -> EnrollmentDict:
    """Enroll a learner, or enroll again one who had left.

    Raises:
        UserNotFoundError, CourseNotFoundError, CourseEnrollmentClosedError, CourseEnrollmentFullError,
        CourseEnrollmentExistsError
    """
    _require_user(username)
    with _lock:
        row = _tables.enrollments.get((username, course_id))
        if row is not None and row.is_active:
            raise CourseEnrollmentExistsError(enrollment=_as_dict(row))
        if row is None or is_active:
            _require_access(username, course_id, even_if_closed=force_enrollment)
        if row is None:
            row = add_enrollment(username, course_id, mode=mode, is_active=False)
        return _changed(row, mode, is_active)


def update_course_enrollment(
    username: str, course_id: str, mode: str | None = None, is_active: bool | None = None
) -> EnrollmentDict | None:
    """Change what is given of an enrollment and return it; None if there is none. No access is checked.

    Raises:
        UserNotFoundError
    """
    _require_user(username)
    row = _tables.enrollments.get((username, course_id))
    if row is None:
        return None
    return _changed(row, row.mode if mode is None else mode, row.is_active if is_active is None else is_active)


def get_course_enrollment_info(course_id: str, include_expired: bool = False) -> CourseDetailsDict:
    """Return the course with its modes, credit modes included.

    Raises:
        CourseNotFoundError
    """
    course = _tables.courses.get(course_id)
    if course is None:
        raise CourseNotFoundError(f"No course {course_id} found.")
    return course_details(course, course.modes, include_expired=include_expired)


def add_or_update_enrollment_attr(username: str, course_id: str, attributes: list[AttributeDict]) -> None:
    """Replace all attributes of an enrollment; without one do nothing. Of two values of one name the last counts.

    Raises:
        UserNotFoundError
    """
    _require_user(username)
    row = _tables.enrollments.get((username, course_id))
    if row is not None:
        last = {(attribute["namespace"], attribute["name"]): attribute["value"] for attribute in attributes}
        row.attributes = [
            AttributeDict(namespace=namespace, name=name, value=value) for (namespace, name), value in last.items()
        ]


def get_enrollment_attributes(username: str, course_id: str) -> list[AttributeDict]:
    """Return the attributes in the order in which they were given; [] without an enrollment.

    Raises:
        UserNotFoundError
    """
    _require_user(username)
    row = _tables.enrollments.get((username, course_id))
    return [] if row is None else deepcopy(row.attributes)


def unenroll_user_from_all_courses(username: str) -> set[str]:
    """End every active enrollment; return the organisations of all the user's courses, those left before included.

    Raises:
        UserNotFoundError
    """
    _require_user(username)
    mine = [row for row in _tables.enrollments.values() if row.username == username]
    for row in mine:
        row.is_active = False
    return {str(parse_course_key(row.course_id).org) for row in mine}


def get_user_roles(username: str) -> list[Role]:
    """Return the user's roles.

    Raises:
        UserNotFoundError
    """
    _require_user(username)
    return list(_tables.roles.get(username, []))


def serialize_enrollments(rows: Iterable[Enrollment]) -> list[EnrollmentDict]:
    """Return enrollment dicts for rows, in their order."""
    return [_as_dict(row) for row in rows]


def get_user_enrollments(course_key: Any) -> list[Enrollment]:
    """Return the rows of the active enrollments in one course, oldest first."""
    course_id = str(course_key)
    return _oldest_first(row for row in _tables.enrollments.values() if row.course_id == course_id and row.is_active)


def _replace(tables: _Tables) -> None:
    for part in fields(_Tables):
        setattr(_tables, part.name, getattr(tables, part.name))


def _mode(slug: str, *, is_expired: bool) -> Mode:
    facts = conf.COURSE_ENROLLMENT_MODES.get(slug, {"display_name": slug, "min_price": 0})
    deadline = timezone.now() - timedelta(days=1) if is_expired else None
    return default_mode()._replace(
        slug=slug, name=facts["display_name"], min_price=facts["min_price"], expiration_datetime=deadline
    )


def _oldest_first(rows: Iterable[Enrollment]) -> list[Enrollment]:
    return sorted(rows, key=lambda row: row.created)


def _as_dict(row: Enrollment) -> EnrollmentDict:
    course = _tables.courses.get(row.course_id)
    details = None if course is None else course_details(course, course.modes)
    return enrollment_dict(
        created=row.created, mode=row.mode, is_active=row.is_active, details=details, username=row.username
    )


def _require_user(username: str) -> None:
    if username not in _tables.staff_flags:
        raise UserNotFoundError


def _require_access(username: str, course_id: str, *, even_if_closed: bool) -> None:
    course = _tables.courses.get(course_id)
    if course is None:
        raise CourseNotFoundError(f"No course {course_id} found.")
    if not even_if_closed and not _may_enroll(username, course):
        raise CourseEnrollmentClosedError
    cap = course.max_student_enrollments_allowed
    seated = [
        row for row in get_user_enrollments(course_id) if not _has_role(row.username, course_id, COURSE_TEAM_ROLES)
    ]
    if cap is not None and len(seated) >= cap:
        raise CourseEnrollmentFullError


def _may_enroll(username: str, course: Course) -> bool:
    is_invited = (username, course.id) in _tables.invitations
    used_by = _tables.invitations.get((username, course.id))
    return may_enroll(
        is_invitation_valid=used_by in (None, username) if is_invited else None,
        is_invitation_only=course.invitation_only,
        is_open=course.is_enrollment_open,
        is_staff=lambda: _tables.staff_flags[username] or _has_role(username, course.id, COURSE_STAFF_ROLES),
    )


def _has_role(username: str, course_id: str, roles: Collection[str]) -> bool:
    return any(held.course_id == course_id and held.role in roles for held in _tables.roles.get(username, []))


def _changed(row: Enrollment, mode: str, is_active: bool) -> EnrollmentDict:
    place = row.username, row.course_id
    if is_active and not row.is_active and _tables.invitations.get(place, row.username) is None:
        _tables.invitations[place] = row.username
    row.mode, row.is_active = mode, is_active
    return _as_dict(row)
