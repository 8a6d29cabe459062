"""What the items of one chunk may depend on, read in statements that do not grow with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

from attrs import Factory, define
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from enrollment import ports
from enrollment.access_rules import may_enroll
from enrollment.choices import COURSE_STAFF_ROLES, COURSE_TEAM_ROLES, CREDIT_MODES
from enrollment.errors import (
    CourseEnrollmentClosedError,
    CourseEnrollmentFullError,
    CourseModeNotFoundError,
    CourseNotFoundError,
)
from enrollment.mode_rules import is_not_offered, mode_if_none_named, offered
from enrollment.models import Course, CourseAccessRole, CourseEnrollment, CourseEnrollmentAllowed
from enrollment.state_machine import ModeCheck
from enrollment.types import Account, Mode

Pair: TypeAlias = tuple[int, str]
"""A user's id and a course's."""


@define(slots=False)
class Offer:
    """A course and what it offers, as it is during one chunk."""

    course: Course
    modes: list[Mode]
    now: datetime
    seats_left: int | None = None
    """How many learners it still takes; None without a cap."""
    _slugs: dict[bool, list[str]] = Factory(dict)

    @cached_property
    def is_open(self) -> bool:
        """Whether enrollment is open just now."""
        return self.course.is_enrollment_open()

    def slugs(self, *, include_expired: bool) -> list[str]:
        """Return what the course offers, credit modes included."""
        if include_expired not in self._slugs:
            modes = offered(self.modes, self.now, include_expired=include_expired, only_selectable=False)
            self._slugs[include_expired] = [mode.slug for mode in modes]
        return self._slugs[include_expired]

    @cached_property
    def mode_if_none_named(self) -> str:
        """The mode for learners who name none; it need not be one that is offered."""
        return mode_if_none_named(set(self.slugs(include_expired=False)) - CREDIT_MODES)


@define
class Facts:
    """The tables, as far as one chunk needs them; whoever plans keeps them up to date with what is planned."""

    now: datetime
    offers: dict[str, Offer]
    rows: dict[Pair, CourseEnrollment]
    invitations: dict[tuple[str, str], CourseEnrollmentAllowed]
    """By lowered address and course."""
    roles: dict[Pair, set[str]]
    profiles: ports.ProfilePort

    def mode_to_take(self, course_id: str, mode: str | None, check: ModeCheck, *, may_choose: bool) -> str | None:
        """Return the mode that is named, after the check, or with `may_choose` the one for learners who name none.

        Raises:
            CourseNotFoundError, CourseModeNotFoundError
        """
        if check is ModeCheck.ANY:
            return mode
        offer = self.offer(course_id)
        if mode is None and may_choose:
            mode = offer.mode_if_none_named
            if mode in offer.slugs(include_expired=False):
                return mode
        slugs = offer.slugs(include_expired=check is ModeCheck.EXPIRED_TOO)
        if mode is not None and mode not in slugs:
            raise CourseModeNotFoundError(is_not_offered(mode, course_id, slugs))
        return mode

    def course(self, course_id: str) -> Course | None:
        """Return the course, or None if it is gone."""
        offer = self.offers.get(course_id)
        return None if offer is None else offer.course

    def offer(self, course_id: str) -> Offer:
        """Return the course and what it offers.

        Raises:
            CourseNotFoundError
        """
        offer = self.offers.get(course_id)
        if offer is None:
            raise CourseNotFoundError(f"No course {course_id} found.")
        return offer

    def require_open(self, user: Account, course_id: str) -> None:
        """Return if the learner may enroll (enrollment contract 5.1).

        Raises:
            CourseEnrollmentClosedError
        """
        offer = self.offer(course_id)
        invitation = self.invitation_of(user, course_id)
        if not may_enroll(
            is_invitation_valid=None if invitation is None else invitation.valid_for_user(user),
            is_invitation_only=offer.course.invitation_only,
            is_open=lambda: offer.is_open,
            is_staff=lambda: user.is_staff or self._has_role(user, course_id, COURSE_STAFF_ROLES),
        ):
            raise CourseEnrollmentClosedError

    def require_seat(self, course_id: str) -> None:
        """Return if the course takes one more (enrollment contract 5.2).

        Raises:
            CourseEnrollmentFullError
        """
        seats_left = self.offer(course_id).seats_left
        if seats_left is not None and seats_left <= 0:
            raise CourseEnrollmentFullError

    def take_seat(self, user: Account, course_id: str) -> None:
        """Count a learner who enrolls; the course team takes no seat."""
        self._count(user, course_id, -1)

    def give_seat_back(self, user: Account, course_id: str) -> None:
        """Count a learner who leaves."""
        self._count(user, course_id, 1)

    def invitation_of(self, user: Account, course_id: str) -> CourseEnrollmentAllowed | None:
        """Return the invitation of the user's confirmed address to a course, used or not."""
        invitation = self.invitations.get((user.email.lower(), course_id)) if user.email else None
        if invitation is None or not self.profiles.email_confirmed(user):
            return None
        return invitation

    def _count(self, user: Account, course_id: str, change: int) -> None:
        offer = self.offers.get(course_id)
        if offer is not None and offer.seats_left is not None:
            offer.seats_left += 0 if self._has_role(user, course_id, COURSE_TEAM_ROLES) else change

    def _has_role(self, user: Account, course_id: str, wanted: Collection[str]) -> bool:
        return not self.roles.get((user.pk, course_id), set()).isdisjoint(wanted)


def read_facts(pairs: Collection[Pair], *, course_ids: Collection[str], addresses: Collection[str]) -> Facts:
    """Read what a chunk may need. Its rows, and its courses with a cap, are locked until the transaction ends.

    Args:
        pairs: whose enrollments, where.
        course_ids: all courses of the chunk.
        addresses: of the learners, and of those without an account.
    """
    now = timezone.now()
    rows = _locked_rows(set(pairs))
    found = Course.objects.with_modes(course_ids)
    offers = {course_id: Offer(course, modes, now) for course_id, (course, modes) in found.items()}
    seats_left = _seats_left(offers.values())
    for course_id, count in seats_left.items():
        offers[course_id].seats_left = count
    # Whoever held the locks before may have taken the last seat for a learner of ours.
    rows |= _locked_rows({pair for pair in pairs if pair[1] in seats_left and pair not in rows})
    return Facts(
        now=now,
        offers=offers,
        rows=rows,
        invitations=_invitations(course_ids, addresses),
        roles=_roles({user_id for user_id, _ in pairs}, course_ids),
        profiles=ports.profiles(),
    )


def _locked_rows(pairs: Collection[Pair]) -> dict[Pair, CourseEnrollment]:
    """Lock the rows in the order of their ids, as all do who lock several."""
    if not pairs:
        return {}
    users, courses = {user_id for user_id, _ in pairs}, {course_id for _, course_id in pairs}
    # Every learner in every course is more than is wanted, and only what is wanted may be locked.
    candidates = CourseEnrollment.objects.filter(user_id__in=users, course_id__in=courses).order_by()
    found = [pk for pk, *pair in candidates.values_list("pk", "user_id", "course_id") if tuple(pair) in pairs]
    rows = CourseEnrollment.objects.filter(pk__in=found).order_by("pk").select_for_update()
    return {(row.user_id, row.course_id): row for row in rows}


def _seats_left(offers: Iterable[Offer]) -> dict[str, int]:
    """Count under locks that are taken in the order of the courses, so that the counts stay true."""
    caps = {
        offer.course.id: offer.course.max_student_enrollments_allowed
        for offer in offers
        if offer.course.max_student_enrollments_allowed is not None
    }
    if not caps:
        return {}
    list(Course.objects.filter(pk__in=caps).order_by("pk").select_for_update().values_list("pk"))
    team = CourseAccessRole.objects.team().filter(course_id=OuterRef("course_id"), user_id=OuterRef("user_id"))
    learners = CourseEnrollment.objects.filter(course_id__in=caps).active().exclude(Exists(team)).order_by()
    taken = dict(learners.values_list("course_id").annotate(Count("pk")))
    return {course_id: cap - taken.get(course_id, 0) for course_id, cap in caps.items()}


def _invitations(
    course_ids: Collection[str], addresses: Collection[str]
) -> dict[tuple[str, str], CourseEnrollmentAllowed]:
    lowered = {address.lower() for address in addresses if address}
    rows = CourseEnrollmentAllowed.objects.filter(email_lower__in=lowered, course_id__in=course_ids)
    return {(row.email_lower, row.course_id): row for row in rows}


def _roles(user_ids: Collection[int], course_ids: Collection[str]) -> dict[Pair, set[str]]:
    roles: dict[Pair, set[str]] = {}
    held = CourseAccessRole.objects.filter(user_id__in=user_ids, course_id__in=course_ids).team()
    row: Any
    for row in held.values_list("user_id", "course_id", "role"):
        user_id, course_id, role = row
        roles.setdefault((user_id, course_id), set()).add(role)
    return roles
