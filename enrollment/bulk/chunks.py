"""A chunk of items: read, applied, written."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from coursecredit.errors import DomainError
from enrollment.bulk.facts import read_facts
from enrollment.bulk.planning import Plan
from enrollment.bulk.shapes import Result, Wish
from enrollment.bulk.writing import write
from enrollment.types import Account

ATTEMPTS = 5
"""Each time somebody else has inserted a row that was missing, it is there for the next."""


def enroll(
    wishes: Sequence[tuple[Account, Wish]], *, force: bool, requested_by: int | None, dry_run: bool
) -> list[Result]:
    """Apply the items one after the other, as global staff, and return what became of each.

    To be called in a transaction.

    Args:
        force: pass over closed enrollment and expired modes.
        requested_by: primary key of whoever asked, for the history.
        dry_run: find out, and write nothing.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return _attempt(wishes, force=force, requested_by=requested_by, dry_run=dry_run)
        except IntegrityError:
            continue
    return _attempt(wishes, force=force, requested_by=requested_by, dry_run=dry_run)


def _attempt(
    wishes: Sequence[tuple[Account, Wish]], *, force: bool, requested_by: int | None, dry_run: bool
) -> list[Result]:
    facts = read_facts(
        {(user.pk, wish.course_id) for user, wish in wishes},
        course_ids={wish.course_id for _, wish in wishes},
        addresses={user.email for user, _ in wishes},
    )
    plan = Plan(facts, force=force)
    results = [_applied(plan, user, wish) for user, wish in wishes]
    if not dry_run:
        with transaction.atomic():
            write(plan, requested_by=requested_by)
    return results


def _applied(plan: Plan, user: Account, wish: Wish) -> Result:
    try:
        return plan.apply(user, wish)
    except DomainError as exc:
        return exc
