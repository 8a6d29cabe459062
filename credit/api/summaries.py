"""What learners see of their credit, in as many statements for many courses as for one (credit contract 15)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from credit import ports
from credit.api.eligibility import get_credit_requirement_statuses, get_eligibilities_for_user, is_credit_course
from credit.api.provider import get_credit_providers, get_credit_requests_for_user
from credit.backends import get_credit_provider_ids_for_courses
from credit.choices import RequirementStatus
from credit.conf import conf
from credit.email_utils import make_providers_strings
from credit.models import CreditCourse
from credit.types import (
    CourseKeyOrText,
    CreditDashboardDict,
    CreditProgressDict,
    ProviderDict,
    RequirementStatusDict,
    UserEligibilityDict,
)

BOUGHT = "credit"
SHOWN_MODES = frozenset({"verified", BOUGHT})
LOST = frozenset({RequirementStatus.FAILED, RequirementStatus.DECLINED})
URGENT = timedelta(days=30)


def get_credit_dashboard(user: AbstractBaseUser | AnonymousUser) -> dict[str, CreditDashboardDict]:
    """Return every valid eligibility of a learner, by the text of the course's key, in the order of the keys.

    Empty while `FEATURES["ENABLE_CREDIT_ELIGIBILITY"]` is off, and for somebody who is not logged in.
    """
    if not conf.ENABLE_CREDIT_ELIGIBILITY or user.pk is None:
        return {}
    eligibilities = get_eligibilities_for_user(user.get_username())
    if not eligibilities:
        return {}
    learners = ports.learners()
    enrollments, bought_from = learners.enrollments(user.pk), learners.bought_from(user.pk)
    requests = get_credit_requests_for_user(user.get_username())
    status_of_latest = {str(request["course_key"]): request["status"] for request in requests}
    offers = get_providers_by_course([CourseKey.from_string(row["course_key"]) for row in eligibilities])
    providers = {provider["id"]: provider for provider in get_credit_providers()}

    dashboard = {}
    for eligibility in eligibilities:
        key = eligibility["course_key"]
        entry = _offered(eligibility, offers[key], status_of_latest.get(key))
        if key in enrollments and enrollments[key].mode == BOUGHT:
            entry = _bought(entry, providers.get(bought_from.get(key, "")))
        dashboard[key] = entry
    return dashboard


def _offered(eligibility: UserEligibilityDict, offer: list[ProviderDict], status: str | None) -> CreditDashboardDict:
    return {
        "course_key": eligibility["course_key"],
        "eligible": True,
        "deadline": eligibility["deadline"],
        "purchased": False,
        "provider_name": make_providers_strings([provider["display_name"] for provider in offer]),
        "provider_status_url": None,
        "provider_id": None,
        "request_status": status,
        "error": False,
    }


def _bought(entry: CreditDashboardDict, provider: ProviderDict | None) -> CreditDashboardDict:
    if provider is None:
        return {**entry, "purchased": True, "error": True}
    return {
        **entry,
        "purchased": True,
        "provider_name": provider["display_name"],
        "provider_status_url": provider["status_url"],
        "provider_id": provider["id"],
    }


def get_credit_progress(
    user: AbstractBaseUser | AnonymousUser, course_key: CourseKeyOrText
) -> CreditProgressDict | None:
    """Return how far a learner is on the way to credit in a course, with its active requirements by position.

    None while `FEATURES["ENABLE_CREDIT_ELIGIBILITY"]` is off, in a course without credit, and for learners whose mode
    is neither `verified` nor `credit`.
    """
    if not conf.ENABLE_CREDIT_ELIGIBILITY or user.pk is None or not is_credit_course(course_key):
        return None
    enrollment = ports.learners().enrollment(user.pk, CourseKey.from_string(str(course_key)))
    if enrollment is None or enrollment.mode not in SHOWN_MODES:
        return None
    return _progress(user.get_username(), [str(course_key)])[str(course_key)]


def get_credit_progress_by_course(user: AbstractBaseUser | AnonymousUser) -> dict[str, CreditProgressDict]:
    """Return the same for every course where `get_credit_progress` tells something, by the text of its key."""
    if not conf.ENABLE_CREDIT_ELIGIBILITY or user.pk is None:
        return {}
    enrollments = ports.learners().enrollments(user.pk).items()
    keys = [key for key, enrollment in enrollments if enrollment.mode in SHOWN_MODES]
    courses = CreditCourse.objects.enabled().filter(course_key__in=keys) if keys else ()
    shown = sorted(str(course.course_key) for course in courses)
    return _progress(user.get_username(), shown) if shown else {}


def _progress(username: str, course_keys: Collection[str]) -> dict[str, CreditProgressDict]:
    eligible = {row["course_key"] for row in get_eligibilities_for_user(username)}
    found = get_credit_requirement_statuses(course_keys, username)
    return {
        key: {"eligibility_status": standing(requirements, eligible=key in eligible), "requirements": requirements}
        for key, requirements in found.items()
    }


def standing(
    requirements: list[RequirementStatusDict], *, eligible: bool
) -> Literal["eligible", "not_eligible", "partial_eligible"]:
    """Return in one word where a learner stands who has met the requirements so far."""
    # Whoever is eligible stays so, whatever the single statuses say.
    if eligible:
        return "eligible"
    lost = any(requirement["status"] in LOST for requirement in requirements)
    return "not_eligible" if lost else "partial_eligible"


def get_providers_by_course(course_keys: Collection[CourseKey]) -> dict[str, list[ProviderDict]]:
    """Return the active providers that give credit for each course, by the text of its key; [] if not known.

    One statement for any number of courses, unless the host's own commerce answers.
    """
    providers = get_credit_providers()
    ids = get_credit_provider_ids_for_courses(course_keys)
    return {
        key: [provider for provider in providers if provider["id"] in (ids_of_course or ())]
        for key, ids_of_course in ids.items()
    }


def is_deadline_urgent(deadline: datetime) -> bool:
    """Return whether less than 30 days are left until the deadline of an eligibility."""
    return deadline - timezone.now() < URGENT
