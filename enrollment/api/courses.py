"""What enrolling in a course means: its dates and modes, cached, and which modes count."""

import hashlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from opaque_keys.edx.keys import CourseKey

from coursecredit.caching import CoherentCache
from coursecredit.transactions import retried_atomic
from enrollment import ports
from enrollment.choices import CREDIT_MODES, ModeSlug
from enrollment.conf import conf
from enrollment.errors import CourseModeNotFoundError
from enrollment.keys import course_id_of
from enrollment.mode_rules import is_not_offered, mode_if_none_named
from enrollment.models import CourseMode
from enrollment.types import CourseDetailsDict

CourseInfo = Callable[[bool], CourseDetailsDict]

log = logging.getLogger(__name__)
CACHE_PREFIX = "enrollment.course.details."
LONGEST_PLAIN_KEY = 150
"""Memcached takes 250 bytes, Django's and our own additions included."""


def get_course_enrollment_details(course_id: str | CourseKey, include_expired: bool = False) -> CourseDetailsDict:
    """Return a course with its modes, credit modes included.

    The answer may come from the cache, for `ENROLLMENT_COURSE_DETAILS_CACHE_TIMEOUT` seconds. A change of the course
    or of its modes ends that; a cache that fails is logged and read around.

    Args:
        include_expired: also modes whose deadline is past.

    Raises:
        InvalidCourseKeyError
        CourseNotFoundError: never cached.
    """
    course_id = course_id_of(course_id)

    def build() -> CourseDetailsDict:
        log.debug("Course details of %s are read from the data backend.", course_id)
        return _course_info(course_id, include_expired)

    timeout = conf.COURSE_DETAILS_CACHE_TIMEOUT.total_seconds()
    details: CourseDetailsDict | None = _cache_of(course_id, include_expired).get_or_build(build, timeout=timeout)
    return details or build()  # an empty answer is no answer


def forget_course_details(course_id: str, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Drop what is cached about a course, when the transaction that changes it commits."""
    for include_expired in (False, True):
        _cache_of(course_id, include_expired).invalidate(using=using)


def validate_course_mode(
    course_id: str | CourseKey, mode: str, is_active: bool | None = None, include_expired: bool = False
) -> None:
    """Return if the course offers the mode, as the data backend tells it just now.

    Args:
        is_active: what the enrollment is to be: one that is to end may be in an expired mode.
        include_expired: accept an expired mode in any case.

    Raises:
        InvalidCourseKeyError, CourseNotFoundError
        CourseModeNotFoundError: with the course's details as `.data`.
    """
    course_id = course_id_of(course_id)
    course_info = partial(_course_info, course_id)
    require_mode(course_info, course_id, mode, include_expired=include_expired or is_active is False)


def require_mode(course_info: CourseInfo, course_id: str, mode: str, *, include_expired: bool = False) -> None:
    """Return if the course offers the mode.

    Args:
        course_info: tells of the course, with expired modes if asked to.

    Raises:
        CourseNotFoundError
        CourseModeNotFoundError: with the course's details as `.data`.
    """
    info = course_info(include_expired)
    slugs = [offer["slug"] for offer in info["course_modes"]]
    if mode in slugs:
        return
    log.warning("Mode %r of course %s was asked for; available: %s.", mode, course_id, ", ".join(slugs))
    raise CourseModeNotFoundError(is_not_offered(mode, course_id, slugs), info)


def mode_to_enroll_in(
    course_info: CourseInfo, course_id: str, mode: str | None, *, include_expired: bool = False
) -> str:
    """Return the mode that is named, or the one for a learner who names none.

    Args:
        course_info: tells of the course, with expired modes if asked to.

    Raises:
        CourseNotFoundError
        CourseModeNotFoundError: the course does not offer it; nobody gets into a paid mode unasked.
    """
    if mode is None:
        slugs = {offer["slug"] for offer in course_info(False)["course_modes"]}
        mode = mode_if_none_named(slugs - CREDIT_MODES)
        if mode in slugs:
            return mode
    require_mode(course_info, course_id, mode, include_expired=include_expired)
    return mode


@retried_atomic
def set_default_upgrade_deadline(course_id: str | CourseKey) -> None:
    """Let the upgrade to `verified` close a while before the course ends, unless a person chose when.

    To be called when a course has been published. The while is `COURSE_MODE_EXPIRATION_WINDOW_DAYS`. Without an end,
    or without that mode, nothing happens.

    Raises:
        InvalidCourseKeyError
    """
    course_id = course_id_of(course_id)
    course = ports.courses().get(course_id)
    if course is None or course.end is None:
        return
    rows = CourseMode.objects.filter(
        course_id=course_id, mode_slug=ModeSlug.VERIFIED, expiration_datetime_is_explicit=False
    )
    for row in rows.order_by("pk").select_for_update():
        row.set_expiration(course.end - conf.COURSE_MODE_EXPIRATION_WINDOW)
        row.save()


def _course_info(course_id: str, include_expired: bool = False) -> CourseDetailsDict:
    options: dict[str, Any] = {"include_expired": True} if include_expired else {}
    return ports.data_api().get_course_enrollment_info(course_id, **options)


def _cache_of(course_id: str, include_expired: bool) -> CoherentCache:
    question = f"{course_id}.{bool(include_expired)}"
    if not question.isascii() or len(question) > LONGEST_PLAIN_KEY:
        question = hashlib.sha256(question.encode()).hexdigest()
    return CoherentCache(CACHE_PREFIX + question)
