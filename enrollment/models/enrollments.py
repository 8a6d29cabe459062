"""The record that ties one learner to one course, and how it changes."""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Self

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, models, transaction
from django.db.models import Index, UniqueConstraint
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from coursecredit.history import ChangeHistory, RemembersStored
from coursecredit.transactions import retried_atomic
from enrollment import ports
from enrollment.errors import (
    AlreadyEnrolledError,
    CourseFullError,
    EnrollmentClosedError,
    EnrollmentNotAllowed,
    NonExistentCourseError,
    UnenrollmentNotAllowed,
    UserNotFoundError,
)
from enrollment.keys import course_id_of
from enrollment.mode_rules import default_mode_slug
from enrollment.models.announcements import Change, announce
from enrollment.models.courses import Course, CourseMode
from enrollment.models.invitations import CourseEnrollmentAllowed
from enrollment.querysets import CourseEnrollmentQuerySet, with_address
from enrollment.types import Account, AttributeDict

log = logging.getLogger(__name__)


class Overtaken(Exception):
    """Somebody else has inserted the learner's row meanwhile: whoever holds none has to look again."""


class CourseEnrollment(RemembersStored):
    """A learner's place in a course: a mode, and whether it is in use. Never deleted, only made inactive.

    The course may be gone: then `course_overview` is None.

    `enroll`, `unenroll`, `update_enrollment` and what is built on them are the ways to change a row: each decides
    under the row's lock, saves what differs and announces it. Saving a row directly announces nothing.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="course_enrollments")
    course = models.ForeignKey(Course, db_constraint=False, on_delete=models.DO_NOTHING, related_name="enrollments")
    created = models.DateTimeField(null=True, blank=True, default=timezone.now, editable=False)
    is_active = models.BooleanField(default=True)
    mode = models.CharField(max_length=100, default=default_mode_slug)

    objects = CourseEnrollmentQuerySet.as_manager()
    history = ChangeHistory(history_id_field=models.UUIDField(default=uuid.uuid4))

    class Meta:
        ordering = ["user_id", "course_id"]
        constraints = [
            UniqueConstraint(fields=["user", "course"], name="enrollment_one_per_course"),
        ]
        indexes = [
            Index(fields=["user", "-created"], name="enrollment_newest_of_user"),
            # For the list of everybody's enrollments: with the id, so that a thousand rows of one moment have an order.
            Index(fields=["created", "id"], name="enrollment_by_age"),
            Index(fields=["course", "created", "id"], name="enrollment_by_course_and_age"),
        ]

    def __str__(self) -> str:
        return f"enrollment {self.pk} of user {self.user_id} in {self.course_id}"

    @property
    def username(self) -> str:
        return self.user.get_username()

    @cached_property
    def course_overview(self) -> ports.CourseLike | None:
        """The course, or None if it is gone."""
        return ports.courses().get(self.course_id)

    @classmethod
    def get_enrollment(cls, user: Any, course_key: str | CourseKey) -> Self | None:
        """Return the user's enrollment, active or not, or None; None for somebody who is not logged in."""
        if user.is_anonymous:
            return None
        row: Self | None = cls.objects.of(user.pk, course_id_of(course_key)).first()
        return row

    @classmethod
    def is_enrolled(cls, user: Any, course_key: str | CourseKey) -> bool:
        """Return whether the user has an active enrollment."""
        row = cls.get_enrollment(user, course_key)
        return row is not None and row.is_active

    @classmethod
    def enrollment_mode_for_user(cls, user: Any, course_key: str | CourseKey) -> tuple[str, bool] | tuple[None, None]:
        """Return mode and active flag, or None for both."""
        row = cls.get_enrollment(user, course_key)
        return (None, None) if row is None else (row.mode, row.is_active)

    @classmethod
    def enrollments_for_user(cls, user: Account) -> CourseEnrollmentQuerySet:
        """Return the user's active enrollments."""
        rows: CourseEnrollmentQuerySet = cls.objects.filter(user=user).active()
        return rows

    def activate(self) -> None:
        """Make the enrollment active; again changes nothing."""
        self.update_enrollment(is_active=True)

    def deactivate(self) -> None:
        """Make the enrollment inactive; again changes nothing.

        Raises:
            UnenrollmentNotAllowed
        """
        self.update_enrollment(is_active=False)

    def change_mode(self, mode: str) -> None:
        """Move the enrollment to another mode, whether the course offers it or not; again changes nothing."""
        self.update_enrollment(mode=mode)

    @retried_atomic
    def update_enrollment(
        self, mode: str | None = None, is_active: bool | None = None, *, skip_refund: bool = False
    ) -> None:
        """Change what is given and differs, and announce it. No access is checked and no mode.

        Args:
            mode: the new mode; None leaves it.
            is_active: the new flag; None leaves it.
            skip_refund: told to whoever refunds, if the enrollment ends.

        Raises:
            UnenrollmentNotAllowed: a hook keeps the learner.
        """
        self.refresh_from_db(fields=["mode", "is_active"], from_queryset=type(self).objects.select_for_update())
        self.change_locked(mode, is_active, skip_refund=skip_refund)

    @classmethod
    @retried_atomic
    def enroll(
        cls,
        user: Account,
        course_key: str | CourseKey,
        mode: str | None = None,
        check_access: bool = False,
        can_upgrade: bool = False,
        enterprise_uuid: str | None = None,
        *,
        is_active: bool = True,
    ) -> Self:
        """Enroll a user, or enroll again one who had left, and return the row.

        Without `check_access` an active enrollment is moved to the mode, and the course need not exist.

        Args:
            mode: None chooses by rule, never a paid one. Whether the course offers it is not looked at.
            check_access: refuse where the learner may not enroll.
            can_upgrade: let in although enrollment is closed; never into a full course.
            enterprise_uuid: for analytics.
            is_active: False stores the mode without using it: in a new row after the same checks, in an inactive
                one without, since nobody gets in.

        Raises:
            InvalidCourseKeyError, EnrollmentNotAllowed
            AlreadyEnrolledError, NonExistentCourseError, EnrollmentClosedError, CourseFullError: with `check_access`.
        """
        course_id = course_id_of(course_key)
        row = cls.locked(user, course_id, refuse_active=check_access)
        if mode is None:
            mode = CourseMode.objects.chosen_for(course_id)
        if row is not None and not is_active:
            row.change_locked(mode)
            return row

        course = ports.courses().get(course_id)
        admit = partial(
            cls.admit,
            user,
            course_id,
            mode,
            course=course,
            check_access=check_access,
            can_upgrade=can_upgrade,
            enterprise_uuid=enterprise_uuid,
            is_active=is_active,
        )
        try:
            return admit(row)
        except Overtaken:
            return admit(cls.locked(user, course_id, refuse_active=check_access))

    @classmethod
    def admit(
        cls,
        user: Account,
        course_id: str,
        mode: str,
        row: Self | None,
        *,
        course: ports.CourseLike | None,
        check_access: bool,
        can_upgrade: bool = False,
        enterprise_uuid: str | None = None,
        is_active: bool = True,
    ) -> Self:
        """Let a user in by the row that is held, or by a new one, and return it: `enroll`, for those who hold rows.

        Args:
            row: the user's locked row, not active if access is to be checked, or None.
            course: the course, or None if it does not exist.

        Raises:
            EnrollmentNotAllowed
            NonExistentCourseError, EnrollmentClosedError, CourseFullError: with `check_access`.
            Overtaken: there was no row, and there is one now.
        """
        mode = _mode_that_hooks_allow(user, course_id, mode)
        if check_access:
            cls._require_access(user, course, row, even_if_closed=can_upgrade)
        if row is None:
            row = cls(user=user, course_id=course_id, mode=mode, is_active=is_active)
            row.course_overview = course
            row._insert(enterprise_uuid)
            return row
        row.course_overview = course
        row.change_locked(mode, is_active or None, enterprise_uuid=enterprise_uuid)
        return row

    @classmethod
    def enroll_by_email(
        cls, email: str, course_key: str | CourseKey, mode: str | None = None, ignore_errors: bool = True
    ) -> Self | None:
        """Enroll the one account with this address, without checks; None if there is none and that is to be ignored.

        Raises:
            InvalidCourseKeyError
            UserNotFoundError: no account, or several, and `ignore_errors` is False.
        """
        course_id = course_id_of(course_key)
        user = _only_user_with(email)
        if user is not None:
            return cls.enroll(user, course_id, mode)
        log.warning("Nobody was enrolled in %s: not exactly one account has the address.", course_id)
        if not ignore_errors:
            raise UserNotFoundError
        return None

    @classmethod
    @retried_atomic
    def unenroll(cls, user: Account, course_key: str | CourseKey, skip_refund: bool = False) -> None:
        """Make the user's enrollment inactive. One that is inactive or does not exist stays so.

        Raises:
            InvalidCourseKeyError
            UnenrollmentNotAllowed: a hook keeps the learner.
        """
        course_id = course_id_of(course_key)
        row = cls.locked(user, course_id)
        if row is None:
            log.warning("User %s has no enrollment in %s that could end.", user.pk, course_id)
            return
        row.change_locked(is_active=False, skip_refund=skip_refund)

    @classmethod
    def unenroll_by_email(cls, email: str, course_key: str | CourseKey, skip_refund: bool = False) -> None:
        """End the enrollment of the one account with this address, if there is one.

        Raises:
            InvalidCourseKeyError
            UnenrollmentNotAllowed: a hook keeps the learner.
        """
        course_id = course_id_of(course_key)
        user = _only_user_with(email)
        if user is None:
            log.warning("Nobody left %s: not exactly one account has the address.", course_id)
            return
        cls.unenroll(user, course_id, skip_refund)

    @classmethod
    @retried_atomic
    def unenroll_from_all(cls, user: Account) -> None:
        """End every active enrollment of a user whose account is being removed; no hook is asked."""
        rows = list(cls.objects.filter(user=user).active().order_by("pk").select_for_update())
        overviews = ports.courses().get_many([row.course_id for row in rows])
        for row in rows:
            row.user = user
            row.course_overview = overviews.get(row.course_id)
            row.change_locked(is_active=False, ask_hooks=False)

    @classmethod
    def locked(cls, user: Account, course_id: str, *, refuse_active: bool = False) -> Self | None:
        """Return the user's row, nobody else's to change until the transaction ends.

        Raises:
            AlreadyEnrolledError: it is active, and `refuse_active`.
        """
        row: Self | None = cls.objects.of(user.pk, course_id).select_for_update().first()
        if row is not None:
            row.user = user
            if refuse_active and row.is_active:
                raise AlreadyEnrolledError
        return row

    @classmethod
    def _require_access(
        cls, user: Account, course: ports.CourseLike | None, row: Self | None, *, even_if_closed: bool
    ) -> None:
        if course is None:
            raise NonExistentCourseError
        if not even_if_closed and not ports.access().can_enroll(user, course):
            raise EnrollmentClosedError
        if course.max_student_enrollments_allowed is not None:
            # From here to the end of the transaction nobody else takes a seat, so the count stays true.
            ports.courses().lock(course.id)
            if cls.objects.is_course_full(course):
                # The last seat may be the learner's own, taken by another click while this one waited.
                if row is None and cls.locked(user, course.id) is not None:
                    raise Overtaken
                raise CourseFullError

    def _insert(self, enterprise_uuid: str | None) -> None:
        """Insert and announce this new row.

        Raises:
            Overtaken: somebody else has just inserted one.
        """
        now = timezone.now()
        self.created = now
        try:
            with transaction.atomic():
                self._save_at(now, force_insert=True)
        except IntegrityError as exc:
            if self.locked(self.user, self.course_id) is None:
                raise
            raise Overtaken from exc
        if self.is_active:
            CourseEnrollmentAllowed.objects.link(self.user, self.course_id)
            announce(self, Change(at=now, mode=self.mode, activated=True, enterprise_uuid=enterprise_uuid))

    def change_locked(
        self,
        mode: str | None = None,
        is_active: bool | None = None,
        *,
        skip_refund: bool = False,
        enterprise_uuid: str | None = None,
        ask_hooks: bool = True,
    ) -> None:
        """Change what is given and differs in this locked row, and announce it.

        Raises:
            UnenrollmentNotAllowed
        """
        new_mode = self.mode if mode is None else mode
        now_active = self.is_active if is_active is None else is_active
        change = Change(
            at=timezone.now(),
            mode=new_mode,
            activated=now_active and not self.is_active,
            deactivated=self.is_active and not now_active,
            mode_changed=new_mode != self.mode,
            skip_refund=skip_refund,
            enterprise_uuid=enterprise_uuid,
        )
        if not (change.activated or change.deactivated or change.mode_changed):
            return
        if change.deactivated and ask_hooks:
            _require_that_hooks_let_go(self)

        self.mode, self.is_active = new_mode, now_active
        self._save_at(change.at, update_fields=self.unsaved_fields())
        if change.activated:
            CourseEnrollmentAllowed.objects.link(self.user, self.course_id)
        announce(self, change)

    def _save_at(self, moment: datetime, **options: Any) -> None:
        """Save, with history of the very moment that the events tell."""
        self._history_date = moment
        try:
            self.save(**options)
        finally:
            del self._history_date


class CourseEnrollmentAttribute(models.Model):
    """A fact that hangs on an enrollment, such as order / order_number / EDX-1000. Written as a whole set."""

    enrollment = models.ForeignKey(CourseEnrollment, on_delete=models.CASCADE, related_name="attributes")
    namespace = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    value = models.CharField(max_length=255)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["enrollment", "namespace", "name"], name="enrollment_one_value_per_attribute"),
        ]

    def __str__(self) -> str:
        return f"{self.namespace}:{self.name} of enrollment {self.enrollment_id}"

    @classmethod
    def whole_set(cls, enrollment: CourseEnrollment, attributes: Iterable[AttributeDict]) -> list[Self]:
        """Return the rows of a whole set. Of two values of one name the last counts.

        Spaces at the end make no other name: MariaDB compares text as if it were padded with them.
        """
        last = {(one["namespace"].rstrip(" "), one["name"].rstrip(" ")): one for one in attributes}
        return [
            cls(enrollment=enrollment, namespace=one["namespace"], name=one["name"], value=one["value"])
            for one in last.values()
        ]


def _mode_that_hooks_allow(user: Account, course_id: str, mode: str) -> str:
    for hook in ports.enroll_hooks():
        try:
            mode = hook.before_enroll(user, course_id, mode) or mode
        except ports.PreventEnrollment as exc:
            raise EnrollmentNotAllowed(str(exc)) from exc
    return mode


def _require_that_hooks_let_go(enrollment: CourseEnrollment) -> None:
    for hook in ports.unenroll_hooks():
        try:
            hook.before_unenroll(enrollment)
        except ports.PreventUnenrollment as exc:
            raise UnenrollmentNotAllowed(str(exc)) from exc


def _only_user_with(email: str) -> Any | None:
    """Return the account with this address, without regard to case, unless there is none or more than one."""
    users = with_address(get_user_model()._default_manager.all(), "email", email)[:2]
    return users[0] if len(users) == 1 else None
