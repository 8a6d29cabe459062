"""Payloads of the program events. They carry no personal data, and once released never change.

Each shows the state after the change; `previous_status` is "" where there was no row before.
"""

from datetime import datetime
from uuid import UUID

import attrs

from events.learning.data import CourseData, UserNonPersonalData
from events.types import Nullable


@attrs.frozen(slots=False, order=True)
class ProgramEnrollmentData:
    """A learner in a program, who may not have an account yet.

    Attributes:
        id: primary key of the enrollment.
        program_uuid: the program.
        curriculum_uuid: the curriculum that is followed.
        status: `enrolled`, `pending`, `suspended`, `canceled` or `ended`.
        previous_status: the status before, one of the same words; "" if there was no enrollment.
        created: when the enrollment was first made, aware.
        modified: when it last changed, aware.
        user: the account; None while the enrollment has none.
        external_user_key: the learner's key at the organization; None unless the site chose to tell it.
    """

    id: int
    program_uuid: UUID
    curriculum_uuid: UUID
    status: str
    previous_status: str
    created: datetime
    modified: datetime
    user: Nullable[UserNonPersonalData] = None
    external_user_key: Nullable[str] = None


@attrs.frozen(slots=False, order=True)
class ProgramCourseEnrollmentData:
    """A learner in a course run as part of a program.

    Attributes:
        id: primary key of the enrollment in the run.
        program_enrollment: the enrollment in the program.
        course: the run.
        status: `active` or `inactive`.
        previous_status: the status before, one of the same words; "" if there was no enrollment.
        created: when the enrollment was first made, aware.
        modified: when it last changed, aware.
        mode: slug of the course mode; "" while there is no account that could have one.
    """

    id: int
    program_enrollment: ProgramEnrollmentData
    course: CourseData
    status: str
    previous_status: str
    created: datetime
    modified: datetime
    mode: str = attrs.field(factory=str)
