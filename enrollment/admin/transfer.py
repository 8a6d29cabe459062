"""CSV files of courses, modes, grades and certificates: their columns, and who stores them."""

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from import_export import fields, widgets
from import_export.instance_loaders import BaseInstanceLoader

from coursecredit.admin.transfer import Moment, Rows, RowsMeta, TextOrNothing, YesOrNo, told_as_value_error
from enrollment import api
from enrollment.admin.parts import course_id_from
from enrollment.errors import UserNotFoundError
from enrollment.models import Course, CourseCertificate, CourseGrade, CourseMode


class CourseId(widgets.Widget):  # type: ignore[misc]  # its library is not typed
    """The text of a course key, in its case."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = str(value or "").strip()
        if not text:
            raise ValueError(_("This field is required."))
        with told_as_value_error():
            return course_id_from(text)


class Account(widgets.Widget):  # type: ignore[misc]  # as above
    """The username of an account, in its case. Accounts are looked up before, all at once."""

    def __init__(self) -> None:
        super().__init__()
        self.by_username: dict[str, Any] = {}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        account = self.by_username.get(str(value or "").strip())
        if account is None:
            raise ValueError(UserNotFoundError.default_message())
        return account

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value.get_username())


class Currency(widgets.CharWidget):  # type: ignore[misc]  # as above
    """A currency, as it is stored."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return str(value or "").strip().lower()


class WholeNumber(widgets.Widget):  # type: ignore[misc]  # as above
    """A whole number, or nothing if that will do."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__()
        self.required = required

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = str(value or "").strip()
        return self.number(text) if text or self.required else None

    def number(self, text: str) -> float:
        """Return the number that a text is.

        Raises:
            ValueError: it is none.
        """
        if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 10):
            raise ValueError(_("“%(value)s” is no whole number.") % {"value": text})
        return int(text)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)


class Fraction(WholeNumber):
    """A fraction from 0 to 1, or nothing if that will do."""

    def number(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = -1
        if not 0 <= number <= 1:
            raise ValueError(_("“%(value)s” is no fraction from 0 to 1.") % {"value": text})
        return number


class CourseResource(Rows):
    id = fields.Field("id", "id", CourseId())
    display_name = fields.Field("display_name", "display_name", TextOrNothing())
    start = fields.Field("start", "start", Moment())
    end = fields.Field("end", "end", Moment())
    enrollment_start = fields.Field("enrollment_start", "enrollment_start", Moment())
    enrollment_end = fields.Field("enrollment_end", "enrollment_end", Moment())
    invitation_only = fields.Field("invitation_only", "invitation_only", YesOrNo())
    max_student_enrollments_allowed = fields.Field(
        "max_student_enrollments_allowed", "max_student_enrollments_allowed", WholeNumber()
    )
    self_paced = fields.Field("self_paced", "self_paced", YesOrNo())
    enable_proctored_exams = fields.Field("enable_proctored_exams", "enable_proctored_exams", YesOrNo())
    proctoring_provider = fields.Field("proctoring_provider", "proctoring_provider", TextOrNothing())
    minimum_grade_credit = fields.Field("minimum_grade_credit", "minimum_grade_credit", Fraction())

    class Meta(RowsMeta):
        model = Course
        import_id_fields = ("id",)
        exclude = ("created", "modified")


class CourseModeResource(Rows):
    course_id = fields.Field("course_id", "course_id", CourseId())
    currency = fields.Field("currency", "currency", Currency())
    min_price = fields.Field("min_price", "min_price", WholeNumber(required=True))
    expiration_datetime = fields.Field("expiration_datetime", "expiration_datetime", Moment())
    description = fields.Field("description", "description", TextOrNothing())
    sku = fields.Field("sku", "sku", TextOrNothing())
    bulk_sku = fields.Field("bulk_sku", "bulk_sku", TextOrNothing())
    android_sku = fields.Field("android_sku", "android_sku", TextOrNothing())
    ios_sku = fields.Field("ios_sku", "ios_sku", TextOrNothing())

    class Meta(RowsMeta):
        model = CourseMode
        import_id_fields = ("course_id", "mode_slug", "currency")
        exclude = ("id", "course", "suggested_prices", "expiration_datetime_is_explicit")

    def import_field(self, field: Any, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        # A deadline that is assigned counts as chosen by a person: the one that is there already was not chosen here.
        is_deadline = field.attribute == "expiration_datetime" and field.column_name in row
        if is_deadline and instance.pk and field.clean(row) == instance.expiration_datetime:
            return
        super().import_field(field, instance, row, is_m2m, **kwargs)


class StoredReports(BaseInstanceLoader):  # type: ignore[misc]  # as above
    """Finds the rows that the lines of a file are about, all at once."""

    def __init__(self, resource: Any, dataset: Any = None) -> None:
        super().__init__(resource, dataset)
        accounts = resource.fields["username"].widget.by_username
        rows = resource.get_queryset().filter(user__in=list(accounts.values()), course_id__in=resource.course_ids)
        self._rows = {(row.user_id, row.course_id): row for row in rows}

    def get_instance(self, row: Any) -> Any:
        account, course_id = (self.resource.fields[name].clean(row) for name in ("username", "course_id"))
        return self._rows.get((account.pk, course_id))


class Reports(Rows):
    """What another service knows of learners. The newest report counts; a file without times tells of this moment."""

    exports = False
    most_lines = 1_000  # each is stored by itself, within the time of one request
    username = fields.Field("user", "username", Account())
    course_id = fields.Field("course_id", "course_id", CourseId())
    reported_at = fields.Field("reported_at", "reported_at", Moment())

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.course_ids: set[str] = set()

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        super().before_import(dataset, **kwargs)
        self._tells_when = "reported_at" in dataset.headers
        self.course_ids = {cell.strip() for cell in dataset["course_id"]}
        name = get_user_model().USERNAME_FIELD
        named = get_user_model()._default_manager.filter(
            **{f"{name}__in": {cell.strip() for cell in dataset["username"]}}
        )
        self.fields["username"].widget.by_username = {account.get_username(): account for account in named}

    def validate_instance(
        self, instance: Any, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        # Each value by itself, without asking the database: that there is one row per learner is the api's business.
        errors = dict(import_validation_errors or {})
        try:
            instance.clean_fields(exclude={"user", *errors})
        except ValidationError as exc:
            errors = exc.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        is_older = (
            original.reported_at is not None
            and instance.reported_at is not None
            and instance.reported_at < original.reported_at
        )
        return is_older or bool(super().skip_row(instance, original, row, import_validation_errors))

    def moment_of(self, instance: Any) -> datetime:
        """Return when what a row says was so."""
        told: datetime | None = instance.reported_at if self._tells_when else None
        return told or timezone.now()


class CourseGradeResource(Reports):
    percent_grade = fields.Field("percent_grade", "percent_grade", Fraction(required=True))
    passed_timestamp = fields.Field("passed_timestamp", "passed_timestamp", Moment())

    class Meta(RowsMeta):
        model = CourseGrade
        instance_loader_class = StoredReports
        import_id_fields = ("username", "course_id")
        exclude = ("id", "user", "created", "modified", "course_version", "grading_policy_hash")

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        api.record_course_grade(
            instance.user_id,
            instance.course_id,
            reported_at=self.moment_of(instance),
            percent_grade=instance.percent_grade,
            letter_grade=instance.letter_grade,
            passed_timestamp=instance.passed_timestamp,
            course_version=instance.course_version,
            grading_policy_hash=instance.grading_policy_hash,
        )


class CourseCertificateResource(Reports):
    class Meta(RowsMeta):
        model = CourseCertificate
        instance_loader_class = StoredReports
        import_id_fields = ("username", "course_id")
        exclude = ("id", "user", "created", "modified", "awarded_at")

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        api.record_course_certificate(
            instance.user_id,
            instance.course_id,
            reported_at=self.moment_of(instance),
            status=instance.status,
            mode=instance.mode,
            grade=instance.grade,
            download_url=instance.download_url,
        )
