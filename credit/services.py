"""What exam systems may ask and tell about credit (credit contract 10)."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from coursecredit.backends import load_dotted
from credit import api, ports
from credit.choices import RequirementStatus
from credit.conf import conf
from credit.types import CourseKeyOrText, CreditStateDict

log = logging.getLogger(__name__)

NAME = "credit"
LONG_AGO = timedelta(hours=1)


def register() -> None:
    """Make the service known to the exam system by its name, if exams are on and there is an exam system.

    Raises:
        ImproperlyConfigured: `CREDIT_RUNTIME_SERVICES` names nothing that can be imported.
    """
    if not conf.ENABLE_SPECIAL_EXAMS or conf.CREDIT_RUNTIME_SERVICES is None:
        return
    set_service: Callable[[str, object], object] = load_dotted(
        conf.CREDIT_RUNTIME_SERVICES, setting="CREDIT_RUNTIME_SERVICES"
    )
    set_service(NAME, CreditService())


class CreditService:
    """A learner's credit, by the id of the account; what cannot be done is quietly left, with a log line.

    An exam system tells: verified is `satisfied`, handed in is `submitted`, declined is `declined`, rejected or broken
    off is `failed`; a deleted attempt is removed. The namespace is `proctored_exam`, the name the exam's content id.
    """

    def is_credit_course(self, course_key_or_id: CourseKeyOrText) -> bool:
        """Return whether credit can be earned in the course."""
        return api.is_credit_course(course_key_or_id)

    def get_credit_state(
        self, user_id: int, course_key_or_id: CourseKeyOrText, return_course_info: bool = False
    ) -> CreditStateDict | None:
        """Return where a learner stands in a course, whether it earns credit or not.

        None for an unknown account, one without a profile, and learners who are not enrolled, or not any more.

        Args:
            user_id: the account.
            course_key_or_id: the course.
            return_course_info: also tell name and end of the course; of one that is gone just an end, an hour ago.
        """
        course_key = _key(course_key_or_id)
        learners = ports.learners()
        learner = learners.by_id(user_id) if course_key else None
        if course_key is None or learner is None:
            return None
        enrollment = learners.enrollment(learner.id, course_key)
        if enrollment is None or not enrollment.is_active:
            return None
        profile = learners.profile(learner.id)
        if profile is None:
            return None

        state: CreditStateDict = {
            "enrollment_mode": enrollment.mode,
            "profile_fullname": profile.name,
            "student_email": learner.email,
            "is_credit_course": api.is_credit_course(course_key),
            "credit_requirement_status": api.get_credit_requirement_status(course_key, learner.username),
        }
        if return_course_info:
            _add_course_info(state, course_key)
        return state

    def set_credit_requirement_status(
        self,
        user_id: int,
        course_key_or_id: CourseKeyOrText,
        req_namespace: str,
        req_name: str,
        status: str = RequirementStatus.SATISFIED.value,
        reason: Any = None,
    ) -> None:
        """Record where a learner stands with a requirement, by the rules of the function of the same name."""
        course_key = _key(course_key_or_id)
        if course_key is None or not api.is_credit_course(course_key):
            return
        log.info("User %s: %s of %s/%s in %s.", user_id, status, req_namespace, req_name, course_key)
        if ports.learners().by_id(user_id) is None:
            log.error("User %s has no account; %s/%s is not recorded.", user_id, req_namespace, req_name)
            return
        if status not in RequirementStatus.values:
            log.error("%r is no status of a requirement; user %s keeps what there is.", status, user_id)
            return
        api.set_requirement_status(user_id, course_key, req_namespace, req_name, status, reason)

    def remove_credit_requirement_status(
        self, user_id: int, course_key_or_id: CourseKeyOrText, req_namespace: str, req_name: str
    ) -> None:
        """Forget where a learner stands with a requirement; eligibility stays."""
        course_key = _key(course_key_or_id)
        if course_key is None or not api.is_credit_course(course_key):
            return
        log.info("User %s: no status of %s/%s in %s any more.", user_id, req_namespace, req_name, course_key)
        learner = ports.learners().by_id(user_id)
        if learner is None:
            log.error("User %s has no account; no status is removed.", user_id)
            return
        api.remove_credit_requirement_status(learner.username, course_key, req_namespace, req_name)


def _add_course_info(state: CreditStateDict, course_key: CourseKey) -> None:
    facts = ports.courses().facts(course_key)
    if facts is None:
        log.error("Course %s is gone; its exams count as over.", course_key)
        state["course_end_date"] = timezone.now() - LONG_AGO
        return
    state["course_name"] = facts.display_name
    state["course_end_date"] = facts.end


def _key(course_key_or_id: CourseKeyOrText) -> CourseKey | None:
    try:
        return CourseKey.from_string(str(course_key_or_id))
    except InvalidKeyError:
        log.error("%r is no course key.", str(course_key_or_id))
        return None
