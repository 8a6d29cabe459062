"""Shapes that enrollment's functions take and return."""

from datetime import datetime
from typing import NamedTuple, TypedDict

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
