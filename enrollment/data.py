"""The default data backend (enrollment contract 8): enrollments in this app's tables.

Nothing here parses course keys: `enrollment.api` has done that.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from functools import cache, cached_property
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
from enrollment.querysets import MODE_COLUMNS, CourseEnrollmentQuerySet
from enrollment.types import Account, AttributeDict, CourseDetailsDict, EnrollmentDict, Mode, Role

atomic = transaction.atomic

COURSE_COLUMNS = (  # what an enrollment tells of its course, besides the key; the first is never null
    *("org", "display_name", "start", "end", "enrollment_start", "enrollment_end", "invitation_only", "self_paced"),
)
COURSE_AT = 7  # the first of these, among the values of `_offers_to_learners`
MODE_AT = COURSE_AT + len(COURSE_COLUMNS)

log = logging.getLogger(__name__)


def get_course_enrollments(username: str, include_inactive: bool = False) -> list[EnrollmentDict]:
    """Return a learner's enrollments, oldest first; those whose course is gone are left out, with a warning."""
    found = _enrollments_of(username) if include_inactive else _enrollments_of(username, in_use=True)
    complete = [enrollment for _, enrollment in found if enrollment["course_details"] is not None]
    if len(complete) < len(found):
        log.warning(
            "%d enrollments of user %s are left out: their courses are gone.", len(found) - len(complete), found[0][0]
        )
    return complete


def get_course_enrollment(username: str, course_id: str) -> EnrollmentDict | None:
    """Return the enrollment, active or not, or None."""
    found = _enrollments_of(username, where=course_id)
    return found[0][1] if found else None


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
        CourseEnrollmentAttribute.objects.bulk_create(CourseEnrollmentAttribute.whole_set(self._row, attributes))

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


def _enrollments_of(username: str, **conditions: Any) -> list[tuple[int, EnrollmentDict]]:
    """Return a learner's enrollments, oldest first, each with the account's id; by `where` and `in_use`, if given.

    In one statement, where courses are our own table.
    """
    if not ports.courses_are_local():
        named = CourseEnrollment.objects.alias(where=F("course_id"), in_use=F("is_active")).select_related("user")
        rows = list(named.filter(user__username=username, **conditions).oldest_first())
        return [(row.user_id, told) for row, told in zip(rows, serialize_enrollments(rows), strict=True)]
    found: dict[int, tuple[tuple[Any, ...], Course | None, list[Mode]]] = {}
    for values in _offers_to_learners().filter(username=username, **conditions):
        of_place, of_course, (offer_id, *of_mode) = values[:COURSE_AT], values[COURSE_AT:MODE_AT], values[MODE_AT:]
        if of_place[0] not in found:
            is_gone = of_course[0] is None
            course = None if is_gone else Course.from_db(None, ["id", *COURSE_COLUMNS], [of_place[1], *of_course])
            found[of_place[0]] = (of_place, course, [])
        if offer_id is not None:
            found[of_place[0]][2].append(Mode(*of_mode))
    return [
        (
            user_id,
            enrollment_dict(
                created=created,
                mode=mode,
                is_active=is_active,
                details=None if course is None else course_details(course, modes),
                username=name,
            ),
        )
        for (_, _, user_id, name, created, mode, is_active), course, modes in found.values()
    ]


@cache
def _offers_to_learners() -> Any:
    """Return tuples of all enrollments, courses and modes, to be filtered; an enrollment comes once per mode, or once.

    They begin with the account, since only then Django joins the course as one that may be gone. They are kept, since
    naming two dozen columns takes as long as asking for them.
    """
    users = get_user_model()._default_manager.annotate(place=FilteredRelation("course_enrollments"))
    named = users.annotate(where=F("place__course_id"), in_use=F("place__is_active")).filter(where__isnull=False)
    return named.order_by("place__created", "place__pk", "place__course__modes__pk").values_list(
        *("place__pk", "where", "pk", "username", "place__created", "place__mode", "in_use"),
        *(f"place__course__{column}" for column in COURSE_COLUMNS),
        *(f"place__course__modes__{column}" for column in ("pk", *MODE_COLUMNS)),
    )


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
