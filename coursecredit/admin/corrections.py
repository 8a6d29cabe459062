"""Doing something by hand to many rows: each in a transaction of its own, and each failure told."""

import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from coursecredit.admin.pages import Page
from coursecredit.errors import DomainError

log = logging.getLogger(__name__)

MOST_AT_ONCE = 500
MOST_SHOWN = 20
LONGEST_REASON = 500

Apply = Callable[[Any, dict[str, Any]], bool]
"""Does it to one row, with what the form says; returns whether anything has changed."""


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text=gettext_lazy("Kept in the audit, where staff read it. Learners do not see it."),
    )


class SavesThroughApi(Page):
    """A page whose rows the api adds, changes and deletes. What it refuses after the form's checks is told."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as exc:  # between the form's checks and the api's somebody was faster
            self.message_user(request, str(exc), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


def apply_to_each(page: Page, request: HttpRequest, rows: Sequence[Model], apply: Apply, answers: Any = None) -> None:
    """Do it to every row and tell how it went. What fails leaves the other rows as they are."""
    changed, failures = 0, []
    for row in rows:
        try:
            changed += apply(row, answers or {})
        except DomainError as exc:
            failures.append(f"{_label(row)}: {exc}")
        except DatabaseError as exc:
            # Where it happened, but not its text: databases quote the values that they refuse.
            place = "".join(traceback.format_tb(exc.__traceback__))
            log.error(
                "A correction by staff of %s %s failed: %s.\n%s", row._meta.label, row.pk, type(exc).__name__, place
            )
            failures.append(f"{_label(row)}: {type(exc).__name__}")
    _tell(page, request, changed, len(rows) - changed - len(failures), failures)


def _tell(page: Page, request: HttpRequest, changed: int, same: int, failures: list[str]) -> None:
    if changed:
        text = ngettext("%(count)d row was changed.", "%(count)d rows were changed.", changed)
        page.message_user(request, text % {"count": changed}, messages.SUCCESS)
    if same:
        text = ngettext("%(count)d row needed no change.", "%(count)d rows needed no change.", same)
        page.message_user(request, text % {"count": same}, messages.INFO)
    for failure in failures[:MOST_SHOWN]:
        page.message_user(request, failure, messages.ERROR)
    if len(failures) > MOST_SHOWN:
        more = _("%(count)d more failed.") % {"count": len(failures) - MOST_SHOWN}
        page.message_user(request, more, messages.ERROR)


def _label(row: Model) -> str:
    # Messages may travel in a cookie: no username.
    return f"{row._meta.verbose_name} {getattr(row, 'uuid', row.pk)}"


def take(page: Page, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any] | None:
    """Return the chosen rows; None, with a message, if they are too many for one request."""
    rows = list(queryset.order_by("pk")[: MOST_AT_ONCE + 1])
    if len(rows) <= MOST_AT_ONCE:
        return rows
    text = _("At most %(count)d rows at once, please.") % {"count": MOST_AT_ONCE}
    page.message_user(request, text, messages.ERROR)
    return None


def ask_and_apply(
    page: Page,
    request: HttpRequest,
    queryset: QuerySet[Any],
    apply: Apply,
    *,
    action: str,
    title: str,
    form_class: type[forms.Form] = ReasonForm,
) -> HttpResponse | None:
    """Ask on a page of its own, then do it to the chosen rows.

    Returns:
        The page that asks; None once it is done, which makes the list be shown again.
    """
    rows = take(page, request, queryset)
    if rows is None:
        return None
    form = form_class(request.POST if "confirmed" in request.POST else None)
    if form.is_valid():
        apply_to_each(page, request, rows, apply, form.cleaned_data)
        return None
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "opts": page.opts,
        "form": form,
        "media": page.media + form.media,
        "action": action,
        "checkbox": ACTION_CHECKBOX_NAME,
        "rows": rows,
        "shown": rows[:MOST_SHOWN],
        "hidden_count": max(len(rows) - MOST_SHOWN, 0),
    }
    request.current_app = page.admin_site.name  # as Django's own pages do
    return TemplateResponse(request, "admin/coursecredit/correction.html", context)


def refuse_unless(allowed: bool) -> None:
    """Stop whoever calls an action's address without being offered the action."""
    if not allowed:
        raise PermissionDenied
