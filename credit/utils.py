"""Blocks of courses, as far as they matter for credit."""

from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from credit import ports
from credit.types import CourseBlock


def get_course_blocks(course_key: CourseKey, category: str) -> list[CourseBlock]:
    """Return the published blocks of a course that are exams, of one category such as `sequential`, by key."""
    keys = []
    for exam in ports.exams().exams(course_key):
        try:
            keys.append(UsageKey.from_string(exam.content_id))
        except InvalidKeyError:
            continue  # registered, but no block
    wanted = [key for key in keys if key.block_type == category]
    found = ports.exams().blocks(wanted) if wanted else {}
    return [
        CourseBlock(location=key, start=found[str(key)].start) for key in sorted(wanted, key=str) if str(key) in found
    ]
