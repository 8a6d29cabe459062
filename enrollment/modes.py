"""Modes in which courses can be taken (enrollment contract 4.2 to 4.4)."""

from collections.abc import Collection
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from coursecredit.request_cache import forget, request_cache
from enrollment.keys import course_id_of
from enrollment.mode_rules import default_mode, default_mode_slug, is_unexpired, mode_if_none_named, offered
from enrollment.models import CourseMode
from enrollment.types import Mode

__all__ = [
    "Mode",
    "all_and_unexpired_modes_for_courses",
    "default_mode",
    "default_mode_slug",
    "forget_modes",
    "mode_if_none_named",
    "modes_for_course",
]

MEMO = "enrollment.modes"

Key = TypeVar("Key", bound=str | CourseKey)


def modes_for_course(
    course_key: str | CourseKey, include_expired: bool = False, only_selectable: bool = True
) -> list[Mode]:
    """Return what a course offers, in the order in which it was set up: the default mode, if nothing is left.

    One request asks the database once, unless its transaction has changed a mode.

    Args:
        include_expired: also modes whose deadline is past.
        only_selectable: leave out credit modes.
    """
    question = (course_id_of(course_key), include_expired, only_selectable)
    memo = None if _modes_changed_here() else request_cache(MEMO)
    if memo is None:
        memo = {}
    if question not in memo:
        course_id = question[0]
        memo[question] = offered(
            CourseMode.objects.by_course([course_id])[course_id],
            timezone.now(),
            include_expired=include_expired,
            only_selectable=only_selectable,
        )
    return list(memo[question])


def all_and_unexpired_modes_for_courses(
    course_keys: Collection[Key],
) -> tuple[dict[Key, list[Mode]], dict[Key, list[Mode]]]:
    """Return all modes of many courses, and the unexpired ones, both by the keys given, in one statement.

    A course without any mode has the default mode in both.
    """
    now = timezone.now()
    rows = CourseMode.objects.by_course([course_id_of(key) for key in course_keys])
    every = {key: rows[course_id_of(key)] or [default_mode()] for key in course_keys}
    return every, {key: [mode for mode in modes if is_unexpired(mode, now)] for key, modes in every.items()}


def forget_modes(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Drop what this request remembers when the transaction that changes a mode commits."""
    transaction.on_commit(_drop_memo, using=using)


def _drop_memo() -> None:
    forget(MEMO)


def _modes_changed_here() -> bool:
    # A rollback takes the callback away, and what was remembered before is true again.
    return any(callback is _drop_memo for _, callback, *_ in transaction.get_connection().run_on_commit)
