"""What staff may ask of the list of all enrollments (enrollment contract 10.8): its form."""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError
from django.http import QueryDict
from rest_framework import serializers

from enrollment import api
from enrollment.conf import conf
from enrollment.errors import InvalidCourseKeyError, InvalidCursor
from enrollment.keys import course_id_of

MAX_ITEMS = 100
MAX_PAGE_SIZE = 100
NEWER_NAMES = {"course_id": "course_key", "course_ids": "course_keys"}

# Serializers here take and return plain values, not model instances.
Form: TypeAlias = serializers.Serializer[Any]


def require_username(value: str) -> None:
    """Check that a text may be a username, as `ENROLLMENT_USERNAME_FILTER_PATTERN` says.

    Raises:
        ValidationError
    """
    if not re.fullmatch(conf.USERNAME_FILTER_PATTERN, value):
        raise ValidationError("[%(value)s] is not a valid username.", params={"value": value})


class CourseIdField(serializers.CharField):
    """Text of a course key."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return course_id_of(data)
        except InvalidCourseKeyError as exc:
            raise serializers.ValidationError(f"[{data}] is not a valid course key.") from exc


class CommaSeparatedField(serializers.Field[list[str], Any, Any, Any]):
    """Texts between commas, up to `MAX_ITEMS` of them."""

    def to_internal_value(self, data: Any) -> list[str]:
        items = str(data).split(",")
        if len(items) > MAX_ITEMS:
            raise serializers.ValidationError(f"At most {MAX_ITEMS} are taken at once, not {len(items)}.")
        self._check_each(items)
        return items

    def to_representation(self, value: list[str]) -> str:
        return ",".join(value)

    def _check_each(self, items: list[str]) -> None:
        pass


class UsernamesField(CommaSeparatedField):
    """Usernames between commas."""

    def _check_each(self, items: list[str]) -> None:
        for item in items:
            try:
                require_username(item)
            except ValidationError as exc:
                raise serializers.ValidationError(exc.messages) from exc


class CursorField(serializers.CharField):
    """Where a page begins, as another page names it."""

    def to_internal_value(self, data: Any) -> api.Cursor:  # type: ignore[override]  # more than text
        try:
            return api.Cursor.parse(data)
        except InvalidCursor as exc:
            raise serializers.ValidationError(str(exc)) from exc


class EnrollmentFilter(Form):
    """Which enrollments are listed."""

    course_id = CourseIdField(required=False)
    course_key = CourseIdField(required=False)
    course_ids = CommaSeparatedField(required=False)
    course_keys = CommaSeparatedField(required=False)
    username = UsernamesField(required=False)
    email = CommaSeparatedField(required=False)

    def wanted(self) -> dict[str, Any]:
        """Return the arguments of the api's functions for what was asked."""
        given: Mapping[str, Any] = self.validated_data
        return {
            "course_id": given.get("course_key", given.get("course_id")),
            "course_ids": given.get("course_keys", given.get("course_ids")),
            "usernames": given.get("username"),
            "emails": given.get("email"),
        }


class PagedEnrollmentFilter(EnrollmentFilter):
    """Which enrollments are listed, and which page of them."""

    cursor = CursorField(required=False)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE_SIZE)

    def wanted(self) -> dict[str, Any]:
        paging = {name: self.validated_data[name] for name in ("cursor", "page_size") if name in self.validated_data}
        return {**super().wanted(), **paging}


def asked_in(query: QueryDict) -> dict[str, str]:
    """Return the parameters that are given and not empty; of an old and a new name for the same thing the new one."""
    given = {name: str(value) for name, value in query.items() if value}
    for old, new in NEWER_NAMES.items():
        if new in given:
            given.pop(old, None)
    return given
