"""The form of what registrars send, and of what they get (program enrollments contract 6.1, 6.2)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from program_enrollments.conf import conf
from program_enrollments.exceptions import InvalidStudentKey
from program_enrollments.models import ProgramEnrollment
from program_enrollments.rest_api.v1.constants import REQUEST_STUDENT_KEY
from program_enrollments.student_keys import parse_student_key
from program_enrollments.types import ProgramEnrollmentRequest


class StudentKeyField(serializers.Field[str, Any, str, Any]):
    """A student key, spelled as it is asked: the answer has to name it so. A number counts as its text."""

    default_error_messages = {"invalid": InvalidStudentKey.default_message()}

    def to_internal_value(self, data: Any) -> str:
        text = str(data) if isinstance(data, int | float) and not isinstance(data, bool) else data
        try:
            parse_student_key(text)
        except InvalidStudentKey:
            self.fail("invalid")
        return str(text)

    def to_representation(self, value: str) -> str:
        return value


class CurriculumField(serializers.UUIDField):
    """The curriculum; where it only chooses among several enrollments, one that is no UUID chooses none."""

    def __init__(self, *, decides: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs, required=decides)
        self.decides = decides

    def run_validation(self, data: Any = serializers.empty) -> Any:
        try:
            return super().run_validation(data)
        except ValidationError:
            if self.decides:
                raise
            return None


class ProgramEnrollmentRowSerializer(serializers.Serializer[Any]):
    """One student of a request."""

    student_key = StudentKeyField()
    status = serializers.CharField(help_text="One of the five statuses; another word is answered `invalid-status`.")
    curriculum_uuid = CurriculumField(decides=True)


class KnownStudentRowSerializer(ProgramEnrollmentRowSerializer):
    """One student of a request that enrolls nobody."""

    curriculum_uuid = CurriculumField(decides=False)


class ProgramEnrollmentSerializer(serializers.ModelSerializer[ProgramEnrollment]):
    """A student in a program, as registrars see them; names of accounts only if the site shows them."""

    student_key = serializers.CharField(source="external_user_key", allow_null=True)
    account_exists = serializers.BooleanField(source="is_realized")
    username = serializers.SerializerMethodField()
    email = serializers.SerializerMethodField()

    class Meta:
        model = ProgramEnrollment
        fields = ["student_key", "status", "account_exists", "curriculum_uuid", "username", "email"]

    def get_username(self, row: ProgramEnrollment) -> str:
        return row.user.get_username() if row.user is not None and conf.INCLUDE_PII_IN_LISTS else ""

    def get_email(self, row: ProgramEnrollment) -> str:
        return row.user.email if row.user is not None and conf.INCLUDE_PII_IN_LISTS else ""


def rows_of(body: Any, form: type[serializers.Serializer[Any]]) -> list[dict[str, Any]]:
    """Return the rows of a request's body, checked.

    Raises:
        ValidationError: `developer_message` tells what is wrong by the number of the row, counted from 0.
    """
    if not isinstance(body, list):
        raise ValidationError({"developer_message": {"non_field_errors": ["Send a list of objects."]}})
    forms = [form(data=row) for row in body]
    wrong = {str(number): checked.errors for number, checked in enumerate(forms) if not checked.is_valid()}
    if wrong:
        raise ValidationError({"developer_message": wrong})
    return [checked.validated_data for checked in forms]


def named_students(body: Any) -> int:
    """Return how many rows a body has, whatever they are."""
    return len(body) if isinstance(body, list) else 0


def as_request(row: Mapping[str, Any]) -> ProgramEnrollmentRequest:
    """Return a checked row under the names of the Python api."""
    return {
        "external_user_key": row[REQUEST_STUDENT_KEY],
        "status": row["status"],
        "curriculum_uuid": row.get("curriculum_uuid"),
    }
