"""Pages that large tables do not slow down, that search as staff mean it, and that log discreetly."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.core.paginator import Paginator
from django.db import connections, models
from django.db.models import CharField, Model, Q, QuerySet
from django.db.models.functions import Cast, Lower
from django.db.models.lookups import Contains
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import smart_split, unescape_string_literal

if TYPE_CHECKING:
    Page = admin.ModelAdmin[Any]
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator
    Page = admin.ModelAdmin

MOST_ROWS = 10_000
LAST_CHARACTER = "\U0010ffff"


class ReadOnlyAdmin(Page):
    """A page for rows that rules own: staff look, and change them only through actions that call the api."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class KeptOnceUsed(Page):
    """Rows that learners' rows hang on are not deleted but switched off: the others would go with them."""

    used_by: tuple[tuple[type[Model], str], ...] = ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and obj is not None and not self._is_used(obj)

    def _is_used(self, obj: Any) -> bool:
        if not hasattr(obj, "_used"):  # asked several times per page
            obj._used = any(model._default_manager.filter(**{field: obj}).exists() for model, field in self.used_by)
        return bool(obj._used)


class LimitedPaginator(AnyPaginator):
    """Pages of the first rows only: counting the millions of a large table would take longer than showing a page."""

    most_rows = MOST_ROWS

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return rows.order_by().values("pk")[: self.most_rows].count() if isinstance(rows, QuerySet) else len(rows)


def mentions(field: str, text: str) -> Q:
    """Return the condition that a short column contains the text, in whatever case, on every database."""
    return Q(Contains(Lower(Cast(field, CharField())), text.lower()))


def begins(rows: QuerySet[Any], field: str, text: str) -> Q:
    """Return the condition that an indexed column begins with the text, written so that the index is used."""
    if connections[rows.db].vendor == "postgresql":
        return Q(**{f"{field}__startswith": text})
    return Q(**{f"{field}__gte": text, f"{field}__lt": text + LAST_CHARACTER})


class TermSearch(Page):
    """A page that says itself what one word of a search means. All words of a search have to match."""

    show_full_result_count = False  # a second count of everything

    def matching(self, rows: QuerySet[Any], term: str) -> Q:
        """Return the condition that a row matches the word; `search_fields` are what it looks at."""
        condition = Q()
        for field in self.search_fields:
            condition |= mentions(field, term)
        return condition

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        for term in _terms(search_term):
            queryset = queryset.filter(self.matching(queryset, term))
        return queryset, False


def _terms(text: str) -> Iterable[str]:
    for term in smart_split(text):
        quoted = len(term) > 1 and term[0] == term[-1] and term[0] in "\"'"
        yield unescape_string_literal(term) if quoted else term


class ManyRows(TermSearch):
    """A page about rows of which there may be millions."""

    show_facets = admin.ShowFacets.NEVER  # they count every row

    paginator = LimitedPaginator
    sortable_by: ClassVar[list[str] | tuple[str, ...] | None] = ()
    shown_rows: tuple[str, ...] = ()  # what a row shows of other tables
    # Not joined: MariaDB would begin with the smaller table and sort a million rows to find the last hundred. Fetched
    # after them it is one more statement for each table.
    list_select_related: ClassVar[Any] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related(*self.shown_rows)  # on the row's own page too

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return _log(request, obj, ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return _log(request, obj, CHANGE, message)


def _log(request: HttpRequest, row: Model, flag: int, message: Any) -> LogEntry:
    """Note in Django's log what staff did, without the learner's name: retirement does not reach that table."""
    return LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type_id=get_content_type_for_model(row).pk,
        object_id=str(row.pk),
        object_repr=f"{row._meta.verbose_name} {row.pk}",
        action_flag=flag,
        change_message=message,
    )


def may(request: HttpRequest, action: str, model: type[models.Model]) -> bool:
    """Return whether the user has Django's permission for the action on the model, whatever its page allows."""
    return request.user.has_perm(f"{model._meta.app_label}.{action}_{model._meta.model_name}")


def may_view(request: HttpRequest, model: type[models.Model]) -> bool:
    """Return whether the user may look at the model's rows."""
    return may(request, "view", model) or may(request, "change", model)
