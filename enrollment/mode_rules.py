"""Which of a course's modes count, and which is taken when nobody names one (enrollment contract 4.3, 4.4)."""

from collections.abc import Collection
from datetime import datetime

from enrollment.choices import CREDIT_MODES, ModeSlug
from enrollment.conf import conf
from enrollment.types import Mode


def default_mode() -> Mode:
    """Return the mode that a course without modes offers."""
    defaults = conf.COURSE_MODE_DEFAULTS
    return Mode(**{name: defaults[name] for name in Mode._fields})


def default_mode_slug() -> str:
    """Return the slug of the mode that a course without modes offers."""
    slug: str = conf.COURSE_MODE_DEFAULTS["slug"]
    return slug


def is_unexpired(mode: Mode, moment: datetime) -> bool:
    """Return whether the mode can still be chosen, its last moment included."""
    return mode.expiration_datetime is None or mode.expiration_datetime >= moment


def offered(modes: list[Mode], moment: datetime, *, include_expired: bool, only_selectable: bool) -> list[Mode]:
    """Return what a course with these modes offers: the default mode, if nothing is left of them."""
    kept = [
        mode
        for mode in modes
        if (include_expired or is_unexpired(mode, moment)) and not (only_selectable and mode.slug in CREDIT_MODES)
    ]
    if kept or (modes and not conf.DEFAULT_MODE_WHEN_ALL_EXPIRED):
        return kept
    return [default_mode()]


def mode_if_none_named(available: Collection[str]) -> str:
    """Return the mode for a learner who names none. Never a paid one: then it is the default, offered or not.

    Args:
        available: slugs of the course's modes that are neither expired nor for credit.
    """
    for slug in (default_mode_slug(), ModeSlug.AUDIT.value, ModeSlug.HONOR.value):
        if slug in available:
            return slug
    return default_mode_slug()


def is_not_offered(mode: str, course_id: str, slugs: Collection[str]) -> str:
    """Return the text that says so, for people and for clients that match its middle; the slugs are what is offered."""
    return (
        f"The {mode} course mode is expired or otherwise unavailable for course run {course_id}. "
        f"Available modes: {', '.join(slugs)}."
    )
