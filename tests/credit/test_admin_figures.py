"""Figures that staff ask for: counted by month, drawn on the server, seen by those who may see the rows."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from credit import api
from credit.admin.charts import bar_chart
from credit.choices import CallbackOutcome
from credit.models import CreditEligibility, CreditRequest
from credit.models.callbacks import CallbackLog
from tests.credit.admin import clerk, url
from tests.credit.factories import CreditEligibilityFactory, CreditProviderFactory, CreditRequestFactory
from tests.enrollment.factories import UserFactory
from tests.support import statements

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
INDEX = "admin:index"
PAGE = "admin:credit_creditrequest_figures"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def request_made(moment, provider, status="pending", decided=None):
    row = CreditRequestFactory(username=f"u{CreditRequest.objects.count()}", provider=provider, status=status)
    CreditRequest.objects.filter(pk=row.pk).update(created=moment, modified=decided or moment)


def refused(times, reason, received=NOW, outcome=CallbackOutcome.REFUSED):
    CallbackLog.objects.create(provider_id="hogwarts", outcome=outcome, reason=reason, times=times, received=received)


def test_without_rows_everything_is_zero():
    figures = api.get_credit_figures()
    assert figures.months[0] == datetime(2025, 4, 1, tzinfo=UTC)
    assert figures.months[-1] == datetime(2026, 3, 1, tzinfo=UTC)
    assert figures.eligible == [0] * 12
    assert (figures.providers, figures.waiting_long, figures.mails_owed, figures.refused) == ([], 0, 0, [])


@pytest.mark.rule("credit.figures")
def test_what_is_counted(hogwarts):
    asked = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)
    request_made(asked, hogwarts, "approved", decided=datetime(2026, 3, 1, tzinfo=UTC))
    request_made(asked, hogwarts, "rejected")
    request_made(NOW - timedelta(days=6), hogwarts)
    request_made(datetime(2025, 3, 31, 23, tzinfo=UTC), hogwarts)
    CreditEligibilityFactory(username="a", email_due_at=NOW)
    CreditEligibilityFactory(username="b", email_due_at=NOW, notified_at=NOW)
    old = CreditEligibilityFactory(username="c")
    CreditEligibility.objects.filter(pk=old.pk).update(created=datetime(2025, 4, 1, tzinfo=UTC))
    refused(3, "bad_signature")
    refused(4, "bad_signature", NOW - timedelta(days=29))
    refused(9, "stale", NOW - timedelta(days=31))
    refused(2, "unknown")
    refused(1, "", outcome=CallbackOutcome.ACCEPTED)

    figures = api.get_credit_figures()
    [provider] = figures.providers
    assert provider.provider_id == "hogwarts"
    assert provider.requested == [0] * 10 + [2, 1]
    assert provider.approved == [0] * 11 + [1]
    assert figures.eligible == [1] + [0] * 10 + [2]
    assert (figures.waiting_long, figures.mails_owed) == (1, 1)
    assert figures.refused == [("bad_signature", 7), ("unknown", 2)]


@pytest.mark.rule("credit.figures.cache")
def test_a_cache_that_fails_costs_time_only(client, settings, hogwarts):
    settings.CACHES = {"default": {"BACKEND": "tests.credit.test_callback_limits.FailingCache"}}
    request_made(NOW - timedelta(days=8), hogwarts)
    assert api.get_credit_figures().waiting_long == 1
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert b"credit-tiles" in client.get(reverse(INDEX)).content


@pytest.mark.rule("credit.figures.bounded")
def test_many_providers_share_the_last_chart():
    for n in range(12):
        provider = CreditProviderFactory(provider_id=f"p{n:02}")
        for _ in range(12 - n):
            request_made(NOW, provider)
    providers = api.get_credit_figures().providers
    assert [(row.provider_id, sum(row.requested)) for row in providers] == [
        *((f"p{n:02}", 12 - n) for n in range(7)),
        ("", 1 + 2 + 3 + 4 + 5),
    ]


@pytest.mark.rule("credit.figures.bounded")
def test_six_statements_once_a_minute(hogwarts, clock, settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    }  # heeds the test's clock
    request_made(NOW, hogwarts)
    with statements() as run:
        first = api.get_credit_figures()
    assert len(run) == 6, run
    request_made(NOW, hogwarts)
    with statements() as run:
        assert api.get_credit_figures() == first
    assert len(run) == 0, run
    clock.shift(61)
    assert sum(api.get_credit_figures().providers[0].requested) == 2


@pytest.mark.rule("credit.admin.permissions")
@pytest.mark.parametrize(
    ("permission", "shown", "hidden"),
    [
        ("view_creditrequest", ["Requests pending longer", "hogwarts"], ["Mails owed", "Became eligible", "Callbacks"]),
        ("view_crediteligibility", ["Mails owed", "Became eligible"], ["Requests pending", "hogwarts", "Callbacks"]),
        ("view_callbacklog", ["Callbacks refused", "bad_signature"], ["Requests pending", "Mails owed"]),
    ],
)
def test_each_sees_what_they_may_see(client, hogwarts, permission, shown, hidden):
    request_made(NOW, hogwarts)
    refused(3, "bad_signature")
    clerk(client, permission)
    for page in (INDEX, PAGE):
        text = client.get(reverse(page)).content.decode()
        assert [word for word in shown if word not in text] == []
        assert [word for word in hidden if word in text] == []


def test_who_may_see_nothing_sees_nothing(client, hogwarts):
    clerk(client, "view_creditcourse")
    assert client.get(reverse(PAGE)).status_code == 403
    assert b"credit-tiles" not in client.get(reverse(INDEX)).content


def test_the_charts_have_their_numbers_as_text(boss, hogwarts):
    request_made(NOW, hogwarts, "approved")
    page = boss.get(reverse(PAGE)).content.decode()
    assert "<title>March 2026: 1 requested</title>" in page
    assert '<th scope="row">March 2026</th><td>1</td><td>1</td>' in page
    assert "style=" not in page
    assert reverse(PAGE) in boss.get(url("creditrequest")).content.decode()


def test_numbers_lead_to_their_rows(boss, hogwarts):
    request_made(NOW - timedelta(days=8), hogwarts)
    CreditEligibilityFactory(username="a", email_due_at=NOW)
    CreditEligibilityFactory(username="b")
    refused(1, "stale")
    for tile in boss.get(reverse(PAGE)).context["panel"].tiles:
        assert tile.count == 1
        assert boss.get(tile.url).context["cl"].result_count == 1, tile


@pytest.mark.parametrize(
    ("values", "heights"), [([0, 0], []), ([1, 0], [64]), ([1, 1000], [2, 64]), ([500, 1000], [32, 64])]
)
def test_bars_share_a_scale_from_zero(values, heights):
    chart = bar_chart("x", "X", ["a", "b"], {"n": values})
    assert [bar.height for bar in chart.bars] == heights
    assert all(bar.y + bar.height == chart.height for bar in chart.bars)
