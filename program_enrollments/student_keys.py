"""The keys by which institutions know their students: opaque text that compares without regard to case."""

import hashlib
import hmac

from program_enrollments.conf import conf
from program_enrollments.exceptions import InvalidStudentKey

MAX_LENGTH = 255
RETIRED_PREFIX = "retired_external_key_"


def parse_student_key(text: object) -> str:
    """Return the key as it is stored: without the blanks around it.

    Raises:
        InvalidStudentKey: not text, empty, too long, or not storable.
    """
    if not isinstance(text, str):
        raise InvalidStudentKey
    key = text.strip()
    if not key or len(key) > MAX_LENGTH or len(key.casefold()) > MAX_LENGTH or not _is_storable(key):
        raise InvalidStudentKey
    return key


def folded(key: str) -> str:
    """Return the form in which two spellings of one key are equal."""
    return key.strip().casefold()


def retired_key(key: str) -> str:
    """Return the word that takes the place of a retired person's key: the same for all its spellings."""
    digest = hmac.new(conf.RETIRED_KEY_SALT.encode(), key.lower().encode(), hashlib.sha256)
    return RETIRED_PREFIX + digest.hexdigest()


def is_retired(key: str) -> bool:
    """Return whether this is such a word."""
    return key.startswith(RETIRED_PREFIX)


def _is_storable(text: str) -> bool:
    """Return whether every database takes the text: no NUL character, no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
