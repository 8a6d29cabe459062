"""Everybody's enrollments, page by page, for staff (enrollment contract 10.8).

A page is found by where the last one ended, not by counting: it costs the same for a thousand enrollments and for a
million, and what is added meanwhile neither repeats nor hides a row. `find_enrollments` is for pages with numbers.
"""

import base64
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from attrs import frozen
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Lower
from opaque_keys.edx.keys import CourseKey

from enrollment.errors import InvalidCourseKeyError, InvalidCursor
from enrollment.keys import course_id_of
from enrollment.models import CourseEnrollment
from enrollment.querysets import CourseEnrollmentQuerySet
from enrollment.types import ListedEnrollmentDict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CURSOR = re.compile(r"(?P<direction>[on])(?P<pk>[0-9]{1,19})(?::(?P<created>-?[0-9]{1,18}))?")
LARGEST_ID = 2**63 - 1
ORDERINGS = frozenset({"created", "-created", "id", "-id"})


@frozen
class Cursor:
    """A place in the list: behind this row towards older ones, or before it towards newer ones."""

    created: datetime | None
    pk: int
    towards_newer: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place that a page's `next` or `previous` names.

        Raises:
            InvalidCursor: the text is none of ours.
        """
        try:
            padding = "=" * (-len(text) % 4)
            decoded = base64.b64decode(text + padding, altchars=b"-_", validate=True).decode("ascii")
        except ValueError as exc:
            raise InvalidCursor from exc
        match = CURSOR.fullmatch(decoded)
        if match is None or int(match["pk"]) > LARGEST_ID:
            raise InvalidCursor
        try:
            created = None if match["created"] is None else EPOCH + int(match["created"]) * MICROSECOND
        except OverflowError as exc:
            raise InvalidCursor from exc
        return cls(created=created, pk=int(match["pk"]), towards_newer=match["direction"] == "n")

    def __str__(self) -> str:
        moment = "" if self.created is None else f":{(self.created - EPOCH) // MICROSECOND}"
        text = f"{'n' if self.towards_newer else 'o'}{self.pk}{moment}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@frozen
class EnrollmentPage:
    """Enrollments, newest first, and where the pages around them begin: None where the list ends."""

    results: list[ListedEnrollmentDict]
    next: Cursor | None
    previous: Cursor | None


def list_enrollments(
    *,
    course_id: str | CourseKey | None = None,
    course_ids: Collection[str] | None = None,
    usernames: Collection[str] | None = None,
    emails: Collection[str] | None = None,
    cursor: Cursor | None = None,
    page_size: int = 100,
) -> EnrollmentPage:
    """Return a page of enrollments that match all that is given, active or not, newest first.

    Enrollments of which nobody knows when they were created come last. Two statements at most.

    Args:
        course_id: this very course.
        course_ids: any of these: a course key, one without `course-v1:`, or ORG+COURSE for all its runs. What is
            nothing of this matches nothing.
        usernames: of any of these accounts.
        emails: of any account with one of these addresses, without regard to case.
        cursor: where the page begins; None for the first page.
        page_size: how many there are on a page.

    Raises:
        InvalidCourseKeyError: `course_id` is no course key.
    """
    rows = _in_courses(course_id, course_ids)
    is_short = usernames is not None or emails is not None
    if is_short:
        # Known by their ids, they are looked up by these, wherever in the list their rows are.
        rows = rows.filter(user__in=list(_accounts(usernames, emails).values_list("pk", flat=True)))
    towards_newer = cursor is not None and cursor.towards_newer
    found: list[CourseEnrollment] = []
    for part in [_short_list(rows, cursor)] if is_short else _long_list(rows, cursor):
        found += part[: page_size + 1 - len(found)]
        if len(found) > page_size:
            break

    has_more, page = len(found) > page_size, found[:page_size]
    if towards_newer:
        page.reverse()
    return EnrollmentPage(
        results=[listed_enrollment(row) for row in page],
        next=_behind(page[-1]) if page and (has_more or towards_newer) else None,
        previous=_before(page[0]) if page and (has_more if towards_newer else cursor is not None) else None,
    )


def find_enrollments(
    *,
    course_id: str | CourseKey | None = None,
    course_ids: Collection[str] | None = None,
    usernames: Collection[str] | None = None,
    emails: Collection[str] | None = None,
    ordering: str = "-created",
) -> CourseEnrollmentQuerySet:
    """Return the rows that `list_enrollments` goes through, to be counted and paged by the caller.

    Counting takes longer the more there are.

    Args:
        ordering: one of `ORDERINGS`; rows of one moment by id.

    Raises:
        InvalidCourseKeyError: `course_id` is no course key.
    """
    rows = _in_courses(course_id, course_ids)
    if usernames is not None or emails is not None:
        rows = rows.filter(user__in=_accounts(usernames, emails).values("pk"))
    return rows.order_by(*([ordering] if ordering.endswith("id") else [ordering, ordering.replace("created", "id")]))


def listed_enrollment(row: Any) -> ListedEnrollmentDict:
    """Return one of the rows that `find_enrollments` finds; its course may be gone."""
    return {
        "created": row.created,
        "mode": row.mode,
        "is_active": row.is_active,
        "user": row.holder,
        "course_id": row.course_id,
    }


def _in_courses(course_id: str | CourseKey | None, items: Collection[str] | None) -> CourseEnrollmentQuerySet:
    # Not a join: MariaDB would begin with the accounts, and sort all their enrollments for one page.
    accounts = get_user_model()._default_manager.filter(pk=OuterRef("user_id"))
    holder = Subquery(accounts.values(get_user_model().USERNAME_FIELD))
    rows: CourseEnrollmentQuerySet = CourseEnrollment.objects.annotate(holder=holder).order_by()
    if course_id is not None:
        rows = rows.in_course(course_id_of(course_id))
    if items is None:
        return rows
    keys: list[str] = []
    runs = Q()
    for item in items:
        if (key := _key_in(item)) is not None:
            keys.append(key)
        elif _key_in(f"{item}+any") is not None:
            runs |= _has_prefix(f"course-v1:{item}+") | _has_prefix(f"{item.replace('+', '/')}/")
    return rows.filter(Q(course__in=keys) | runs) if keys or runs else rows.none()


def _key_in(item: str) -> str | None:
    """Return the course key that an item is, or is without its prefix."""
    for text in (item, f"course-v1:{item}"):
        try:
            return course_id_of(text)
        except InvalidCourseKeyError:
            continue
    return None


def _has_prefix(prefix: str) -> Q:
    """Return that a course key begins so, case and all, in a form for which the database has an index.

    LIKE ignores case on SQLite, and looks at every row on MariaDB; a range follows the collation on PostgreSQL.
    """
    if connection.vendor == "postgresql":
        return Q(course__id__startswith=prefix)
    return Q(course__gte=prefix, course__lt=prefix[:-1] + chr(ord(prefix[-1]) + 1))


def _accounts(usernames: Collection[str] | None, emails: Collection[str] | None) -> Any:
    users = get_user_model()._default_manager.all()
    if usernames is not None:
        users = users.filter(**{f"{get_user_model().USERNAME_FIELD}__in": usernames})
    if emails is not None:
        addresses = [Lower(Value(email)) for email in emails if email]
        users = users.alias(lowered_address=Lower("email")).filter(lowered_address__in=addresses)
    return users


def _long_list(rows: CourseEnrollmentQuerySet, cursor: Cursor | None) -> list[CourseEnrollmentQuerySet]:
    """Return the rows from the cursor on in two parts, dated and not, each in the order of an index."""
    dated, undated = rows.filter(created__isnull=False), rows.filter(created=None)
    if cursor is None:
        return [dated.order_by("-created", "-pk"), undated.order_by("-pk")]
    moment, pk = cursor.created, cursor.pk
    if cursor.towards_newer:
        if moment is None:
            return [undated.filter(pk__gt=pk).order_by("pk"), dated.order_by("created", "pk")]
        return [dated.filter(Q(created__gt=moment) | Q(pk__gt=pk), created__gte=moment).order_by("created", "pk")]
    if moment is None:
        return [undated.filter(pk__lt=pk).order_by("-pk")]
    older = dated.filter(Q(created__lt=moment) | Q(pk__lt=pk), created__lte=moment)
    return [older.order_by("-created", "-pk"), undated.order_by("-pk")]


def _short_list(rows: CourseEnrollmentQuerySet, cursor: Cursor | None) -> CourseEnrollmentQuerySet:
    """Return the rows from the cursor on, sorted: for so few that no index is needed, and one statement is better."""
    if cursor is None:
        return rows.order_by(F("created").desc(nulls_last=True), "-pk")
    moment, pk = cursor.created, cursor.pk
    if cursor.towards_newer:
        dated = Q(created__isnull=False) if moment is None else Q(created__gt=moment)
        return rows.filter(dated | Q(created=moment, pk__gt=pk)).order_by(F("created").asc(nulls_first=True), "pk")
    older = Q(created=moment, pk__lt=pk)
    if moment is not None:
        older |= Q(created__lt=moment) | Q(created=None)
    return rows.filter(older).order_by(F("created").desc(nulls_last=True), "-pk")


def _behind(row: CourseEnrollment) -> Cursor:
    return Cursor(created=row.created, pk=row.pk)


def _before(row: CourseEnrollment) -> Cursor:
    return Cursor(created=row.created, pk=row.pk, towards_newer=True)
