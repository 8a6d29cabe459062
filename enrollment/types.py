"""Shapes that enrollment's functions take and return."""

from datetime import datetime
from typing import Any, NamedTuple, TypedDict

from attrs import frozen
from django.contrib.auth.models import User

Account = User
"""A user of the site. The name is for annotations: nothing asks for more than Django's abstract user has."""


class Mode(NamedTuple):
    """What a course offers to learners in one mode; prices are in whole units of the currency."""

    slug: str
    name: str
    min_price: int
    suggested_prices: str
    currency: str
    expiration_datetime: datetime | None
    description: str | None
    sku: str | None
    android_sku: str | None
    ios_sku: str | None
    bulk_sku: str | None


class ModeDict(TypedDict):
    """A mode as clients see it; `expiration_datetime` is ISO text in UTC or None."""

    slug: str
    name: str
    min_price: int
    suggested_prices: str
    currency: str
    expiration_datetime: str | None
    description: str | None
    sku: str | None
    bulk_sku: str | None


class CourseDetailsDict(TypedDict):
    """What enrolling in a course means; dates are aware datetimes or None."""

    course_id: str
    course_name: str
    enrollment_start: datetime | None
    enrollment_end: datetime | None
    course_start: datetime | None
    course_end: datetime | None
    invite_only: bool
    course_modes: list[ModeDict]
    pacing_type: str


class EnrollmentDict(TypedDict):
    """One enrollment; `created` is ISO text in UTC, `course_details` None when the course is gone."""

    created: str | None
    mode: str
    is_active: bool
    course_details: CourseDetailsDict | None
    user: str


class AttributeDict(TypedDict):
    """One attribute of an enrollment, such as credit / provider_id / hogwarts."""

    namespace: str
    name: str
    value: str


class ListedEnrollmentDict(TypedDict):
    """One row of the list of everybody's enrollments; `user` is the username."""

    created: datetime | None
    mode: str
    is_active: bool
    user: str
    course_id: str


class InvitationDict(TypedDict):
    """An invitation of an e-mail address to a course; `user` is the id of who has used it, or None."""

    email: str
    course_id: str
    auto_enroll: bool
    created: datetime | None
    user: int | None


@frozen
class Role:
    """A role that somebody holds: on one course, or without `course_id` on all courses of an organisation."""

    org: str
    course_id: str | None
    role: str


@frozen
class EnrollmentState:
    """A learner's enrollment in one course, as far as other apps need it."""

    mode: str
    is_active: bool
    created: datetime | None


@frozen
class CourseFacts:
    """A course, as far as other apps need it; the minimum grade for credit is a fraction from 0 to 1."""

    course_id: str
    display_name: str
    end: datetime | None
    minimum_grade_credit: float | None


@frozen
class ProfileFacts:
    """What a learner says about themselves; each is empty if unknown.

    `country` is an ISO 3166 two-letter code, `language` a BCP 47 code such as "es" or "pt-br".
    """

    name: str
    mailing_address: str
    country: str
    language: str


class BulkItem(TypedDict, total=False):
    """One item of a bulk call: a learner, by `username` or else by `email`, and what is wanted in one course.

    It comes from outside, so any of it may be missing or of another type; then the item is refused.
    """

    username: str | None
    email: str | None
    course_id: str
    mode: str | None
    is_active: bool | None
    enrollment_attributes: list[AttributeDict] | None


class StateDict(TypedDict):
    """An enrollment, as a bulk call tells it."""

    mode: str
    is_active: bool


class ItemErrorDict(TypedDict):
    """Why an item was refused: a stable word for programs, and a text for people."""

    error_code: str
    message: str


class BulkOutcome(TypedDict):
    """What became of one item; both states are None of a refused one, and while there is no enrollment."""

    before: StateDict | None
    after: StateDict | None
    invited: bool
    error: ItemErrorDict | None


class JobDict(TypedDict):
    """A job on a large file; moments are aware datetimes or None, `progress` is a fraction from 0 to 1.

    `failures` counts the rows that failed, by their code; `error` says why the job as a whole failed.
    """

    id: str
    kind: str
    status: str
    dry_run: bool
    parameters: dict[str, Any]
    input_format: str
    created_by: str | None
    created: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    position: int
    rows_total: int | None
    progress: float
    rows_succeeded: int
    rows_failed: int
    failures: dict[str, int]
    error: str
    files_purged: bool


@frozen
class JobFigures:
    """How jobs are doing: numbers of jobs, and the seconds since the oldest that is not over was started."""

    queued: int
    running: int
    oldest_unfinished_seconds: float
    finished_last_day: int
    cancelled_last_day: int
    failed_last_day: int
