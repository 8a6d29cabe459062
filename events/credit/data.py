"""Payloads of the credit events. They carry no personal data, and once released never change.

Each shows the state after the change; `previous_status` is "" where there was no row before.
"""

from datetime import datetime

import attrs

from events.learning.data import CourseData, UserNonPersonalData


@attrs.frozen(slots=False, order=True)
class CreditRequirementData:
    """Something a learner has to do for credit in a course.

    Attributes:
        namespace: kind of requirement, such as `grade` or `proctored_exam`.
        name: identity of the requirement within its kind and course.
        display_name: text for people; "" if there is none.
    """

    namespace: str
    name: str
    display_name: str = attrs.field(factory=str)


@attrs.frozen(slots=False, order=True)
class CreditRequirementStatusData:
    """How a learner stands with one requirement.

    Attributes:
        user: the learner.
        course: the course run.
        requirement: what has to be done.
        status: `submitted`, `satisfied`, `failed` or `declined`; "" once removed.
        previous_status: the status before, one of the same words; "" if there was none.
        modified: when the status was set, aware.
    """

    user: UserNonPersonalData
    course: CourseData
    requirement: CreditRequirementData
    status: str
    previous_status: str
    modified: datetime


@attrs.frozen(slots=False, order=True)
class CreditEligibilityData:
    """A learner may ask for credit in a course.

    Attributes:
        user: the learner.
        course: the course run.
        earned_date: when the last requirement was met, aware.
        deadline: until when credit can be asked for, aware.
        provider_ids: who grants credit for the course at that moment, sorted.
    """

    user: UserNonPersonalData
    course: CourseData
    earned_date: datetime
    deadline: datetime
    provider_ids: list[str] = attrs.field(factory=list)


@attrs.frozen(slots=False, order=True)
class CreditRequestData:
    """A learner's request for credit to one provider.

    Attributes:
        uuid: identity of the request, 32 hex digits.
        user: the learner.
        course: the course run.
        provider_id: identity of the provider.
        status: `pending`, `approved` or `rejected`.
        previous_status: the status before, one of the same words; "" if there was no request.
        created: when the request was first issued, aware.
        modified: when it last changed, aware.
    """

    uuid: str
    user: UserNonPersonalData
    course: CourseData
    provider_id: str
    status: str
    previous_status: str
    created: datetime
    modified: datetime
