"""Telling the world what became of an enrollment (enrollment contract 11): once, after the commit, as it ended up."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen
from django.db import transaction

from enrollment import ports
from enrollment.keys import parse_course_key
from enrollment.signals import ENROLL_STATUS_CHANGE, ENROLLMENT_TRACK_UPDATED, UNENROLL_DONE
from events.api import send_events
from events.learning.data import CourseData, CourseEnrollmentData, UserData, UserPersonalData
from events.learning.signals import (
    COURSE_ENROLLMENT_CHANGED,
    COURSE_ENROLLMENT_CREATED,
    COURSE_UNENROLLMENT_COMPLETED,
)
from events.tooling import OpenEdxPublicSignal

if TYPE_CHECKING:
    from enrollment.models.enrollments import CourseEnrollment

REGRADING_DELAY = 30
"""Seconds after a change of mode before regrading makes sense."""

log = logging.getLogger(__name__)


@frozen
class Change:
    """What one write did to an enrollment."""

    at: datetime
    mode: str
    activated: bool = False
    deactivated: bool = False
    mode_changed: bool = False
    """From one mode to another: the first mode of a new enrollment is no change."""
    skip_refund: bool = False
    enterprise_uuid: str | None = None


def announce(enrollment: CourseEnrollment, change: Change) -> None:
    """Send the public events now, into the open transaction, and everything inside this process after its commit."""
    announce_all([(enrollment, change)])


def announce_all(changes: Sequence[tuple[CourseEnrollment, Change]]) -> None:
    """Do so for many changes of one moment, in their order: what goes into the transaction costs one statement.

    Each enrollment is as it was after its change.
    """
    if not changes:
        return
    payloads = _Payloads()
    send_events(
        [
            (signal, {"enrollment": payload})
            for payload, change in [(payloads.of(*told), told[1]) for told in changes]
            for signal in _public_signals(change)
        ],
        time=changes[0][1].at,
    )

    # Functions, not partials: Django tells by its __qualname__ which of them failed.
    def send_signals() -> None:
        for enrollment, change in changes:
            _send_signals(enrollment, change)

    def track() -> None:
        for enrollment, change in changes:
            _track(enrollment, change)

    transaction.on_commit(send_signals, robust=True)
    transaction.on_commit(track, robust=True)


def _public_signals(change: Change) -> list[OpenEdxPublicSignal]:
    signals = [COURSE_ENROLLMENT_CHANGED]
    if change.activated:
        signals.append(COURSE_ENROLLMENT_CREATED)
    if change.deactivated:
        signals.append(COURSE_UNENROLLMENT_COMPLETED)
    return signals


class _Payloads:
    """Makes the payloads of one write: what is said of a course is the same for all its learners."""

    def __init__(self) -> None:
        self._courses: dict[str, CourseData] = {}
        self._profiles = ports.profiles()

    def of(self, enrollment: CourseEnrollment, change: Change) -> CourseEnrollmentData:
        """Return the enrollment as it is now; one that was imported without a creation time takes the change's."""
        user = enrollment.user
        return CourseEnrollmentData(
            user=UserData(
                id=user.pk,
                is_active=user.is_active,
                pii=UserPersonalData(
                    username=user.get_username(), email=user.email, name=self._profiles.full_name(user)
                ),
            ),
            course=self._course(enrollment),
            mode=enrollment.mode,
            is_active=enrollment.is_active,
            creation_date=enrollment.created or change.at,
        )

    def _course(self, enrollment: CourseEnrollment) -> CourseData:
        known = self._courses.get(enrollment.course_id)
        if known is None:
            known = self._courses[enrollment.course_id] = _course_data(enrollment)
        return known


def _course_data(enrollment: CourseEnrollment) -> CourseData:
    course = enrollment.course_overview
    return CourseData(
        course_key=parse_course_key(enrollment.course_id),
        display_name="" if course is None else course.display_name_with_default,
        start=None if course is None else course.start,
        end=None if course is None else course.end,
    )


def _send_signals(enrollment: CourseEnrollment, change: Change) -> None:
    if change.activated or change.deactivated:
        ENROLL_STATUS_CHANGE.send_robust(
            sender=None,
            event="enroll" if change.activated else "unenroll",
            user=enrollment.user,
            mode=change.mode,
            course_id=enrollment.course_id,
            cost=None,
            currency=None,
        )
    if change.mode_changed:
        ENROLLMENT_TRACK_UPDATED.send_robust(
            sender=None,
            user=enrollment.user,
            course_key=parse_course_key(enrollment.course_id),
            mode=change.mode,
            countdown=REGRADING_DELAY,
        )
    if change.deactivated:
        UNENROLL_DONE.send_robust(sender=None, course_enrollment=enrollment, skip_refund=change.skip_refund)


def _track(enrollment: CourseEnrollment, change: Change) -> None:
    for happened, name in (
        (change.activated, "edx.course.enrollment.activated"),
        (change.deactivated, "edx.course.enrollment.deactivated"),
        (change.mode_changed, "edx.course.enrollment.mode_changed"),
    ):
        if happened:
            try:
                ports.tracker().track(name, *_tracking_facts(enrollment, change, name))
            except Exception as exc:
                # Its own text may quote the address that it was given.
                log.error("The tracker failed on %s of enrollment %s: %s.", name, enrollment.pk, type(exc).__name__)


def _tracking_facts(
    enrollment: CourseEnrollment, change: Change, name: str
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return data, context and properties of an analytics event."""
    key = parse_course_key(enrollment.course_id)
    data: dict[str, Any] = {"user_id": enrollment.user_id, "course_id": enrollment.course_id, "mode": change.mode}
    context: dict[str, Any] = {"course_id": enrollment.course_id, "org_id": key.org}
    properties: dict[str, Any] = {
        "category": "conversion",
        "label": enrollment.course_id,
        "org": key.org,
        "course": key.course,
        "run": key.run,
        "mode": change.mode,
    }
    if change.enterprise_uuid is not None:
        data["username"] = enrollment.username
        context |= {"enterprise_uuid": change.enterprise_uuid, "enterprise_enrollment": True}
    if name.endswith(".activated"):
        course = enrollment.course_overview
        properties |= {
            "email": enrollment.user.email,
            "course_start": None if course is None else course.start,
            "course_pacing": None if course is None else course.pacing,
        }
    return data, context, properties
