"""Telling the world what became of program enrollments (events contract 9): one event per real change."""

from collections.abc import Iterable

from attrs import frozen
from django.db.models import prefetch_related_objects

from events.api import send_events
from events.learning.data import UserNonPersonalData
from events.program_enrollments.data import ProgramEnrollmentData
from events.program_enrollments.signals import PROGRAM_ENROLLMENT_CHANGED, PROGRAM_ENROLLMENT_CREATED
from events.tooling import OpenEdxPublicSignal
from program_enrollments.conf import conf
from program_enrollments.models import ProgramEnrollment


@frozen
class Change:
    """What one write did to an enrollment that now is as it will be."""

    enrollment: ProgramEnrollment
    previous_status: str = ""
    """Empty if there was no enrollment before."""

    @property
    def signal(self) -> OpenEdxPublicSignal:
        return PROGRAM_ENROLLMENT_CHANGED if self.previous_status else PROGRAM_ENROLLMENT_CREATED


def announce(changes: Iterable[Change]) -> None:
    """Send the events of changes that one transaction made, all of the same moment."""
    changes = list(changes)
    if changes:
        prefetch_related_objects([change.enrollment for change in changes], "user")
        send_events(
            [(change.signal, {"program_enrollment": _payload(change)}) for change in changes],
            time=changes[0].enrollment.modified,
        )


def _payload(change: Change) -> ProgramEnrollmentData:
    row = change.enrollment
    return ProgramEnrollmentData(
        id=row.pk,
        program_uuid=row.program_uuid,
        curriculum_uuid=row.curriculum_uuid,
        status=row.status,
        previous_status=change.previous_status,
        created=row.created,
        modified=row.modified,
        user=None if row.user is None else UserNonPersonalData(id=row.user.pk, is_active=row.user.is_active),
        external_user_key=row.external_user_key if conf.EVENTS_INCLUDE_EXTERNAL_USER_KEY else None,
    )
