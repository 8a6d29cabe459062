"""What this app tells others, as events (events contract 9). Called inside the transaction that made it true.

No names, addresses or grades leave here. A row whose learner has no account any more is not announced.
"""

import logging

from opaque_keys.edx.keys import CourseKey

from credit import ports
from credit.backends import get_credit_provider_ids_for_course
from credit.choices import RequestStatus
from credit.models import CreditEligibility, CreditRequest, CreditRequirement
from credit.types import Learner, StatusChange
from events.credit.data import (
    CreditEligibilityData,
    CreditRequestData,
    CreditRequirementData,
    CreditRequirementStatusData,
)
from events.credit.signals import (
    CREDIT_ELIGIBILITY_EARNED,
    CREDIT_REQUEST_APPROVED,
    CREDIT_REQUEST_CREATED,
    CREDIT_REQUEST_REISSUED,
    CREDIT_REQUEST_REJECTED,
    CREDIT_REQUIREMENT_STATUS_CHANGED,
    CREDIT_REQUIREMENT_STATUS_REMOVED,
)
from events.learning.data import CourseData, UserNonPersonalData

log = logging.getLogger(__name__)

DECIDED = {RequestStatus.APPROVED: CREDIT_REQUEST_APPROVED, RequestStatus.REJECTED: CREDIT_REQUEST_REJECTED}


def requirement_status_changed(learner: Learner, requirement: CreditRequirement, change: StatusChange) -> None:
    """Tell that a learner's status for a requirement is new or another; `modified` is the row's."""
    CREDIT_REQUIREMENT_STATUS_CHANGED.send_event(
        time=change.modified, requirement_status=_requirement_status(learner, requirement, change)
    )


def requirement_status_removed(learner: Learner, requirement: CreditRequirement, change: StatusChange) -> None:
    """Tell that a learner's status for a requirement was deleted."""
    CREDIT_REQUIREMENT_STATUS_REMOVED.send_event(
        time=change.modified, requirement_status=_requirement_status(learner, requirement, change)
    )


def eligibility_earned(learner: Learner, eligibility: CreditEligibility, course_key: CourseKey) -> None:
    """Tell that a learner has met every requirement of a course, and who grants credit for it at this moment."""
    CREDIT_ELIGIBILITY_EARNED.send_event(
        time=eligibility.created,
        eligibility=CreditEligibilityData(
            user=_user(learner),
            course=CourseData(course_key=course_key),
            earned_date=eligibility.created,
            deadline=eligibility.deadline,
            provider_ids=sorted(get_credit_provider_ids_for_course(str(course_key)) or []),
        ),
    )


def request_issued(learner: Learner, request: CreditRequest, *, created: bool) -> None:
    """Tell that a credit request was issued for the first time, or again."""
    signal = CREDIT_REQUEST_CREATED if created else CREDIT_REQUEST_REISSUED
    previous_status = "" if created else request.status
    signal.send_event(time=request.modified, credit_request=_request(learner, request, previous_status))


def request_decided(request: CreditRequest, *, previous_status: str) -> None:
    """Tell that a credit request was approved or rejected."""
    learner = ports.learners().by_username(request.username)
    if learner is None:
        log.warning("Credit request %s has no account any more; its decision is not announced.", request.pk)
        return
    signal = DECIDED[RequestStatus(request.status)]
    signal.send_event(time=request.modified, credit_request=_request(learner, request, previous_status))


def _requirement_status(
    learner: Learner, requirement: CreditRequirement, change: StatusChange
) -> CreditRequirementStatusData:
    return CreditRequirementStatusData(
        user=_user(learner),
        course=CourseData(course_key=requirement.course.course_key),
        requirement=CreditRequirementData(
            namespace=requirement.namespace, name=requirement.name, display_name=requirement.display_name
        ),
        status=change.new,
        previous_status=change.old,
        modified=change.modified,
    )


def _request(learner: Learner, request: CreditRequest, previous_status: str) -> CreditRequestData:
    return CreditRequestData(
        uuid=request.uuid,
        user=_user(learner),
        course=CourseData(course_key=request.course.course_key),
        provider_id=request.provider.provider_id,
        status=request.status,
        previous_status=previous_status,
        created=request.created,
        modified=request.modified,
    )


def _user(learner: Learner) -> UserNonPersonalData:
    return UserNonPersonalData(id=learner.id, is_active=learner.is_active)
