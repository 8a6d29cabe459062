"""Payloads of the `learning` events. Fields, order and defaults are the wire format: they never change."""

from datetime import datetime

import attrs
from opaque_keys.edx.keys import CourseKey, UsageKey

from events.types import Nullable


@attrs.frozen(slots=False, order=True)
class UserNonPersonalData:
    """A user, without anything that tells who it is.

    Attributes:
        id: primary key of the user.
        is_active: whether the user may log in.
    """

    id: int
    is_active: bool


@attrs.frozen(slots=False, order=True)
class UserPersonalData:
    """What tells who a user is.

    Attributes:
        username: the name for logging in.
        email: the address.
        name: the full name of the profile; "" if unknown.
    """

    username: str
    email: str
    name: str = attrs.field(factory=str)


@attrs.frozen(slots=False, order=True)
class UserData(UserNonPersonalData):
    """A user and who it is.

    Attributes:
        pii: personal data.
    """

    pii: UserPersonalData


@attrs.frozen(slots=False, order=True)
class CourseData:
    """A course run.

    Attributes:
        course_key: identity of the run.
        display_name: title; "" if unknown.
        start: when the run begins, aware; None if unknown.
        end: when the run ends, aware; None if unknown or open.
    """

    course_key: CourseKey
    display_name: str = attrs.field(factory=str)
    start: Nullable[datetime] = None
    end: Nullable[datetime] = None


@attrs.frozen(slots=False, order=True)
class CourseEnrollmentData:
    """A learner's enrollment in a course run, as it is after the change.

    Attributes:
        user: the learner.
        course: the run.
        mode: slug of the course mode, such as `audit` or `verified`.
        is_active: False once the learner has left.
        creation_date: when the enrollment was first made, aware.
        created_by: who enrolled the learner; None if that is not told.
    """

    user: UserData
    course: CourseData
    mode: str
    is_active: bool
    creation_date: datetime
    created_by: Nullable[UserData] = None


@attrs.frozen(slots=False, order=True)
class ExamAttemptData:
    """One attempt of a learner at an exam.

    Attributes:
        student_user: the learner.
        course_key: the run that the exam belongs to.
        usage_key: the exam's block in that run.
        exam_type: kind of exam, such as `timed` or `proctored`.
        requesting_user: who caused the change; None if nobody but the learner or a process.
    """

    student_user: UserData
    course_key: CourseKey
    usage_key: UsageKey
    exam_type: str
    requesting_user: Nullable[UserData] = None


@attrs.frozen(slots=False, order=True)
class PersistentCourseGradeData:
    """A learner's stored grade in a course run. Only grades of learners who have passed travel between services.

    Attributes:
        user_id: primary key of the learner.
        course: the run.
        course_edited_timestamp: when the content that was graded had last been edited, aware.
        course_version: version of that content.
        grading_policy_hash: fingerprint of the grading policy.
        percent_grade: the grade, 0 to 1.
        letter_grade: the grade's name, such as `Pass`; "" below the lowest.
        passed_timestamp: when the learner first passed, aware.
    """

    user_id: int
    course: CourseData
    course_edited_timestamp: datetime
    course_version: str
    grading_policy_hash: str
    percent_grade: float
    letter_grade: str
    passed_timestamp: datetime
