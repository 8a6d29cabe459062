"""Attributes of enrollments, such as the order that paid for one."""

from collections.abc import Mapping
from typing import Any

from opaque_keys.edx.keys import CourseKey

from enrollment.errors import InvalidEnrollmentAttribute
from enrollment.keys import course_id_of
from enrollment.ports import data_api
from enrollment.types import AttributeDict

PARTS = ("namespace", "name", "value")
MAX_LENGTH = 255


def set_enrollment_attributes(username: str, course_id: str | CourseKey, attributes: list[AttributeDict]) -> None:
    """Replace all attributes of an enrollment; without an enrollment do nothing.

    Args:
        attributes: triples of namespace, name and value. Of two values of one name the last counts; [] clears.

    Raises:
        InvalidCourseKeyError, InvalidEnrollmentAttribute, UserNotFoundError
    """
    course_id = course_id_of(course_id)
    require_attributes(attributes)
    data_api().add_or_update_enrollment_attr(username, course_id, attributes)


def get_enrollment_attributes(username: str, course_id: str | CourseKey) -> list[AttributeDict]:
    """Return the attributes of an enrollment in the order in which they were given; [] without an enrollment.

    Raises:
        InvalidCourseKeyError, UserNotFoundError
    """
    return data_api().get_enrollment_attributes(username, course_id_of(course_id))


def require_attributes(attributes: Any) -> None:
    """Check the form of attributes.

    Raises:
        InvalidEnrollmentAttribute: naming the first that is not a triple of texts of at most 255 characters.
    """
    if not isinstance(attributes, list):
        raise InvalidEnrollmentAttribute("Enrollment attributes must be a list.")
    for attribute in attributes:
        _require_triple(attribute)


def _require_triple(attribute: Any) -> None:
    if not isinstance(attribute, Mapping):
        raise InvalidEnrollmentAttribute("An enrollment attribute must have namespace, name and value.")
    for part in PARTS:
        if part not in attribute:
            raise InvalidEnrollmentAttribute(f"An enrollment attribute lacks its {part}.")
        if not is_storable(attribute[part]):
            raise InvalidEnrollmentAttribute(
                f"The {part} of an enrollment attribute must be text of at most {MAX_LENGTH} characters."
            )


def is_storable(value: Any) -> bool:
    """Return whether every database takes the value as text: no NUL character, no lone surrogate, and not too long."""
    if not isinstance(value, str) or len(value) > MAX_LENGTH or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
