"""Shapes that the api takes and returns, and what the host tells through the ports."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NotRequired, Protocol, TypeAlias, TypedDict

import attrs
from opaque_keys.edx.keys import CourseKey, UsageKey

CourseKeyOrText: TypeAlias = CourseKey | str
Parameters: TypeAlias = dict[str, Any]
RequirementInput: TypeAlias = Mapping[str, Any]


class ProviderDict(TypedDict):
    """A provider as learners and clients see it."""

    id: str
    display_name: str
    url: str
    status_url: str
    description: str
    enable_integration: bool
    fulfillment_instructions: str | None
    thumbnail_url: str


@attrs.frozen
class SigningKey:
    """Which of a provider's keys has signed a message, and of how many; never the key."""

    position: int
    """Counted from 1, in the order of the setting."""
    count: int


@attrs.frozen
class ToldEligibility:
    """An eligibility about which its learner was told, or is to be told."""

    id: int
    username: str
    course_key: CourseKey


@attrs.frozen
class CreditRequestRecord:
    """A credit request as providers and registrars compare their books by it."""

    uuid: str
    username: str
    course_key: CourseKey
    provider_id: str
    status: str
    created: datetime
    modified: datetime
    last_callback_timestamp: int | None
    """When the provider made the newest callback that was accepted, in seconds since 1970."""


class CreditCourseDict(TypedDict):
    """A course row; `course_key` is its text."""

    course_key: str
    enabled: bool


class RequirementDict(TypedDict):
    """An active requirement of a course."""

    namespace: str
    name: str
    display_name: str
    criteria: Any


class RequirementStatusDict(RequirementDict):
    """An active requirement with a learner's status; the three are None where there is no row."""

    reason: Any
    status: str | None
    status_date: datetime | None
    order: int


class UserEligibilityDict(TypedDict):
    """A learner's valid eligibility; `course_key` is its text."""

    course_key: str
    deadline: datetime


class EligibilityDict(TypedDict):
    """An eligibility as REST shows it; `course_key` is its text."""

    username: str
    course_key: str
    deadline: datetime


class CreditDashboardDict(TypedDict):
    """What a learner who is eligible in a course sees of its credit; `course_key` is its text.

    Before the purchase `provider_name` lists the course's providers, None if they are not known; afterwards it names
    the provider from whom the learner bought. `error` tells that this provider is not known, or not in use any more.
    """

    course_key: str
    eligible: bool
    deadline: datetime
    purchased: bool
    provider_name: str | None
    provider_status_url: str | None
    provider_id: str | None
    request_status: str | None
    error: bool


class CreditProgressDict(TypedDict):
    """How far a learner is on the way to credit in a course."""

    eligibility_status: Literal["eligible", "not_eligible", "partial_eligible"]
    requirements: list[RequirementStatusDict]


class CreditStateDict(TypedDict):
    """Where a learner stands in a course, as exam systems ask for it; the last two on demand, the name if known."""

    enrollment_mode: str
    profile_fullname: str
    student_email: str
    is_credit_course: bool
    credit_requirement_status: list[RequirementStatusDict]
    course_name: NotRequired[str]
    course_end_date: NotRequired[datetime | None]


class RequestProviderDict(TypedDict):
    """The provider that was asked."""

    id: str
    display_name: str


class CreditRequestDict(TypedDict):
    """A credit request.

    `timestamp` is in seconds in a list of requests, and the row's `modified` in the status of one course.
    """

    uuid: str
    timestamp: int | datetime | None
    course_key: CourseKey
    provider: RequestProviderDict
    status: str


@attrs.frozen
class LearnerCourse:
    """A course in which a learner has to do with credit, as far as their own pages show it.

    `deadline` is that of their eligibility, whether it is still to come or not; `standing` says whether that counts.
    """

    course_key: CourseKey
    name: str
    is_enabled: bool
    standing: Literal["eligible", "not_eligible", "partial_eligible"]
    deadline: datetime | None
    requirements: list[RequirementStatusDict]
    requests: list[CreditRequestDict]


class CreditRequestForm(TypedDict):
    """What the learner's browser submits to the provider, and how."""

    url: str
    method: Literal["GET", "POST"]
    parameters: Parameters


@attrs.frozen
class Learner:
    """An account; `full_name` is first and last name, empty if neither is known."""

    id: int
    username: str
    email: str
    full_name: str
    is_staff: bool
    is_active: bool


@attrs.frozen
class Profile:
    """What a learner says of themselves.

    `country` is an ISO 3166 alpha-2 code, `language` a code such as "es" or "pt-br"; each is empty if unknown.
    """

    name: str
    country: str
    language: str = ""


@attrs.frozen
class Exam:
    """An exam of a course; `content_id` is the text of a usage key."""

    content_id: str
    exam_name: str
    is_proctored: bool
    is_active: bool
    is_practice_exam: bool


@attrs.frozen
class Block:
    """A published block of a course; `start` is None if it has no date."""

    start: datetime | None


@attrs.frozen
class CourseBlock:
    """A published block and where it is; `start` is None if it has no date."""

    location: UsageKey
    start: datetime | None


@attrs.frozen
class ProviderFigures:
    """How many asked a provider, and how many it approved, by month; the provider's id is empty for all others."""

    provider_id: str
    requested: list[int]
    approved: list[int]


@attrs.frozen
class CreditFigures:
    """Figures for staff, as of `counted`.

    `months` are first moments of months in UTC; lists of numbers go with them. `refused` are callbacks of the last 30
    days by reason, most frequent first.
    """

    counted: datetime
    months: list[datetime]
    eligible: list[int]
    providers: list[ProviderFigures]
    waiting_long: int
    mails_owed: int
    refused: list[tuple[str, int]]


@attrs.frozen
class StatusChange:
    """A learner's status for one requirement really changed; an empty text means no row."""

    old: str
    new: str
    modified: datetime


class Retirement(Protocol):
    """A learner who leaves, and the name that stays in their place."""

    @property
    def original_username(self) -> str: ...

    @property
    def retired_username(self) -> str: ...


@attrs.frozen
class RetiredLearner:
    """A retirement that has just been told."""

    original_username: str
    retired_username: str
