"""Shapes that functions of program enrollments take and return."""

from typing import NotRequired, TypeAlias, TypedDict
from uuid import UUID

from django.contrib.auth.models import User
from opaque_keys.edx.keys import CourseKey

Account = User
"""A user of the site. The name is for annotations: nothing asks for more than Django's abstract user has."""

UuidOrText: TypeAlias = UUID | str
CourseKeyOrText: TypeAlias = CourseKey | str


class ProgramEnrollmentRequest(TypedDict):
    """What a registrar wants for one student; `curriculum_uuid` matters when an enrollment is made."""

    external_user_key: str
    status: str
    curriculum_uuid: NotRequired[UuidOrText | None]
