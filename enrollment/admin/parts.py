"""What the staff pages are made of: learners by name, search in their rows, forms about them, what became of a row."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coursecredit.admin import ReadOnlyAdmin
from coursecredit.admin.pages import ManyRows, begins, mentions
from enrollment.errors import InvalidCourseKeyError, UserNotFoundError
from enrollment.keys import MAX_LENGTH, course_id_of
from enrollment.models import Course

MOST_NAMED = 100
LONGEST_HISTORY = 100

Keys = QuerySet[Any] | list[Any]


def courses_like(text: str) -> Keys:
    """Return the keys of the courses that a text may mean: a short list, which an index serves, or all."""
    return _few_or_all(Course.objects.filter(mentions("id", text)))


def accounts_like(text: str) -> Keys:
    """Return the primary keys of the accounts whose username begins with a text, in the same way."""
    accounts = get_user_model()._default_manager.all()
    return _few_or_all(accounts.filter(begins(accounts, get_user_model().USERNAME_FIELD, text)))


def _few_or_all(found: QuerySet[Any]) -> Keys:
    keys = found.values_list("pk", flat=True)
    few = list(keys[: MOST_NAMED + 1])
    return few if len(few) <= MOST_NAMED else keys


def username_of(user_id: str) -> Subquery:
    """Return what selects the username of the account to which a column refers.

    A subselect and no join: MariaDB would begin a join with the accounts, and sort all of them.
    """
    accounts = get_user_model()._default_manager.filter(pk=OuterRef(user_id))
    return Subquery(accounts.values(get_user_model().USERNAME_FIELD)[:1])


def user_id(request: HttpRequest) -> int:
    """Return the id of the member of staff who asks."""
    assert request.user.pk is not None
    return request.user.pk


class LearnerRows(ManyRows):
    """A page about rows that refer to an account and, most of them, to a course."""

    ordering: ClassVar[Any] = ["-pk"]
    user_column = "user_id"
    course_column = "course_id"
    search_fields: ClassVar[Any] = ["user__username", "course_id"]
    search_help_text = gettext_lazy("Beginning of a username, in its case, or part of the key of a course.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        named: QuerySet[Any] = rows.annotate(learner_username=username_of(self.user_column))
        return named

    @admin.display(description=gettext_lazy("Learner"))
    def learner(self, obj: Any) -> str:
        return obj.learner_username or ""

    @admin.display(description=gettext_lazy("Created"))
    def day(self, obj: Any) -> str:
        return f"{obj.created:%Y-%m-%d}" if obj.created else ""

    def matching(self, rows: QuerySet[Any], term: str) -> Q:
        condition = Q(**{f"{self.user_column}__in": accounts_like(term)})
        return condition | in_courses(self.course_column, term) if self.course_column else condition


def in_courses(column: str, text: str) -> Q:
    """Return the condition that a column names a course that the text may mean; a whole key, one that may be gone."""
    return Q(**{column: text}) | Q(**{f"{column}__in": courses_like(text)})


class RuledRows(LearnerRows, ReadOnlyAdmin):
    """Rows that rules own: staff look."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or []


class CourseIdField(forms.CharField):
    """The key of a course, as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MAX_LENGTH, **kwargs})
        self.widget.attrs["class"] = "vTextField"

    def clean(self, value: Any) -> Any:
        return course_id_from(super().clean(value))


def course_id_from(text: str) -> str:
    """Return the text of a course key; an empty text stays one.

    Raises:
        ValidationError: it is none.
    """
    try:
        return course_id_of(text) if text else text
    except InvalidCourseKeyError as exc:
        raise ValidationError(_("This is not the key of a course, such as course-v1:ORG+COURSE+RUN.")) from exc


class UsernameField(forms.CharField):
    """The username of an account, in its case; gives the account."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": gettext_lazy("Username"), "max_length": 150, **kwargs})
        self.widget.attrs["class"] = "vTextField"

    def clean(self, value: Any) -> Any:
        return account_from(super().clean(value))


def account_from(username: str) -> Any:
    """Return the account with this username.

    Raises:
        ValidationError: there is none.
    """
    try:
        return get_user_model()._default_manager.get_by_natural_key(username)
    except get_user_model().DoesNotExist as exc:
        raise ValidationError(UserNotFoundError.default_message()) from exc


def history_of(row: Model, *, leave_out: tuple[str, ...] = ()) -> SafeString:
    """Return a table of what was changed in a row, when and by whom, newest first. Two statements."""
    records = list(row.history.order_by("-history_date")[: LONGEST_HISTORY + 1])  # type: ignore[attr-defined]
    users = get_user_model()._default_manager.filter(pk__in={record.history_user_id for record in records})
    names = {user.pk: user.get_username() for user in users}
    fields = [field for field in row._meta.concrete_fields if not field.primary_key and field.name not in leave_out]
    entries = [
        {
            "record": record,
            "by": names.get(record.history_user_id, ""),
            "changes": [
                (field.verbose_name, None if older is None else getattr(older, field.attname), value)
                for field in fields
                if (value := getattr(record, field.attname)) != (older and getattr(older, field.attname))
            ],
        }
        for record, older in zip(records, [*records[1:], None], strict=True)
    ]
    return render_to_string("admin/enrollment/history.html", {"entries": entries[:LONGEST_HISTORY]})
