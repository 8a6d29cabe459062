"""What the items of one chunk do, one after the other, to enrollments that are in memory."""

from __future__ import annotations

from attrs import Factory, define

from enrollment.bulk.facts import Facts
from enrollment.bulk.shapes import Done, Wish
from enrollment.conf import conf
from enrollment.models import CourseEnrollment, CourseEnrollmentAllowed
from enrollment.state_machine import Action, Decision, Stored, decide
from enrollment.types import Account, AttributeDict


@define
class Place:
    """A learner's place in a course as one chunk changes it."""

    user: Account
    course_id: str
    row: CourseEnrollment | None
    state: Stored | None
    is_new: bool
    """Whether there was no row before this chunk."""
    steps: list[Step] = Factory(list)
    attributes: list[AttributeDict] | None = None
    """The set to be stored; None leaves what there is."""

    @property
    def stored(self) -> Stored:
        """The state of a place that has one."""
        assert self.state is not None
        return self.state

    @property
    def held_row(self) -> CourseEnrollment:
        """The row of a place that has one, which after the insert is every place with a state."""
        assert self.row is not None
        return self.row


@define
class Step:
    """One change of a place; `number` counts those of the place from 0."""

    place: Place
    number: int
    before: Stored | None
    after: Stored

    @property
    def is_told(self) -> bool:
        """Whether others hear of it: nobody has entered or left by a new row that is not in use."""
        return self.before is not None or self.after.is_active


@define
class Plan:
    """Applies items in their order: each meets what those before it have done."""

    facts: Facts
    force: bool
    strict_attributes: bool = Factory(lambda: conf.STRICT_MODE_ATTRIBUTES)
    places: dict[tuple[int, str], Place] = Factory(dict)
    steps: list[Step] = Factory(list)
    """All changes, in the order in which they happen."""
    used_invitations: list[CourseEnrollmentAllowed] = Factory(list)

    def apply(self, user: Account, wish: Wish) -> Done:
        """Apply one item.

        Raises:
            DomainError: it is refused, and has changed nothing.
        """
        place = self._place(user, wish.course_id)
        before = place.state
        decision = decide(
            before,
            mode=wish.mode,
            is_active=wish.is_active,
            privileged=True,
            force=self.force,
            attributes=wish.attributes,
            strict_attributes=self.strict_attributes,
        )
        mode = self.facts.mode_to_take(
            wish.course_id, wish.mode, decision.mode_check, may_choose=decision.action is Action.ADD
        )
        if decision.action is Action.ADD:
            self._require_access(place, decision)
        if decision.action is not Action.KEEP:
            self._move(place, _after(before, mode, decision.is_active))
        if wish.attributes is not None and decision.takes_extras:
            place.attributes = wish.attributes
        return Done(before, place.state)

    def _place(self, user: Account, course_id: str) -> Place:
        pair = (user.pk, course_id)
        place = self.places.get(pair)
        if place is None:
            row = self.facts.rows.get(pair)
            state = None if row is None else Stored(row.mode, is_active=row.is_active)
            place = self.places[pair] = Place(user, course_id, row, state, is_new=row is None)
        return place

    def _require_access(self, place: Place, decision: Decision) -> None:
        if decision.requires_open:
            self.facts.require_open(place.user, place.course_id)
        if decision.requires_seat:
            self.facts.require_seat(place.course_id)

    def _move(self, place: Place, after: Stored) -> None:
        before = place.state
        if before == after:
            return
        place.state = after
        step = Step(place, len(place.steps), before, after)
        place.steps.append(step)
        self.steps.append(step)
        was_active = before is not None and before.is_active
        if after.is_active and not was_active:
            self.facts.take_seat(place.user, place.course_id)
            self._use_invitation(place)
        elif was_active and not after.is_active:
            self.facts.give_seat_back(place.user, place.course_id)

    def _use_invitation(self, place: Place) -> None:
        invitation = self.facts.invitation_of(place.user, place.course_id)
        if invitation is not None and invitation.user_id is None:
            invitation.user = place.user
            self.used_invitations.append(invitation)


def _after(before: Stored | None, mode: str | None, is_active: bool | None) -> Stored:
    """Return what a state becomes; None leaves what there is."""
    if before is None:
        assert mode is not None  # chosen, if none was named
        return Stored(mode, is_active=is_active is not False)
    return Stored(before.mode if mode is None else mode, is_active=before.is_active if is_active is None else is_active)
