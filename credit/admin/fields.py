"""Form fields that check what a model's column would choke on."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from credit.serializers import MAX_KEY_LENGTH, parse_course_key


def course_key_from(text: str) -> CourseKey:
    """Return the key of a course.

    Raises:
        ValidationError: it is none, or too long, or that of a library.
    """
    key = parse_course_key(text)
    if key is None or not key.is_course or len(text) > MAX_KEY_LENGTH:
        raise ValidationError(_("This is not the key of a course, such as course-v1:HogwartsX+Potions101+1T2026."))
    return key


def check_content_id(text: str) -> None:
    """Refuse what is not the location of a block; an exam under it would never be found.

    Raises:
        ValidationError: it is none.
    """
    try:
        UsageKey.from_string(text)
    except InvalidKeyError:
        raise ValidationError(
            _("This is not a usage key, such as block-v1:HogwartsX+Potions101+1T2026+type@sequential+block@final.")
        ) from None


class CourseKeyField(forms.CharField):
    """The key of a course, as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MAX_KEY_LENGTH, **kwargs})
        self.widget.attrs["class"] = "vTextField"

    def to_python(self, value: Any) -> Any:
        text = super().to_python(None if value is None else str(value))
        return course_key_from(text) if text else text

    def run_validators(self, value: Any) -> None:
        super().run_validators(str(value) if value else value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(initial or "") != str(data or "").strip()


class ContentIdField(forms.CharField):
    """The location of an exam's block."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MAX_KEY_LENGTH, "validators": [check_content_id], **kwargs})
        self.widget.attrs["class"] = "vTextField"
