"""Finding enrollments (program enrollments contract 5.1).

Of an optional filter, None is no filter and an empty one keeps nothing. Student keys compare without regard to case.
What is called `fetch_…` returns lazy querysets in the order of ids, to be paged by the caller.
"""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from program_enrollments.models import ProgramCourseEnrollment, ProgramEnrollment
from program_enrollments.querysets import ProgramCourseEnrollmentQuerySet, ProgramEnrollmentQuerySet
from program_enrollments.student_keys import folded
from program_enrollments.types import Account, CourseKeyOrText, UuidOrText


def get_program_enrollment(
    program_uuid: UuidOrText,
    user: Account | None = None,
    external_user_key: str | None = None,
    curriculum_uuid: UuidOrText | None = None,
) -> ProgramEnrollment:
    """Return the one enrollment of a student in a program; with account and key given, both have to match.

    Raises:
        ValueError: neither account nor key is given.
        ProgramEnrollment.DoesNotExist, ProgramEnrollment.MultipleObjectsReturned
    """
    rows = fetch_program_enrollments_by_student(
        user=user,
        external_user_key=external_user_key,
        program_uuids=[program_uuid],
        curriculum_uuids=_only(curriculum_uuid),
    )
    enrollment: ProgramEnrollment = rows.get()
    return enrollment


def get_program_course_enrollment(
    program_uuid: UuidOrText,
    course_key: CourseKeyOrText,
    user: Account | None = None,
    external_user_key: str | None = None,
    curriculum_uuid: UuidOrText | None = None,
) -> ProgramCourseEnrollment:
    """Return the one enrollment of a student in a course run through a program, as `get_program_enrollment` does.

    Raises:
        ValueError: neither account nor key is given.
        ProgramCourseEnrollment.DoesNotExist, ProgramCourseEnrollment.MultipleObjectsReturned
    """
    _require_student(user, external_user_key)
    rows = fetch_program_course_enrollments(
        program_uuid,
        course_key,
        users=_only(user),
        external_user_keys=_only(external_user_key),
        curriculum_uuids=_only(curriculum_uuid),
    )
    enrollment: ProgramCourseEnrollment = rows.get()
    return enrollment


def fetch_program_enrollments(
    program_uuid: UuidOrText,
    curriculum_uuids: Iterable[UuidOrText] | None = None,
    users: Iterable[Account] | None = None,
    external_user_keys: Iterable[str] | None = None,
    program_enrollment_statuses: Iterable[str] | None = None,
    realized_only: bool = False,
    waiting_only: bool = False,
) -> ProgramEnrollmentQuerySet:
    """Return the enrollments in a program.

    Raises:
        ValueError: both only realized and only waiting ones are asked for.
    """
    return _program_enrollments(
        program_uuids=[program_uuid],
        curriculum_uuids=curriculum_uuids,
        users=users,
        external_user_keys=external_user_keys,
        statuses=program_enrollment_statuses,
        realized_only=realized_only,
        waiting_only=waiting_only,
    )


def fetch_program_enrollments_by_student(
    user: Account | None = None,
    external_user_key: str | None = None,
    program_uuids: Iterable[UuidOrText] | None = None,
    curriculum_uuids: Iterable[UuidOrText] | None = None,
    program_enrollment_statuses: Iterable[str] | None = None,
    realized_only: bool = False,
    waiting_only: bool = False,
) -> ProgramEnrollmentQuerySet:
    """Return a student's enrollments in all programs; with account and key given, both have to match.

    Raises:
        ValueError: neither account nor key is given, or both only realized and only waiting ones are asked for.
    """
    _require_student(user, external_user_key)
    return _program_enrollments(
        program_uuids=program_uuids,
        curriculum_uuids=curriculum_uuids,
        users=_only(user),
        external_user_keys=_only(external_user_key),
        statuses=program_enrollment_statuses,
        realized_only=realized_only,
        waiting_only=waiting_only,
    )


def fetch_program_enrollments_by_students(
    users: Collection[Account] | None = None,
    external_user_keys: Collection[str] | None = None,
    program_enrollment_statuses: Iterable[str] | None = None,
    realized_only: bool = False,
    waiting_only: bool = False,
) -> ProgramEnrollmentQuerySet:
    """Return several students' enrollments in all programs.

    Raises:
        ValueError: no student is given, or both only realized and only waiting ones are asked for.
    """
    _require_students(users, external_user_keys)
    return _program_enrollments(
        users=users,
        external_user_keys=external_user_keys,
        statuses=program_enrollment_statuses,
        realized_only=realized_only,
        waiting_only=waiting_only,
    )


def fetch_program_course_enrollments(
    program_uuid: UuidOrText,
    course_key: CourseKeyOrText,
    curriculum_uuids: Iterable[UuidOrText] | None = None,
    users: Iterable[Account] | None = None,
    external_user_keys: Iterable[str] | None = None,
    program_enrollment_statuses: Iterable[str] | None = None,
    program_enrollments: Iterable[ProgramEnrollment] | None = None,
    active_only: bool = False,
    inactive_only: bool = False,
    realized_only: bool = False,
    waiting_only: bool = False,
) -> ProgramCourseEnrollmentQuerySet:
    """Return the enrollments in a course run through a program.

    Args:
        program_uuid: the program.
        course_key: the run.
        program_enrollment_statuses: statuses of the enrollments in the program.

    Raises:
        ValueError: two filters exclude each other.
    """
    return _program_course_enrollments(
        program_uuids=[program_uuid],
        course_keys=[course_key],
        curriculum_uuids=curriculum_uuids,
        users=users,
        external_user_keys=external_user_keys,
        statuses=program_enrollment_statuses,
        program_enrollments=program_enrollments,
        active_only=active_only,
        inactive_only=inactive_only,
        realized_only=realized_only,
        waiting_only=waiting_only,
    )


def fetch_program_course_enrollments_by_students(
    users: Collection[Account] | None = None,
    external_user_keys: Collection[str] | None = None,
    program_uuids: Iterable[UuidOrText] | None = None,
    curriculum_uuids: Iterable[UuidOrText] | None = None,
    course_keys: Iterable[CourseKeyOrText] | None = None,
    program_enrollment_statuses: Iterable[str] | None = None,
    active_only: bool = False,
    inactive_only: bool = False,
    realized_only: bool = False,
    waiting_only: bool = False,
) -> ProgramCourseEnrollmentQuerySet:
    """Return several students' enrollments in course runs through programs.

    Raises:
        ValueError: no student is given, or two filters exclude each other.
    """
    _require_students(users, external_user_keys)
    return _program_course_enrollments(
        program_uuids=program_uuids,
        course_keys=course_keys,
        curriculum_uuids=curriculum_uuids,
        users=users,
        external_user_keys=external_user_keys,
        statuses=program_enrollment_statuses,
        active_only=active_only,
        inactive_only=inactive_only,
        realized_only=realized_only,
        waiting_only=waiting_only,
    )


def get_external_key_by_user_and_course(user: Account, course_key: CourseKeyOrText) -> str | None:
    """Return the key under which an institution enrolled an account in a course run, or None.

    Of several, an active enrollment counts before an inactive one, then the one that changed last.
    """
    rows = ProgramCourseEnrollment.objects.in_run(course_key).filter(course_enrollment__user=user)
    newest_first = rows.order_by("status", "-modified", "-pk")  # "active" comes before "inactive"
    key: str | None = newest_first.values_list("program_enrollment__external_user_key", flat=True).first()
    return key


def _program_enrollments(
    *,
    program_uuids: Iterable[UuidOrText] | None = None,
    curriculum_uuids: Iterable[UuidOrText] | None = None,
    users: Iterable[Account] | None = None,
    external_user_keys: Iterable[str] | None = None,
    statuses: Iterable[str] | None = None,
    realized_only: bool,
    waiting_only: bool,
) -> ProgramEnrollmentQuerySet:
    rows = _filtered(
        ProgramEnrollment.objects.all(),
        program_uuid=_uuids(program_uuids),
        curriculum_uuid=_uuids(curriculum_uuids),
        user=users,
        external_user_key_folded=_folded(external_user_keys),
        status=statuses,
    )
    found: ProgramEnrollmentQuerySet = _one_kind(rows, realized=realized_only, waiting=waiting_only)
    return found.order_by("pk")


def _program_course_enrollments(
    *,
    program_uuids: Iterable[UuidOrText] | None,
    course_keys: Iterable[CourseKeyOrText] | None,
    curriculum_uuids: Iterable[UuidOrText] | None,
    users: Iterable[Account] | None,
    external_user_keys: Iterable[str] | None,
    statuses: Iterable[str] | None,
    program_enrollments: Iterable[ProgramEnrollment] | None = None,
    active_only: bool,
    inactive_only: bool,
    realized_only: bool,
    waiting_only: bool,
) -> ProgramCourseEnrollmentQuerySet:
    rows = _filtered(
        ProgramCourseEnrollment.objects.all(),
        program_enrollment__program_uuid=_uuids(program_uuids),
        course_key=course_keys,
        program_enrollment__curriculum_uuid=_uuids(curriculum_uuids),
        program_enrollment__user=users,
        program_enrollment__external_user_key_folded=_folded(external_user_keys),
        program_enrollment__status=statuses,
        program_enrollment=program_enrollments,
    )
    rows = _one_kind(rows, realized=realized_only, waiting=waiting_only)
    found: ProgramCourseEnrollmentQuerySet = _one_kind(rows, active=active_only, inactive=inactive_only)
    return found.order_by("pk")


def _filtered(rows: Any, **wanted: Iterable[Any] | None) -> Any:
    """Keep the rows whose column has one of the values, for each column that is asked about at all."""
    for column, values in wanted.items():
        if values is not None:
            rows = rows.filter(**{f"{column}__in": list(values)})
    return rows


def _one_kind(rows: Any, **kinds: bool) -> Any:
    """Keep the rows of the one kind that is wanted, named after a verb of the queryset."""
    wanted = [kind for kind, is_wanted in kinds.items() if is_wanted]
    if len(wanted) > 1:
        raise ValueError(f"Only {' and only '.join(wanted)} enrollments: there are none.")
    return getattr(rows, wanted[0])() if wanted else rows


def _require_student(user: Account | None, external_user_key: str | None) -> None:
    if user is None and external_user_key is None:
        raise ValueError("Name the student by account, by external user key, or both.")


def _require_students(users: Collection[Account] | None, external_user_keys: Collection[str] | None) -> None:
    if not users and not external_user_keys:
        raise ValueError("Name students by accounts, by external user keys, or both.")


def _only(value: Any) -> list[Any] | None:
    return None if value is None else [value]


def _folded(keys: Iterable[str] | None) -> set[str] | None:
    return None if keys is None else {folded(key) for key in keys}


def _uuids(uuids: Iterable[UuidOrText] | None) -> list[UUID] | None:
    """Return the UUIDs; what is not one matches nothing."""
    if uuids is None:
        return None
    return [uuid for uuid in map(_as_uuid, uuids) if uuid is not None]


def _as_uuid(value: UuidOrText) -> UUID | None:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except ValueError:
        return None
