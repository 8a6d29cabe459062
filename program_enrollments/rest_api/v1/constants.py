"""Words of the first version of the REST API (program enrollments contract 6)."""

from typing import Final

PROGRAM_UUID_PATTERN: Final = r"(?P<program_uuid>[A-Fa-f0-9-]+)"

REQUEST_STUDENT_KEY: Final = "student_key"
"""The member of a request that names the student."""
