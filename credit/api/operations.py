"""What operators' commands work through, batch by batch: each batch costs the same, however many there are.

A batch goes on after the last row of the one before, so an interrupted command can be run again.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, QuerySet
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from credit.choices import RequirementStatus
from credit.models import (
    CallbackLog,
    CreditCourse,
    CreditEligibility,
    CreditRequest,
    CreditRequirement,
    CreditRequirementStatus,
)
from credit.types import CreditRequestRecord, SigningKey, ToldEligibility

BATCH = 500
ROWS = 2000


def list_enabled_courses() -> list[CourseKey]:
    """Return the keys of the courses in which credit can be earned."""
    return list(CreditCourse.objects.enabled().order_by("course_key").values_list("course_key", flat=True))


def count_learners_due(course_key: CourseKey, usernames: Collection[str] = ()) -> int:
    """Return how many learners `learners_due` gives."""
    return _learners_due(course_key, usernames).count()


def learners_due(course_key: CourseKey, usernames: Collection[str] = ()) -> Iterator[str]:
    """Yield who satisfies every requirement of a course as it is now and has no eligibility there.

    Args:
        course_key: the course.
        usernames: the only ones to look at; empty: all.
    """
    last = ""
    while batch := list(_learners_due(course_key, usernames).filter(username__gt=last)[:BATCH]):
        yield from batch
        last = batch[-1]


def _learners_due(course_key: CourseKey, usernames: Collection[str]) -> QuerySet[Any, str]:
    required = list(CreditRequirement.objects.active().of_course(course_key).values_list("pk", flat=True))
    eligible = CreditEligibility.objects.filter(username=OuterRef("username"), course__course_key=course_key)
    rows = CreditRequirementStatus.objects.filter(
        ~Exists(eligible), requirement__in=required, status=RequirementStatus.SATISFIED
    )
    if usernames:
        rows = rows.filter(username__in=usernames)
    by_learner: QuerySet[Any, Any] = rows.values("username").annotate(count=Count("pk"))
    return by_learner.filter(count=len(required)).order_by("username").values_list("username", flat=True)


def count_eligibilities_to_tell(
    *,
    course_keys: Collection[CourseKey] = (),
    usernames: Collection[str] = (),
    earned_since: datetime | None = None,
    told_before: datetime | None = None,
) -> int:
    """Return how many `eligibilities_to_tell` gives."""
    return _to_tell(course_keys, usernames, earned_since, told_before).count()


def eligibilities_to_tell(
    *,
    course_keys: Collection[CourseKey] = (),
    usernames: Collection[str] = (),
    earned_since: datetime | None = None,
    told_before: datetime | None = None,
) -> Iterator[ToldEligibility]:
    """Yield the valid eligibilities that learners have earned, and about which they can be told again.

    Args:
        course_keys: the only courses to look at; empty: all.
        usernames: the only learners to look at; empty: all.
        earned_since: leave out what is older.
        told_before: leave out whose mail was sent at this moment or later.
    """
    last = 0
    rows = _to_tell(course_keys, usernames, earned_since, told_before)
    while batch := list(rows.filter(pk__gt=last).values_list("pk", "username", "course__course_key")[:BATCH]):
        yield from (ToldEligibility(*row) for row in batch)
        last = batch[-1][0]


def _to_tell(
    course_keys: Collection[CourseKey],
    usernames: Collection[str],
    earned_since: datetime | None,
    told_before: datetime | None,
) -> QuerySet[Any]:
    rows = CreditEligibility.objects.valid_at(timezone.now()).filter(added_by_staff=False)
    if course_keys:
        rows = rows.filter(course__course_key__in=course_keys)
    if usernames:
        rows = rows.filter(username__in=usernames)
    if earned_since is not None:
        rows = rows.filter(created__gte=earned_since)
    if told_before is not None:
        rows = rows.exclude(notified_at__gte=told_before)
    return rows.order_by("pk")


def count_credit_requests(
    *, provider_ids: Collection[str] = (), statuses: Collection[str] = (), since: datetime | None = None
) -> int:
    """Return how many requests `credit_requests` gives."""
    return _requests(provider_ids, statuses, since).count()


def credit_requests(
    *, provider_ids: Collection[str] = (), statuses: Collection[str] = (), since: datetime | None = None
) -> Iterator[CreditRequestRecord]:
    """Yield requests by age, without ever holding many of them.

    Args:
        provider_ids: the only providers; empty: all.
        statuses: the only statuses; empty: all.
        since: leave out what has not changed since.
    """
    last = 0
    rows = _requests(provider_ids, statuses, since)
    fields = ("uuid", "username", "course__course_key", "provider__provider_id", "status", "created", "modified")
    while batch := list(rows.filter(pk__gt=last).values_list("pk", *fields, "last_callback_timestamp")[:ROWS]):
        yield from (CreditRequestRecord(*row[1:]) for row in batch)
        last = batch[-1][0]


def _requests(provider_ids: Collection[str], statuses: Collection[str], since: datetime | None) -> QuerySet[Any]:
    rows = CreditRequest.objects.order_by("pk")
    if provider_ids:
        rows = rows.filter(provider__provider_id__in=provider_ids)
    if statuses:
        rows = rows.filter(status__in=statuses)
    return rows.filter(modified__gte=since) if since is not None else rows


def last_accepted_callbacks() -> Mapping[str, Mapping[SigningKey, datetime]]:
    """Return by provider id which of its keys signed an accepted callback last, and when. One query.

    Positions are those of the moment: a key that has moved up in the list since has its former place here.
    """
    latest: dict[str, dict[SigningKey, datetime]] = {}
    rows = CallbackLog.objects.accepted().exclude(key_position=None)
    for provider_id, position, count, received in (
        rows.values_list("provider_id", "key_position", "key_count").annotate(Max("received")).order_by()
    ):
        latest.setdefault(provider_id, {})[SigningKey(position=position, count=count)] = received
    return latest
