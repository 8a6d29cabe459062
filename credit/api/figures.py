"""Figures that staff ask for: who became eligible, asked, was approved; what waits, is owed, was refused."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from coursecredit.caching import CoherentCache
from credit.choices import CallbackOutcome, RequestStatus
from credit.models import CreditEligibility, CreditRequest
from credit.models.callbacks import CallbackLog
from credit.types import CreditFigures, ProviderFigures

FIGURES = CoherentCache("credit.figures")
REMEMBERED = 60  # seconds
MONTHS = 12
MOST_PROVIDERS = 8
LONG_WAIT = timedelta(days=7)
REFUSED_WITHIN = timedelta(days=30)


def get_credit_figures() -> CreditFigures:
    """Return the figures of the last twelve months (UTC), at most a minute old. Six statements, or none."""
    return FIGURES.get_or_build(lambda: count_credit_figures(timezone.now()), timeout=REMEMBERED)


def count_credit_figures(now: datetime) -> CreditFigures:
    """Count the figures as of now.

    Requests count in the month in which the learner first asked, approvals in the month of the decision. The providers
    with the most requests have figures of their own, the others share the last ones.
    """
    months = _months(now)
    requests = CreditRequest.objects.order_by()
    approved = requests.filter(status=RequestStatus.APPROVED)
    due = CreditEligibility.objects.filter(notified_at=None, email_due_at__lte=now)
    refused = CallbackLog.objects.filter(outcome=CallbackOutcome.REFUSED, received__gte=now - REFUSED_WITHIN)
    reasons = refused.order_by().values_list("reason").annotate(count=Sum("times"))
    eligible = _per_month(CreditEligibility.objects.order_by(), "created", months)
    return CreditFigures(
        counted=now,
        months=months,
        eligible=_row(eligible.get("", {}), months),
        providers=_providers(
            _per_month(requests, "created", months, "provider__provider_id"),
            _per_month(approved, "modified", months, "provider__provider_id"),
            months,
        ),
        waiting_long=requests.filter(status=RequestStatus.PENDING, created__lt=now - LONG_WAIT).count(),
        mails_owed=due.count(),
        refused=sorted(reasons, key=lambda entry: (-entry[1], entry[0])),
    )


def count_owed_mails() -> int:
    """Return how many eligibility mails are due and not sent yet, whether or not a worker has one in hand."""
    return CreditEligibility.objects.filter(notified_at=None, email_due_at__lte=timezone.now()).count()


def _months(now: datetime) -> list[datetime]:
    """Return the first moments of this month and those before it, oldest first."""
    last = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    numbers = range(last.year * 12 + last.month - MONTHS, last.year * 12 + last.month)
    return [last.replace(year=number // 12, month=number % 12 + 1) for number in numbers]


def _per_month(
    rows: QuerySet[Any], moment: str, months: list[datetime], by: str | None = None
) -> dict[str, dict[datetime, int]]:
    """Return numbers of rows by month, for each value of a column; without one, under an empty text. One statement."""
    counted = rows.filter(**{f"{moment}__gte": months[0]}).annotate(month=TruncMonth(moment, tzinfo=UTC))
    found: dict[str, dict[datetime, int]] = {}
    for group in counted.values("month", *([by] if by else [])).annotate(count=Count("pk")):
        found.setdefault(group[by] if by else "", {})[group["month"]] = group["count"]
    return found


def _providers(
    requested: dict[str, dict[datetime, int]], approved: dict[str, dict[datetime, int]], months: list[datetime]
) -> list[ProviderFigures]:
    def size(provider_id: str) -> tuple[int, str]:
        asked = sum(requested.get(provider_id, {}).values())
        return -max(asked, sum(approved.get(provider_id, {}).values())), provider_id

    ids = sorted({*requested, *approved}, key=size)
    shown = [
        ProviderFigures(
            provider_id=provider_id,
            requested=_row(requested.get(provider_id, {}), months),
            approved=_row(approved.get(provider_id, {}), months),
        )
        for provider_id in ids
    ]
    if len(shown) <= MOST_PROVIDERS:
        return shown
    others = shown[MOST_PROVIDERS - 1 :]
    rest = ProviderFigures(
        provider_id="",
        requested=_sums(figures.requested for figures in others),
        approved=_sums(figures.approved for figures in others),
    )
    return [*shown[: MOST_PROVIDERS - 1], rest]


def _row(counts: dict[datetime, int], months: list[datetime]) -> list[int]:
    return [counts.get(month, 0) for month in months]


def _sums(rows: Iterable[list[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)]
