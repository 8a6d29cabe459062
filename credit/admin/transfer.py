"""CSV files of courses, providers and exams: their columns."""

from typing import Any

from import_export import fields, widgets

from coursecredit.admin.transfer import Moment, Rows, RowsMeta, TextOrNothing, YesOrNo, told_as_value_error
from credit.admin.fields import check_content_id, course_key_from
from credit.models import CourseExam, CreditCourse, CreditProvider


class CourseKeyText(widgets.Widget):  # type: ignore[misc]  # its library is not typed
    """The text of a course key, in its case."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        with told_as_value_error():
            return course_key_from(str(value or "").strip())

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(value)


class ContentId(widgets.CharWidget):  # type: ignore[misc]  # as above
    """The text of a usage key, in its case."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = str(value or "").strip()
        with told_as_value_error():
            check_content_id(text)
        return text


class CreditCourseResource(Rows):
    course_key = fields.Field("course_key", "course_key", CourseKeyText())
    enabled = fields.Field("enabled", "enabled", YesOrNo())

    class Meta(RowsMeta):
        model = CreditCourse
        import_id_fields = ("course_key",)
        fields = ("course_key", "enabled")


class CreditProviderResource(Rows):
    active = fields.Field("active", "active", YesOrNo())
    enable_integration = fields.Field("enable_integration", "enable_integration", YesOrNo())
    fulfillment_instructions = fields.Field("fulfillment_instructions", "fulfillment_instructions", TextOrNothing())

    class Meta(RowsMeta):
        model = CreditProvider
        import_id_fields = ("provider_id",)
        exclude = ("id", "created", "modified")


class CourseExamResource(Rows):
    course_key = fields.Field("course_key", "course_key", CourseKeyText())
    content_id = fields.Field("content_id", "content_id", ContentId())
    is_proctored = fields.Field("is_proctored", "is_proctored", YesOrNo())
    is_active = fields.Field("is_active", "is_active", YesOrNo())
    is_practice_exam = fields.Field("is_practice_exam", "is_practice_exam", YesOrNo())
    block_start = fields.Field("block_start", "block_start", Moment())

    class Meta(RowsMeta):
        model = CourseExam
        import_id_fields = ("course_key", "content_id")
        exclude = ("id",)
