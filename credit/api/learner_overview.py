"""All that learners' own pages show of their credit, in as many statements for many courses as for one."""

from collections import defaultdict
from collections.abc import Collection

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from credit import ports
from credit.api.eligibility import get_credit_requirement_statuses
from credit.api.provider import get_credit_requests_for_user
from credit.api.summaries import BOUGHT, SHOWN_MODES, get_providers_by_course, standing
from credit.conf import conf
from credit.models import CreditCourse, CreditEligibility
from credit.types import CreditRequestDict, LearnerCourse, ProviderDict


def get_learner_courses(user: AbstractBaseUser) -> list[LearnerCourse]:
    """Return the courses in which a learner has to do with credit, by the text of the course's key.

    These are the enabled credit courses in which they are enrolled in a mode that shows credit or are, or were,
    eligible; and every course in which they have asked for credit. Empty while `FEATURES["ENABLE_CREDIT_ELIGIBILITY"]`
    is off.
    """
    return _learner_courses(user, None)


def get_learner_course(user: AbstractBaseUser, course_key: CourseKey) -> LearnerCourse | None:
    """Return one of `get_learner_courses`, or None if the course is not among them."""
    return next(iter(_learner_courses(user, str(course_key))), None)


def get_providers_to_ask(user: AbstractBaseUser, course_key: CourseKey) -> list[ProviderDict] | None:
    """Return the active providers that a learner can ask for credit in a course, by id.

    Whoever has bought credit asks the provider from whom they bought. None if nobody knows from whom, or the provider
    is not in use any more.
    """
    offered = get_providers_by_course([course_key])[str(course_key)]
    learners = ports.learners()
    enrollment = learners.enrollment(user.pk, course_key)
    if enrollment is None or enrollment.mode != BOUGHT:
        return offered
    bought_from = learners.bought_from(user.pk).get(str(course_key))
    return [provider for provider in offered if provider["id"] == bought_from] or None


def _learner_courses(user: AbstractBaseUser, wanted: str | None) -> list[LearnerCourse]:
    """Return the courses, or the wanted one only."""
    if not conf.ENABLE_CREDIT_ELIGIBILITY:
        return []
    username = user.get_username()
    deadlines = {
        str(row.course.course_key): row.deadline
        for row in CreditEligibility.objects.of_learner(username).select_related("course")
    }
    requests: dict[str, list[CreditRequestDict]] = defaultdict(list)
    for request in get_credit_requests_for_user(username):
        requests[str(request["course_key"])].append(request)
    touched = {*_enrolled_in(user.pk), *deadlines, *requests}
    enabled = _enabled(touched if wanted is None else touched & {wanted})
    shown = sorted(key for key in touched if wanted in (None, key) and (key in enabled or key in requests))

    names = _names(shown)
    found = get_credit_requirement_statuses(shown, username)
    now = timezone.now()
    courses = []
    for key in shown:
        deadline = deadlines.get(key)
        eligible = key in enabled and deadline is not None and deadline > now
        courses.append(
            LearnerCourse(
                course_key=CourseKey.from_string(key),
                name=names[key],
                is_enabled=key in enabled,
                standing=standing(found[key], eligible=eligible),
                deadline=deadline,
                requirements=found[key],
                requests=requests.get(key, []),
            )
        )
    return courses


def _enrolled_in(user_id: int) -> list[str]:
    enrollments = ports.learners().enrollments(user_id)
    return [key for key, place in enrollments.items() if place.is_active and place.mode in SHOWN_MODES]


def _enabled(course_keys: Collection[str]) -> set[str]:
    """Return those in which credit can be earned; not from the cache, which is asked course by course."""
    rows = CreditCourse.objects.enabled().filter(course_key__in=course_keys)
    return {str(course_key) for course_key in rows.values_list("course_key", flat=True)}


def _names(course_keys: Collection[str]) -> dict[str, str]:
    facts = ports.courses().facts_by_course([CourseKey.from_string(key) for key in course_keys])
    return {key: (facts[key].display_name if key in facts else "") or key for key in course_keys}
