"""Forgetting students who never came (program enrollments contract 8)."""

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from program_enrollments.models import CourseAccessRoleAssignment, ProgramCourseEnrollment, ProgramEnrollment
from program_enrollments.types import UuidOrText

log = logging.getLogger(__name__)
CHUNK = 500


def expire_waiting_enrollments(
    days: int, *, program_uuids: Iterable[UuidOrText] | None = None, dry_run: bool = False
) -> dict[str, int]:
    """Delete enrollments that have waited for an account too long, with their course runs and all history.

    What was enrolled through them goes with them, however fresh. Each chunk is a transaction of its own, so a run that
    is interrupted has done a part; the next does the rest.

    Args:
        days: how long since an enrollment last changed; one of exactly that age goes.
        program_uuids: only in these programs; None for all.
        dry_run: only count.

    Returns:
        How many `program_enrollments`, `program_course_enrollments` and rows of `history` are deleted, or would be.
    """
    rows = ProgramEnrollment.objects.waiting().filter(modified__lte=timezone.now() - timedelta(days=days))
    if program_uuids is not None:
        rows = rows.filter(program_uuid__in=list(program_uuids))
    counts = {"program_enrollments": 0, "program_course_enrollments": 0, "history": 0}
    for ids in _chunks(list(rows.order_by("pk").values_list("pk", flat=True))):
        for name, count in _expire(ids, dry_run=dry_run).items():
            counts[name] += count
    log.info(
        "%s %d waiting program enrollments, %d in course runs and %d rows of history.",
        "Would delete" if dry_run else "Deleted",
        *counts.values(),
    )
    return counts


@transaction.atomic
def _expire(ids: list[int], *, dry_run: bool) -> dict[str, int]:
    # Locked and looked at again: somebody may have signed on meanwhile.
    still_waiting = ProgramEnrollment.objects.filter(pk__in=ids).waiting().order_by("pk").select_for_update()
    enrollments = list(still_waiting)
    runs = list(ProgramCourseEnrollment.objects.filter(program_enrollment__in=enrollments).order_by("pk"))
    if not dry_run:
        for enrollment in enrollments:
            log.info("Program enrollment %s in %s has waited too long.", enrollment.pk, enrollment.program_uuid)
        programs = {enrollment.pk: enrollment.program_uuid for enrollment in enrollments}
        for run in runs:
            program = programs[run.program_enrollment_id]
            log.info("Enrollment %s in %s of program %s goes with it.", run.pk, run.course_key, program)
    return {
        "program_enrollments": len(enrollments),
        "program_course_enrollments": len(runs),
        "history": delete_with_history([row.pk for row in enrollments], [row.pk for row in runs], dry_run=dry_run),
    }


def delete_with_history(enrollment_ids: list[int], run_ids: list[int], *, dry_run: bool = False) -> int:
    """Delete program enrollments and those in course runs, and their history; return how many rows the history had.

    Without history rows of the deletion itself: nothing that tells of them is to stay.
    """
    past = ProgramEnrollment.historical_records.filter(id__in=enrollment_ids)
    past_runs = ProgramCourseEnrollment.historical_records.filter(id__in=run_ids)
    count: int = past.count() + past_runs.count()
    if dry_run:
        return count
    for rows in (
        CourseAccessRoleAssignment.objects.filter(enrollment__in=run_ids),
        ProgramCourseEnrollment.objects.filter(pk__in=run_ids),
        ProgramEnrollment.objects.filter(pk__in=enrollment_ids),
    ):
        rows._raw_delete(rows.db)  # as Django's own collector does, without a signal for each
    past.delete()
    past_runs.delete()
    return count


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
