"""Enrolling an institution's students in programs (program enrollments contract 5.2)."""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from attrs import frozen
from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from coursecredit.transactions import retried_atomic
from program_enrollments.api.announcements import Change, announce
from program_enrollments.api.students import get_users_by_external_keys
from program_enrollments.constants import ProgramEnrollmentStatuses, ProgramOperationStatuses
from program_enrollments.exceptions import (
    OrganizationDoesNotExistException,
    ProgramDoesNotExistException,
    ProviderDoesNotExistException,
)
from program_enrollments.models import ProgramEnrollment
from program_enrollments.student_keys import folded, parse_student_key
from program_enrollments.types import Account, ProgramEnrollmentRequest, UuidOrText

log = logging.getLogger(__name__)

Results = dict[str, str]
"""What became of each student, by the key as the request spells it: the new status, or an error word."""


@frozen
class _Wish:
    """What a request wants for one student."""

    asked: str
    """The key as the request spells it."""
    status: str
    curriculum_uuid: UUID | None

    @property
    def key(self) -> str:
        return parse_student_key(self.asked)

    @property
    def folded(self) -> str:
        return folded(self.asked)


def write_program_enrollments(
    program_uuid: UuidOrText, enrollment_requests: Iterable[ProgramEnrollmentRequest], create: bool, update: bool
) -> Results:
    """Enroll students in a program, or change their status, each by itself: one that fails harms no other.

    A student whose key already has an account is linked to it at once; an update never links and never moves to
    another curriculum. Repeating a status changes nothing but `modified`. The number of statements does not depend on
    the number of students.

    Args:
        program_uuid: the program.
        enrollment_requests: key, status, and for creating the curriculum, of each student. Of several enrollments of
            one key the one in the named curriculum counts, else the one that changed last.
        create: enroll who is not in the program; without it they are answered `not-in-program`.
        update: change who is in the program; without it they are answered `conflict`.

    Returns:
        A word of `ProgramOperationStatuses` for each key, spelled as it was asked. Keys that are the same but for case
        or blanks are all answered `duplicated`, and nothing is done for them.

    Raises:
        ValueError: neither create nor update, or a curriculum is missing or no UUID.
        InvalidStudentKey
        ProgramDoesNotExistException: somebody is to be enrolled, and the catalog has no such program.
    """
    if not create and not update:
        raise ValueError("Nothing is to be created and nothing to be updated.")
    wishes = [_wish(request, create=create) for request in enrollment_requests]
    program = program_uuid if isinstance(program_uuid, UUID) else UUID(program_uuid)
    refused = _refused(wishes)
    valid = [wish for wish in wishes if wish.asked not in refused]
    if not valid:
        return refused
    users = _accounts(program, valid) if create else {}
    written = _write(program, valid, users, create=create, update=update)
    return {wish.asked: refused.get(wish.asked) or written[wish.asked] for wish in wishes}


@retried_atomic
def create_program_enrollment(
    program_uuid: UuidOrText,
    curriculum_uuid: UuidOrText,
    user: Account | None,
    external_user_key: str | None,
    status: str,
    save: bool = True,
) -> ProgramEnrollment:
    """Make one enrollment and announce it.

    Args:
        program_uuid: the program; whether the catalog has it is not looked at.
        curriculum_uuid: the curriculum; neither is this.
        user: the account, if there is one.
        external_user_key: the institution's key, if there is one.
        status: a word of `ProgramEnrollmentStatuses`.
        save: False only makes the object.

    Raises:
        ValueError: neither account nor key, or an unknown status.
        InvalidStudentKey
        IntegrityError: the account or the key is in that curriculum already.
    """
    if user is None and external_user_key is None:
        raise ValueError("Name the student by account, by external user key, or both.")
    if status not in ProgramEnrollmentStatuses.ALL:
        raise ValueError(f"{status!r} is no status of a program enrollment.")
    key = None if external_user_key is None else parse_student_key(external_user_key)
    row = _new(_as_uuid(program_uuid), _as_uuid(curriculum_uuid), user, key, status, timezone.now())
    if save:
        row.save(force_insert=True)
        announce([Change(row)])
    return row


@retried_atomic
def change_program_enrollment_status(program_enrollment: ProgramEnrollment, new_status: str) -> str:
    """Give an enrollment another status and announce it; the same again only moves `modified`.

    Returns:
        The new status, or `invalid-status` for an unknown one, of which nothing is stored.
    """
    if new_status not in ProgramEnrollmentStatuses.ALL:
        return ProgramOperationStatuses.INVALID_STATUS
    locked = ProgramEnrollment.objects.select_for_update()
    program_enrollment.refresh_from_db(fields=["status", "modified"], from_queryset=locked)
    announce(_update([(program_enrollment, new_status)], timezone.now()))
    return new_status


def _wish(request: ProgramEnrollmentRequest, *, create: bool) -> _Wish:
    curriculum = request.get("curriculum_uuid")
    if create and curriculum is None:
        raise ValueError("Name the curriculum of a student who may have to be enrolled.")
    parse_student_key(request["external_user_key"])
    return _Wish(
        asked=request["external_user_key"],
        status=request["status"],
        curriculum_uuid=None if curriculum is None else _as_uuid(curriculum),
    )


def _refused(wishes: Iterable[_Wish]) -> Results:
    """Return the errors that can be told without looking at what is stored."""
    wishes = list(wishes)
    spellings = Counter(wish.folded for wish in wishes)
    refused: Results = {}
    for wish in wishes:
        if spellings[wish.folded] > 1:
            refused[wish.asked] = ProgramOperationStatuses.DUPLICATED
        elif wish.status not in ProgramEnrollmentStatuses.ALL:
            refused[wish.asked] = ProgramOperationStatuses.INVALID_STATUS
    return refused


def _accounts(program: UUID, wishes: Collection[_Wish]) -> Mapping[str, Account | None]:
    """Return who already has an account; nobody if that cannot be found out: they are linked later."""
    try:
        return get_users_by_external_keys(program, [wish.asked for wish in wishes])
    except ProgramDoesNotExistException:
        raise
    except ProviderDoesNotExistException:
        return {}
    except OrganizationDoesNotExistException:
        log.warning("Students of program %s wait for their accounts: its organization is not known.", program)
    except Exception as exc:  # whatever a host's own directory raises
        log.warning("Students of program %s wait for their accounts (%s).", program, type(exc).__name__)
    return {}


@retried_atomic
def _write(
    program: UUID, wishes: Collection[_Wish], users: Mapping[str, Account | None], *, create: bool, update: bool
) -> Results:
    """Write all at once, or if that is not possible student by student."""
    try:
        with transaction.atomic():
            return _write_at_once(program, wishes, users, create=create, update=update)
    except OperationalError:
        raise  # the transaction is lost, and may be tried again
    except Exception as exc:  # among them a rival's row
        log.info("%d students of program %s are written one by one (%s).", len(wishes), program, type(exc).__name__)
    results: Results = {}
    for wish in wishes:
        try:
            with transaction.atomic():
                results |= _write_at_once(program, [wish], users, create=create, update=update)
        except OperationalError:
            raise
        except Exception as exc:
            log.error("A student of program %s could not be written (%s).", program, type(exc).__name__)
            results[wish.asked] = ProgramOperationStatuses.INTERNAL_ERROR
    return results


def _write_at_once(
    program: UUID, wishes: Collection[_Wish], users: Mapping[str, Account | None], *, create: bool, update: bool
) -> Results:
    """Decide for each student under the lock of their rows, then write all. At most five statements."""
    now = timezone.now()
    known = [user for user in users.values() if user is not None]
    rows = _locked(program, [wish.folded for wish in wishes], known)
    taken: set[tuple[int | None, UUID | None]]
    taken = {(row.user_id, row.curriculum_uuid) for row in rows if row.user_id is not None}
    results: Results = {}
    changed: list[tuple[ProgramEnrollment, str]] = []
    new: list[ProgramEnrollment] = []
    for wish in wishes:
        row = _chosen([row for row in rows if row.external_user_key_folded == wish.folded], wish.curriculum_uuid)
        if row is not None and not update:
            results[wish.asked] = ProgramOperationStatuses.CONFLICT
        elif row is not None:
            changed.append((row, wish.status))
            results[wish.asked] = wish.status
        elif not create:
            results[wish.asked] = ProgramOperationStatuses.NOT_IN_PROGRAM
        else:
            user = users.get(wish.asked)
            place = (None if user is None else user.pk, wish.curriculum_uuid)
            if place in taken:  # under another key
                log.error("User %s is in a curriculum of program %s under another key.", place[0], program)
                results[wish.asked] = ProgramOperationStatuses.INTERNAL_ERROR
                continue
            if user is not None:
                taken.add(place)
            assert wish.curriculum_uuid is not None
            new.append(_new(program, wish.curriculum_uuid, user, wish.key, wish.status, now))
            results[wish.asked] = wish.status
    announce([*_insert(new, now), *_update(changed, now)])
    return results


def _locked(program: UUID, folded_keys: Collection[str], users: Collection[Account]) -> list[ProgramEnrollment]:
    """Return the rows of these students in the program, nobody else's to change until the transaction ends."""
    rows = ProgramEnrollment.objects.in_program(program)
    rows = rows.filter(Q(external_user_key_folded__in=folded_keys) | Q(user__in=users))
    return list(rows.order_by("pk").select_for_update())


def _chosen(rows: Collection[ProgramEnrollment], curriculum: UUID | None) -> ProgramEnrollment | None:
    """Return a student's row: in the named curriculum, else the one that changed last."""
    return max(rows, key=lambda row: (row.curriculum_uuid == curriculum, row.modified, row.pk), default=None)


def _insert(rows: Collection[ProgramEnrollment], now: datetime) -> list[Change]:
    if not rows:
        return []
    in_order = sorted(rows, key=lambda row: row.external_user_key_folded or "")  # rivals meet at the same row first
    created = ProgramEnrollment.objects.bulk_create(in_order)
    ProgramEnrollment.historical_records.bulk_history_create(created, default_date=now)
    return [Change(row) for row in created]


def _update(wanted: Collection[tuple[ProgramEnrollment, str]], now: datetime) -> list[Change]:
    """Store statuses; an unchanged row says only that the registrar still knows the student."""
    if not wanted:
        return []
    changes = [Change(row, previous_status=row.status) for row, status in wanted if row.status != status]
    for row, status in wanted:
        row.status, row.modified = status, now
    ProgramEnrollment.objects.bulk_update([row for row, _status in wanted], ["status", "modified"])
    if changes:
        ProgramEnrollment.historical_records.bulk_history_create(
            [change.enrollment for change in changes], update=True, default_date=now
        )
    return changes


def _new(
    program: UUID, curriculum: UUID, user: Account | None, key: str | None, status: str, now: datetime
) -> ProgramEnrollment:
    return ProgramEnrollment(
        program_uuid=program,
        curriculum_uuid=curriculum,
        user=user,
        external_user_key=key,
        external_user_key_folded=None if key is None else folded(key),
        status=status,
        created=now,
        modified=now,
    )


def _as_uuid(value: UuidOrText) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
