"""Writing what a chunk has come to, in one statement per table and kind of change."""

from __future__ import annotations

import copy
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Case, Value, When

from enrollment.bulk.planning import Place, Plan, Step
from enrollment.models import CourseEnrollment, CourseEnrollmentAllowed, CourseEnrollmentAttribute
from enrollment.models.announcements import Change, announce_all


def write(plan: Plan, *, requested_by: int | None) -> None:
    """Write rows, their history, attributes and invitations, and tell what has changed.

    Raises:
        IntegrityError: somebody else has inserted one of the rows meanwhile.
    """
    changed = [place for place in plan.places.values() if place.steps]
    _insert([place for place in changed if place.row is None], plan)
    _update([place for place in changed if not place.is_new], plan)
    history = [(_row_after(step), step) for step in plan.steps]
    told = [(row, _change(step, plan)) for row, step in history if step.is_told]
    _write_history(history, plan, requested_by)
    _replace_attributes([place for place in plan.places.values() if place.attributes is not None])
    _link(plan.used_invitations)
    announce_all(told)


def acting_user(requested_by: int | None) -> Any | None:
    """Return whom history names, without asking the database for more than the key."""
    return None if requested_by is None else get_user_model()(pk=requested_by)


def _insert(places: Collection[Place], plan: Plan) -> None:
    """Insert in one order, so that rivals do not wait for each other crosswise."""
    rows = []
    for place in sorted(places, key=lambda place: (place.user.pk, place.course_id)):
        place.row = CourseEnrollment(
            user=place.user,
            course_id=place.course_id,
            created=plan.facts.now,
            mode=place.stored.mode,
            is_active=place.stored.is_active,
        )
        place.row.course_overview = plan.facts.course(place.course_id)
        rows.append(place.row)
    CourseEnrollment.objects.bulk_create(rows)


def _update(places: Collection[Place], plan: Plan) -> None:
    """Give every row its new mode and activity at once: values are few, however many rows take them."""
    modes, activities = _Groups(), _Groups()
    for place in places:
        row = place.held_row
        row.user, row.course_overview = place.user, plan.facts.course(place.course_id)
        row.mode, row.is_active = place.stored.mode, place.stored.is_active
        row.take_as_stored()
        modes.add(row.mode, row.pk)
        activities.add(row.is_active, row.pk)
    if places:
        rows = CourseEnrollment.objects.filter(pk__in=[place.held_row.pk for place in places])
        rows.update(mode=modes.as_expression(), is_active=activities.as_expression())


class _Groups(dict[Any, list[int]]):
    """The ids of rows by the value that they are to take."""

    def add(self, value: Any, pk: int) -> None:
        self.setdefault(value, []).append(pk)

    def as_expression(self) -> Any:
        *rest, last = self
        if not rest:
            return Value(last)
        return Case(*(When(pk__in=self[value], then=Value(value)) for value in rest), default=Value(last))


def _row_after(step: Step) -> CourseEnrollment:
    """Return the row as it was after one change: itself after its only one, else a copy."""
    row = step.place.held_row
    if len(step.place.steps) > 1:
        row = copy.copy(row)
        row.mode, row.is_active = step.after.mode, step.after.is_active
        row.take_as_stored()
    return row


def _change(step: Step, plan: Plan) -> Change:
    was_active = step.before is not None and step.before.is_active
    return Change(
        at=plan.facts.now,
        mode=step.after.mode,
        activated=step.after.is_active and not was_active,
        deactivated=was_active and not step.after.is_active,
        mode_changed=step.before is not None and step.before.mode != step.after.mode,
    )


def _write_history(changes: Collection[tuple[CourseEnrollment, Step]], plan: Plan, requested_by: int | None) -> None:
    """Note every change with its moment; those of one row follow each other, so that their order is kept."""
    user = acting_user(requested_by)
    for inserted in (True, False):
        rows = [(row, step) for row, step in changes if (step.before is None) is inserted]
        for row, step in rows:
            row._history_date = plan.facts.now + timedelta(microseconds=step.number)
        if rows:
            CourseEnrollment.history.bulk_history_create(
                [row for row, _ in rows], update=not inserted, default_user=user
            )
        for row, _ in rows:
            del row._history_date


def _replace_attributes(places: Collection[Place]) -> None:
    existing = [place.held_row.pk for place in places if not place.is_new]
    if existing:
        CourseEnrollmentAttribute.objects.filter(enrollment__in=existing).delete()
    CourseEnrollmentAttribute.objects.bulk_create(
        row for place in places for row in CourseEnrollmentAttribute.whole_set(place.held_row, place.attributes or ())
    )


def _link(used: Collection[CourseEnrollmentAllowed]) -> None:
    """Say who has used which invitation, unless somebody else has meanwhile."""
    if used:
        CourseEnrollmentAllowed.objects.filter(user=None).bulk_update(used, ["user"])
