"""Requirements of credit courses, learners' statuses, and the eligibility that follows from them."""

import logging
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from coursecredit.transactions import retried_atomic
from credit import ports
from credit.api import announcements
from credit.choices import AuditSource, RequirementStatus
from credit.exceptions import InvalidCreditCourse, InvalidCreditRequirements
from credit.models import CreditCourse, CreditEligibility, CreditRequest, CreditRequirement, CreditRequirementStatus
from credit.types import (
    CourseKeyOrText,
    EligibilityDict,
    Learner,
    RequirementDict,
    RequirementStatusDict,
    StatusChange,
    UserEligibilityDict,
)

log = logging.getLogger(__name__)

MAX_LENGTH = 255


def is_credit_course(course_key: CourseKeyOrText) -> bool:
    """Return whether credit can be earned in the course."""
    return CreditCourse.is_credit_course(course_key)


def set_credit_requirements(course_key: CourseKey, requirements: Sequence[Mapping[str, Any]]) -> None:
    """Make these the requirements of a course, in this order; others become inactive.

    Readers see the old list or the new one, and publications of one course follow one another. Learners' statuses
    and eligibilities are not touched. The same list a second time changes nothing.

    Args:
        course_key: the course.
        requirements: each with `namespace`, `name`, `display_name` and `criteria`; other keys are ignored. Of a
            (namespace, name) that comes twice, the last counts.

    Raises:
        InvalidCreditRequirements: naming each badly formed one and its keys; nothing is written.
        InvalidCreditCourse: the course is not an enabled credit course.
    """
    require_well_formed(requirements)
    publish_requirements(course_key, requirements)


def require_well_formed(requirements: Sequence[Mapping[str, Any]]) -> None:
    """Check the form of requirements.

    Raises:
        InvalidCreditRequirements: naming each badly formed one and its keys.
    """
    problems = [problem for requirement in requirements if (problem := _problem(requirement))]
    if problems:
        raise InvalidCreditRequirements("; ".join(problems))


@retried_atomic
def publish_requirements(
    course_key: CourseKey, requirements: Sequence[Mapping[str, Any]], *, if_due_since: datetime | None = None
) -> bool:
    """Make well-formed requirements those of a course; return whether that was done.

    Args:
        course_key: the course.
        requirements: as `set_credit_requirements` takes them.
        if_due_since: do it only if the requirements have been due since then, and say that they are not any more.

    Raises:
        InvalidCreditCourse: the course is not an enabled credit course.
    """
    course = CreditCourse.objects.locked().enabled().filter(course_key=course_key).first()
    if course is None:
        raise InvalidCreditCourse
    if if_due_since is not None:
        if course.requirements_due_at != if_due_since:
            return False
        CreditCourse.objects.filter(pk=course.pk).update(requirements_due_at=None)

    wanted = {
        (str(requirement["namespace"]), str(requirement["name"])): (requirement, position)
        for position, requirement in enumerate(requirements)
    }
    known = {(row.namespace, row.name): row for row in CreditRequirement.objects.filter(course=course)}
    left_out = [row.pk for pair, row in known.items() if row.active and pair not in wanted]
    if left_out:
        CreditRequirement.disable_credit_requirements(left_out)
    for pair in wanted.keys() & known.keys():
        known[pair].take(*wanted[pair])
    CreditRequirement.add_course_requirements(course, [wanted[pair] for pair in wanted if pair not in known])
    return True


def _problem(requirement: Any) -> str | None:
    """Return what is wrong with the form of a requirement, or None."""
    if not isinstance(requirement, Mapping):
        return f"{requirement!r} is not a requirement"
    bad = [key for key in ("namespace", "name", "display_name") if not _fits(requirement.get(key))]
    if "criteria" not in requirement:
        bad.append("criteria")
    name = f"{requirement.get('namespace')}/{requirement.get('name')}"
    return f"{name} has missing or invalid keys: {', '.join(bad)}" if bad else None


def _fits(value: Any) -> bool:
    return bool(value) and len(str(value)) <= MAX_LENGTH


def get_credit_requirements(course_key: CourseKey, namespace: str | None = None) -> list[RequirementDict]:
    """Return the active requirements of a course by position, all or those of one namespace."""
    return [_as_dict(requirement) for requirement in CreditRequirement.get_course_requirements(course_key, namespace)]


def get_credit_requirement_status(
    course_key: CourseKey, username: str, namespace: str | None = None, name: str | None = None
) -> list[RequirementStatusDict]:
    """Return the active requirements of a course by position, each with the learner's status.

    Without a status row `reason`, `status` and `status_date` are None. Two queries.
    """
    requirements = CreditRequirement.get_course_requirements(course_key, namespace, name)
    statuses = {row.requirement_id: row for row in CreditRequirementStatus.get_statuses(requirements, username)}
    return [_with_status(requirement, statuses.get(requirement.pk)) for requirement in requirements]


def get_credit_requirement_statuses(
    course_keys: Collection[CourseKeyOrText], username: str
) -> dict[str, list[RequirementStatusDict]]:
    """Return the same for many courses, by the text of their keys. Two queries for any number."""
    found: dict[str, list[RequirementStatusDict]] = {str(course_key): [] for course_key in course_keys}
    requirements = CreditRequirement.objects.active().of_courses(course_keys).order_by("sort_value", "pk")
    rows = list(requirements.select_related("course"))
    statuses = {row.requirement_id: row for row in CreditRequirementStatus.get_statuses(rows, username)}
    for requirement in rows:
        found[str(requirement.course.course_key)].append(_with_status(requirement, statuses.get(requirement.pk)))
    return found


def _with_status(requirement: CreditRequirement, row: CreditRequirementStatus | None) -> RequirementStatusDict:
    return {
        **_as_dict(requirement),
        "reason": row.reason if row else None,
        "status": row.status if row else None,
        "status_date": row.modified if row else None,
        "order": requirement.sort_value,
    }


def _as_dict(requirement: CreditRequirement) -> RequirementDict:
    return {
        "namespace": requirement.namespace,
        "name": requirement.name,
        "display_name": requirement.display_name,
        # The row is remembered for others in the same request.
        "criteria": deepcopy(requirement.criteria),
    }


def is_user_eligible_for_credit(username: str, course_key: CourseKey) -> bool:
    """Return whether the learner has an eligibility that is not expired, in a course that is enabled."""
    return CreditEligibility.is_user_eligible_for_credit(course_key, username)


def get_eligibilities_for_user(username: str, course_key: CourseKeyOrText | None = None) -> list[UserEligibilityDict]:
    """Return the learner's valid eligibilities, all or that in one course.

    Raises:
        InvalidKeyError: the text is no course key.
    """
    eligibilities = CreditEligibility.get_user_eligibilities(username)
    if course_key is not None:
        eligibilities = eligibilities.filter(course__course_key=CourseKey.from_string(str(course_key)))
    return [{"course_key": str(row.course.course_key), "deadline": row.deadline} for row in eligibilities]


def list_eligibilities(username: str, course_key: CourseKey) -> list[EligibilityDict]:
    """Return the learner's eligibility in a course if its deadline is still to come, the course enabled or not."""
    rows = CreditEligibility.objects.of_learner(username).unexpired_at(timezone.now())
    return [
        {"username": row.username, "course_key": str(row.course.course_key), "deadline": row.deadline}
        for row in rows.filter(course__course_key=course_key).select_related("course")
    ]


def set_credit_requirement_status(
    user: AbstractBaseUser,
    course_key: CourseKey,
    req_namespace: str,
    req_name: str,
    status: str = RequirementStatus.SATISFIED.value,
    reason: Any = None,
    *,
    source: str = AuditSource.API,
    actor: str = "",
) -> None:
    """Record where a learner stands with a requirement; with the last one satisfied, make them eligible.

    What the rules do not allow is refused silently, with a log line: learners who cannot earn credit in their mode,
    who have asked for credit already, or who fail what they were eligible with. What is satisfied stays satisfied.

    Args:
        user: the learner.
        course_key: the course.
        req_namespace: kind of the requirement.
        req_name: its name.
        status: one of `RequirementStatus`.
        reason: JSON that tells why; datetimes become ISO text.
        source: by which way the change came in, one of `AuditSource`.
        actor: id of the user or provider who caused it, as text.

    Raises:
        ValueError: any other status.
    """
    set_requirement_status(user.pk, course_key, req_namespace, req_name, status, reason, source=source, actor=actor)


def set_requirement_status(
    user_id: int,
    course_key: CourseKey,
    namespace: str,
    name: str,
    status: str = RequirementStatus.SATISFIED.value,
    reason: Any = None,
    *,
    source: str = AuditSource.API,
    actor: str = "",
) -> None:
    """Do what `set_credit_requirement_status` does, for callers that know the account's id only."""
    if status not in RequirementStatus.values:
        raise ValueError(f"{status!r} is no status of a requirement; use one of {', '.join(RequirementStatus.values)}.")
    if can_earn_credit(user_id, course_key):
        _set_status(user_id, course_key, namespace, name, status, reason, source, actor)


def can_earn_credit(user_id: int, course_key: CourseKey) -> bool:
    """Return whether the learner is enrolled in the course, in a mode that earns credit."""
    learners = ports.learners()
    enrollment = learners.enrollment(user_id, course_key)
    return enrollment is not None and enrollment.is_active and enrollment.mode in learners.credit_modes()


@retried_atomic
def _set_status(
    user_id: int,
    course_key: CourseKey,
    namespace: str,
    name: str,
    status: str,
    reason: Any,
    source: str,
    actor: str,
) -> None:
    # Locked, so that two last requirements at once see each other, and no credit is requested in between.
    learner = ports.learners().by_id(user_id, lock=True)
    if learner is None:
        log.warning("User %s has no account; %s of %s/%s is not recorded.", user_id, status, namespace, name)
        return
    if CreditRequest.objects.of_learner(learner.username).filter(course__course_key=course_key).exists():
        log.info(
            "User %s has requested credit in %s; %s of %s/%s is ignored.", user_id, course_key, status, namespace, name
        )
        return
    was_eligible = CreditEligibility.is_user_eligible_for_credit(course_key, learner.username)
    if was_eligible and status == RequirementStatus.FAILED:
        log.info("User %s is eligible in %s; failing %s/%s is ignored.", user_id, course_key, namespace, name)
        return
    requirement = CreditRequirement.get_course_requirement(course_key, namespace, name)
    if requirement is None:
        log.error("Course %s has no requirement %s/%s; user %s: %s.", course_key, namespace, name, user_id, status)
        return

    change = CreditRequirementStatus.record(
        learner.username, requirement, status=status, reason=reason, source=source, actor=actor
    )
    if change is not None:
        announcements.requirement_status_changed(learner, requirement, change)
    if status == RequirementStatus.SATISFIED and not was_eligible:
        earn_if_all_satisfied(learner, course_key)


def earn_if_all_satisfied(learner: Learner, course_key: CourseKey) -> CreditEligibility | None:
    """Make a locked learner eligible, and announce it, if all requirements are satisfied; return what is new."""
    # Not the request's memory of them: it may be older than the lock.
    requirements = CreditRequirement.objects.active().of_course(course_key)
    _is_eligible, eligibility = CreditEligibility.earn(requirements, learner.username, course_key)
    if eligibility is not None:
        announcements.eligibility_earned(learner, eligibility, course_key)
    return eligibility


@retried_atomic
def remove_credit_requirement_status(
    username: str,
    course_key: CourseKey,
    req_namespace: str,
    req_name: str,
    *,
    source: str = AuditSource.API,
    actor: str = "",
) -> None:
    """Forget where a learner stands with a requirement; eligibility stays. Nothing to forget is only logged."""
    learner = ports.learners().by_username(username, lock=True)
    requirement = CreditRequirement.get_course_requirement(course_key, req_namespace, req_name)
    if requirement is None:
        log.error("Course %s has no requirement %s/%s to remove a status of.", course_key, req_namespace, req_name)
        return
    removed = CreditRequirementStatus.remove(username, requirement, source=source, actor=actor)
    if removed is None:
        return
    if learner is None:
        log.warning("Requirement status %s had no account any more; its removal is not announced.", removed.pk)
        return
    change = StatusChange(old=removed.status, new="", modified=removed.modified)
    announcements.requirement_status_removed(learner, requirement, change)
