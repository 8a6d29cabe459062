"""The figures page: charts drawn on the server, for those who may look at the rows behind them."""

from collections.abc import Callable
from typing import Any

import attrs
from django.contrib.admin.sites import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from coursecredit.admin.pages import may_view
from credit import api
from credit.admin.charts import Chart, bar_chart
from credit.models import CreditEligibility, CreditRequest
from credit.models.callbacks import CallbackLog
from credit.types import CreditFigures


@attrs.frozen
class Tile:
    """A number that asks for attention unless it is zero, and where its rows are."""

    label: str
    count: int
    url: str


@attrs.frozen
class Panel:
    """What one member of staff gets to see."""

    figures: CreditFigures
    tiles: list[Tile]
    charts: list[Chart]
    refused: list[tuple[str, int]] | None


def panel_for(request: HttpRequest) -> Panel | None:
    """Return the figures whose rows the user may look at, or None if there are none."""
    sees = {model: may_view(request, model) for model in (CreditRequest, CreditEligibility, CallbackLog)}
    if not any(sees.values()):
        return None
    figures = api.get_credit_figures()
    tiles, charts = [], []
    if sees[CreditRequest]:
        url = _list("creditrequest") + "?pending_days=7"
        tiles.append(Tile(_("Requests pending longer than a week"), figures.waiting_long, url))
    if sees[CreditEligibility]:
        tiles.append(Tile(_("Mails owed"), figures.mails_owed, _list("crediteligibility") + "?mail=owed"))
        charts.append(_eligible(figures))
    if sees[CreditRequest]:
        charts += _requests(figures)
    if sees[CallbackLog]:
        refused = sum(count for _reason, count in figures.refused)
        url = _list("callbacklog") + "?outcome__exact=refused"
        tiles.append(Tile(_("Callbacks refused in 30 days"), refused, url))
    return Panel(figures, tiles, charts, figures.refused if sees[CallbackLog] else None)


def _list(model_name: str) -> str:
    return reverse(f"admin:credit_{model_name}_changelist")


def _eligible(figures: CreditFigures) -> Chart:
    return bar_chart("credit-eligible", _("Became eligible"), _labels(figures), {_("eligible"): figures.eligible})


def _requests(figures: CreditFigures) -> list[Chart]:
    return [
        bar_chart(
            f"credit-provider-{number}",
            provider.provider_id or _("All other providers"),
            _labels(figures),
            {_("requested"): provider.requested, _("approved"): provider.approved},
        )
        for number, provider in enumerate(figures.providers)
    ]


def _labels(figures: CreditFigures) -> list[str]:
    return [date_format(month, "YEAR_MONTH_FORMAT") for month in figures.months]


def figures_view(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view that shows the figures on a page of their own, in an admin site."""

    def view(request: HttpRequest) -> HttpResponse:
        panel = panel_for(request)
        if panel is None:
            raise PermissionDenied
        context: dict[str, Any] = {
            **site.each_context(request),
            "title": _("Credit in figures"),
            "opts": CreditRequest._meta,
            "panel": panel,
        }
        request.current_app = site.name  # as Django's own pages do
        return TemplateResponse(request, "admin/credit/figures.html", context)

    return view
