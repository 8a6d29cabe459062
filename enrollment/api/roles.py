"""Roles on courses and organisations: given, taken back, and announced."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from opaque_keys.edx.keys import CourseKey

from coursecredit.transactions import retried_atomic
from enrollment.errors import InvalidCourseRole, UserNotFoundError
from enrollment.keys import course_id_of, parse_course_key
from enrollment.models import CourseAccessRole
from enrollment.types import Account
from events.api import send_events
from events.learning.data import CourseAccessRoleData, UserData, UserPersonalData
from events.learning.signals import COURSE_ACCESS_ROLE_ADDED, COURSE_ACCESS_ROLE_REMOVED
from events.tooling import OpenEdxPublicSignal

MAX_LENGTH = 64


@retried_atomic
def grant_course_role(
    username: str, role: str, *, course_id: str | CourseKey | None = None, org: str | None = None
) -> bool:
    """Give somebody a role on a course or on an organisation, and announce it; return whether it is new to them.

    A role on an organisation is not announced: the event tells of a course.

    Args:
        username: whose role.
        role: one of `CourseRole`, or another word of at most 64 characters.
        course_id: the course. Its organisation goes without saying.
        org: without a course: the organisation, on all whose courses the role is.

    Raises:
        InvalidCourseKeyError, UserNotFoundError
        InvalidCourseRole: no role, no place, or two.
    """
    course_id, org = _place(role, course_id, org)
    user = _locked_account(username)
    if course_id is not None and _held(user, role, course_id, org):
        return False
    row, is_new = CourseAccessRole.objects.get_or_create(user=user, org=org, course_id=course_id, role=role)
    if is_new:
        _announce(COURSE_ACCESS_ROLE_ADDED, user, [row])
    return is_new


@retried_atomic
def revoke_course_role(
    username: str, role: str, *, course_id: str | CourseKey | None = None, org: str | None = None
) -> bool:
    """Take back a role that somebody has on this very course or organisation, and announce it; return whether they had.

    Args and errors are those of `grant_course_role`.
    """
    course_id, org = _place(role, course_id, org)
    user = _locked_account(username)
    return _remove(user, _held(user, role, course_id, org)) > 0


def revoke_all_course_roles(user: Account) -> int:
    """Take back every role of an account, and announce it; return how many there were.

    Inside a transaction of the caller's, who has locked the account.
    """
    return _remove(user, list(CourseAccessRole.objects.filter(user=user).order_by("pk")))


def _place(role: str, course_id: str | CourseKey | None, org: str | None) -> tuple[str | None, str]:
    """Return the text of the course's key, or None, and the organisation."""
    if course_id is not None:
        course_id = course_id_of(course_id)
        own = str(parse_course_key(course_id).org)
        if org not in (None, "", own):
            raise InvalidCourseRole
        org = own
    for name in (role, org):
        if not name or len(name) > MAX_LENGTH or not name.isprintable():
            raise InvalidCourseRole
    assert org is not None
    return course_id, org


def _locked_account(username: str) -> Account:
    """Return the account, nobody else's to give roles to, or to remove, until the transaction ends."""
    users = get_user_model()._default_manager.select_for_update(no_key=connection.features.has_select_for_no_key_update)
    user: Account | None = users.filter(**{get_user_model().USERNAME_FIELD: username}).first()
    if user is None:
        raise UserNotFoundError
    return user


def _held(user: Account, role: str, course_id: str | None, org: str) -> list[CourseAccessRole]:
    """Return the rows of the role. On a course they may, from an import, lack the organisation."""
    rows = CourseAccessRole.objects.filter(user=user, role=role, course_id=course_id).order_by("pk")
    return list(rows if course_id is not None else rows.filter(org=org))


def _remove(user: Account, rows: Collection[CourseAccessRole]) -> int:
    _announce(COURSE_ACCESS_ROLE_REMOVED, user, rows)
    CourseAccessRole.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _announce(signal: OpenEdxPublicSignal, user: Account, rows: Collection[CourseAccessRole]) -> None:
    send_events([(signal, _payload(user, row)) for row in rows if row.course_id])


def _payload(user: Account, row: CourseAccessRole) -> dict[str, Any]:
    key = parse_course_key(row.course_id)
    return {
        "course_access_role_data": CourseAccessRoleData(
            user=UserData(
                id=user.pk,
                is_active=user.is_active,
                pii=UserPersonalData(username=user.get_username(), email=user.email),
            ),
            org_key=row.org or str(key.org),
            course_key=key,
            role=row.role,
        )
    }
