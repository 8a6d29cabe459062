"""What this app does when something else happens."""

from typing import Any

from enrollment.signals import USER_RETIRED
from program_enrollments import api
from program_enrollments.types import Account


def connect() -> None:
    """Listen to accounts that are removed; a second call changes nothing."""
    USER_RETIRED.connect(forget_student_keys, dispatch_uid="program_enrollments.forget_student_keys")


def forget_student_keys(user: Account, **kwargs: Any) -> None:
    """Forget the keys by which institutions know a person whose account is being removed."""
    api.retire_student(user.pk)
