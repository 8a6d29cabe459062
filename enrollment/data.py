"""The default data backend (enrollment contract 8): enrollments in this app's tables.

Nothing here parses course keys: `enrollment.api` has done that.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, FilteredRelation, Q, prefetch_related_objects

from coursecredit.transactions import retried_atomic
from enrollment import errors, ports
from enrollment.dicts import course_details, enrollment_dict
from enrollment.keys import parse_course_key
from enrollment.models import Course, CourseEnrollment, CourseEnrollmentAttribute, CourseMode
from enrollment.models.enrollments import Overtaken
from enrollment.querysets import CourseEnrollmentQuerySet
from enrollment.types import Account, AttributeDict, CourseDetailsDict, EnrollmentDict, Mode, Role

atomic = transaction.atomic

log = logging.getLogger(__name__)


def get_course_enrollments(username: str, include_inactive: bool = False) -> list[EnrollmentDict]:
    """Return a learner's enrollments, oldest first; those whose course is gone are left out, with a warning."""
    found = _rows_of(username).oldest_first()
    rows = list(found if include_inactive else found.active())
    details = _details_of({row.course_id for row in rows})
    kept = [row for row in rows if row.course_id in details]
    if len(kept) < len(rows):
        log.warning(
            "%d enrollments of user %s are left out: their courses are gone.", len(rows) - len(kept), rows[0].user_id
        )
    return [_enrollment_dict(row, details[row.course_id], row.learner) for row in kept]


def get_course_enrollment(username: str, course_id: str) -> EnrollmentDict | None:
    """Return the enrollment, active or not, or None."""
    row = _rows_of(username).in_course(course_id).first()
    return None if row is None else _enrollment_dict(row, _details_of([course_id]).get(course_id), row.learner)


def hold_enrollment(username: str, course_id: str) -> "HeldEnrollment":
    """Return a learner's enrollment in a course, locked until the transaction ends; to be called inside one."""
    return HeldEnrollment(username, course_id)


class HeldEnrollment:
    """One learner's enrollment in one course, or none yet; account, course and modes are read once."""

    def __init__(self, username: str, course_id: str) -> None:
        self._course_id = course_id
        self._may_have_attributes = True
        self._user, row = _learner_with_row(username, course_id)
        self._row = None if row is None else CourseEnrollment.locked(row.user, course_id)

    def read(self) -> EnrollmentDict | None:
        """Return the enrollment, active or not, or None."""
        return None if self._row is None else self._as_dict(self._row)

    def course_info(self, include_expired: bool = False) -> CourseDetailsDict:
        """Return the course with its modes, credit modes included.

        Raises:
            CourseNotFoundError
        """
        details = self._details(include_expired=include_expired)
        if details is None:
            raise errors.CourseNotFoundError(f"No course {self._course_id} found.")
        return details

    def create(
        self, mode: str, is_active: bool, enterprise_uuid: str | None = None, force_enrollment: bool = False
    ) -> EnrollmentDict:
        """Enroll the learner, or enroll again one who had left; see `create_course_enrollment`.

        Raises:
            CourseEnrollmentExistsError: also if somebody else has created an enrollment meanwhile, active or not;
                from now on that one is held.
        """
        user = self._learner()
        if self._row is not None and self._row.is_active:
            raise errors.CourseEnrollmentExistsError(enrollment=self.read())
        was = self._row
        try:
            self._row = self._admitted(user, mode, is_active is not False, enterprise_uuid, force_enrollment)
        except Overtaken as exc:
            self._row = CourseEnrollment.locked(user, self._course_id)
            raise errors.CourseEnrollmentExistsError(enrollment=self.read()) from exc
        except errors.NonExistentCourseError as exc:
            raise errors.CourseNotFoundError(f"No course {self._course_id} found.") from exc
        except errors.EnrollmentClosedError as exc:
            raise errors.CourseEnrollmentClosedError from exc
        except errors.CourseFullError as exc:
            raise errors.CourseEnrollmentFullError from exc
        except errors.EnrollmentNotAllowed as exc:
            raise errors.EnrollmentNotAllowedError(str(exc)) from exc
        self._may_have_attributes = was is not None
        return self._as_dict(self._row)

    def update(self, mode: str | None = None, is_active: bool | None = None) -> EnrollmentDict | None:
        """Change what is given of the enrollment and return it; None if there is none. No access is checked.

        Raises:
            UserNotFoundError, UnenrollmentNotAllowedError
        """
        self._learner()
        if self._row is None:
            return None
        self._row.course_overview = self._course
        try:
            self._row.change_locked(mode, is_active)
        except errors.UnenrollmentNotAllowed as exc:
            raise errors.UnenrollmentNotAllowedError(str(exc)) from exc
        return self._as_dict(self._row)

    def set_attributes(self, attributes: list[AttributeDict]) -> None:
        """Replace all attributes; without an enrollment do nothing. Of two values of one name the last counts.

        Raises:
            UserNotFoundError
        """
        self._learner()
        if self._row is None:
            return
        if self._may_have_attributes:
            self._row.attributes.all().delete()
        self._may_have_attributes = True
        last = {(attribute["namespace"], attribute["name"]): attribute["value"] for attribute in attributes}
        CourseEnrollmentAttribute.objects.bulk_create(
            CourseEnrollmentAttribute(enrollment=self._row, namespace=namespace, name=name, value=value)
            for (namespace, name), value in last.items()
        )

    def _learner(self) -> Account:
        if self._user is None:
            raise errors.UserNotFoundError
        return self._user

    def _admitted(
        self, user: Account, mode: str, is_active: bool, enterprise_uuid: str | None, force_enrollment: bool
    ) -> CourseEnrollment:
        if self._row is not None and not is_active:
            self._row.course_overview = self._course
            self._row.change_locked(mode)
            return self._row
        return CourseEnrollment.admit(
            user,
            self._course_id,
            mode,
            self._row,
            course=self._course,
            check_access=True,
            can_upgrade=force_enrollment,
            enterprise_uuid=enterprise_uuid,
            is_active=is_active,
        )

    @cached_property
    def _course_and_modes(self) -> tuple[ports.CourseLike | None, list[Mode]]:
        return _courses_with_modes([self._course_id]).get(self._course_id, (None, []))

    @property
    def _course(self) -> ports.CourseLike | None:
        return self._course_and_modes[0]

    def _details(self, *, include_expired: bool = False) -> CourseDetailsDict | None:
        course, modes = self._course_and_modes
        return None if course is None else course_details(course, modes, include_expired=include_expired)

    def _as_dict(self, row: CourseEnrollment) -> EnrollmentDict:
        return _enrollment_dict(row, self._details(), row.username)


@retried_atomic
def create_course_enrollment(
    username: str,
    course_id: str,
    mode: str,
    is_active: bool,
    enterprise_uuid: str | None = None,
    force_enrollment: bool = False,
) -> EnrollmentDict:
    """Enroll a learner, or enroll again one who had left.

    Args:
        is_active: False stores the mode without using it; None counts as True.
        force_enrollment: let in although enrollment is closed; never into a full course.

    Raises:
        UserNotFoundError, CourseNotFoundError, CourseEnrollmentClosedError, CourseEnrollmentFullError,
        CourseEnrollmentExistsError, EnrollmentNotAllowedError
    """
    held = hold_enrollment(username, course_id)
    try:
        return held.create(mode, is_active, enterprise_uuid, force_enrollment)
    except errors.CourseEnrollmentExistsError:
        return held.create(mode, is_active, enterprise_uuid, force_enrollment)  # a rival's may be one that was left


@retried_atomic
def update_course_enrollment(
    username: str, course_id: str, mode: str | None = None, is_active: bool | None = None
) -> EnrollmentDict | None:
    """Change what is given of an enrollment and return it; None if there is none. No access is checked.

    Raises:
        UserNotFoundError, UnenrollmentNotAllowedError
    """
    return hold_enrollment(username, course_id).update(mode, is_active)


def get_course_enrollment_info(course_id: str, include_expired: bool = False) -> CourseDetailsDict:
    """Return the course with its modes, credit modes included.

    Raises:
        CourseNotFoundError
    """
    details = _details_of([course_id], include_expired=include_expired).get(course_id)
    if details is None:
        raise errors.CourseNotFoundError(f"No course {course_id} found.")
    return details


@retried_atomic
def add_or_update_enrollment_attr(username: str, course_id: str, attributes: list[AttributeDict]) -> None:
    """Replace all attributes of an enrollment; without an enrollment do nothing. Of two values of one name the last
    counts.

    Raises:
        UserNotFoundError
    """
    hold_enrollment(username, course_id).set_attributes(attributes)


def get_enrollment_attributes(username: str, course_id: str) -> list[AttributeDict]:
    """Return the attributes in the order in which they were given; [] without an enrollment.

    Raises:
        UserNotFoundError
    """
    user = _user(username)
    rows = CourseEnrollmentAttribute.objects.filter(enrollment__user=user, enrollment__course_id=course_id)
    return [AttributeDict(namespace=row.namespace, name=row.name, value=row.value) for row in rows.order_by("pk")]


@retried_atomic
def unenroll_user_from_all_courses(username: str) -> set[str]:
    """End every active enrollment; return the organisations of all the user's courses, those left before included.

    Raises:
        UserNotFoundError
    """
    user = _user(username)
    course_ids = CourseEnrollment.objects.filter(user=user).order_by().values_list("course_id", flat=True)
    orgs = {str(parse_course_key(course_id).org) for course_id in course_ids}
    CourseEnrollment.unenroll_from_all(user)
    return orgs


def get_user_roles(username: str) -> list[Role]:
    """Return the user's roles.

    Raises:
        UserNotFoundError
    """
    roles = ports.roles().roles_for(_user(username))
    return [Role(org=org, course_id=course_id, role=role) for org, course_id, role in roles]


def serialize_enrollments(rows: Iterable[CourseEnrollment]) -> list[EnrollmentDict]:
    """Return enrollment dicts for rows, in their order; what is not loaded yet is read in one statement per table."""
    rows = list(rows)
    prefetch_related_objects(rows, "user")
    details = _details_of({row.course_id for row in rows})
    return [_enrollment_dict(row, details.get(row.course_id), row.username) for row in rows]


def get_user_enrollments(course_key: Any) -> CourseEnrollmentQuerySet:
    """Return the active enrollments of one course, oldest first, to be paged by the caller."""
    rows: CourseEnrollmentQuerySet = CourseEnrollment.objects.in_course(str(course_key)).active().oldest_first()
    return rows


def _user(username: str) -> Account:
    user: Account | None = (
        get_user_model()._default_manager.select_related("learner_profile").filter(username=username).first()
    )
    if user is None:
        raise errors.UserNotFoundError
    return user


def _rows_of(username: str) -> Any:
    """Return a learner's enrollments, each with the username as `learner`: the whole account need not be loaded."""
    return CourseEnrollment.objects.filter(user__username=username).annotate(learner=F("user__username"))


def _learner_with_row(username: str, course_id: str) -> tuple[Account | None, CourseEnrollment | None]:
    """Return the account with its profile, and its enrollment in the course, in one statement."""
    here = FilteredRelation("course_enrollments", condition=Q(course_enrollments__course_id=course_id))
    users: Any = get_user_model()._default_manager.annotate(here=here)
    user = users.select_related("learner_profile", "here").filter(username=username).first()
    return user, getattr(user, "here", None)


def _details_of(course_ids: Collection[str], *, include_expired: bool = False) -> dict[str, CourseDetailsDict]:
    """Return the courses that exist, by key, with what they offer, credit modes included."""
    return {
        course_id: course_details(course, modes, include_expired=include_expired)
        for course_id, (course, modes) in _courses_with_modes(course_ids).items()
    }


def _courses_with_modes(course_ids: Collection[str]) -> Mapping[str, tuple[ports.CourseLike, list[Mode]]]:
    """Return the courses that exist with all their modes: in one statement, where courses are our own table."""
    if ports.courses_are_local():
        return Course.objects.with_modes(course_ids)
    modes = CourseMode.objects.by_course(course_ids)
    return {course_id: (course, modes[course_id]) for course_id, course in ports.courses().get_many(course_ids).items()}


def _enrollment_dict(row: CourseEnrollment, details: CourseDetailsDict | None, username: str) -> EnrollmentDict:
    return enrollment_dict(
        created=row.created, mode=row.mode, is_active=row.is_active, details=details, username=username
    )
