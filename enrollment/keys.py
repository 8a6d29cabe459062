"""Course keys: which texts are one, and what is in them."""

import re
from functools import lru_cache
from typing import Any

from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from enrollment.errors import InvalidCourseKeyError

MAX_LENGTH = 255
_CURRENT = re.compile(r"course-v1:[\w\-~.:]+\+[\w\-~.:]+\+[\w\-~.:]+")
_LEGACY = re.compile(r"[\w.%\-]+/[\w.%\-]+/[\w.%\-]+")


def parse_course_key(text: Any) -> CourseKey:
    """Return the course key that a text spells, with `.org`, `.course` and `.run`; `str()` gives the text back.

    A `CourseKey` may be given instead of its text. The database is never asked.

    Raises:
        InvalidCourseKeyError: anything but `course-v1:ORG+COURSE+RUN` or `ORG/COURSE/RUN` of at most 255 characters.
    """
    if isinstance(text, CourseKey):
        text = str(text)
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise InvalidCourseKeyError
    return _parse(text)


def course_id_of(course_key: Any) -> str:
    """Return the text of a course key that is given as such or as its text.

    Raises:
        InvalidCourseKeyError: it is not one.
    """
    return str(parse_course_key(course_key))


@lru_cache(maxsize=4096)
def _parse(text: str) -> CourseKey:
    if not (_CURRENT.fullmatch(text) or _LEGACY.fullmatch(text)):
        raise InvalidCourseKeyError
    try:
        key = CourseKey.from_string(text)
    except InvalidKeyError as exc:
        raise InvalidCourseKeyError from exc
    if str(key) != text:
        raise InvalidCourseKeyError
    return key
