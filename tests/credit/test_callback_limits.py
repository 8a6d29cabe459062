"""The limit on refused callbacks, which a correct provider never meets."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache.backends.locmem import LocMemCache
from django.db.models import Sum
from redis.exceptions import ConnectionError as RedisIsGone
from rest_framework.test import APIClient

from credit.models import CallbackLog
from tests.credit.factories import CreditProviderFactory, CreditRequestFactory
from tests.credit.rest import SECRET, signed
from tests.support import service_url, statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("callback limits")]

UUID = "557168d0f7664fe59097106c67c3f847"
NOW = datetime(2026, 7, 1, 12, 30, 15, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
MESSAGE = {"request_uuid": UUID, "status": "approved", "timestamp": SECONDS}
FORGED = {**MESSAGE, "signature": "x"}
STALE = signed({**MESSAGE, "timestamp": SECONDS - 901})
HERE, ELSEWHERE, BEHIND = "192.0.2.7", "192.0.2.8", "192.0.2.9"
WAIT = {"detail": "Request was throttled. Expected available in 45 seconds.", "code": "throttled"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as moment:
        yield moment


@pytest.fixture(autouse=True)
def limits(settings):
    """Three refusals a minute for an address, five for a provider."""
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"HogwartsX": SECRET, "asu": SECRET}
    settings.CREDIT_REFUSED_CALLBACKS_PER_ADDRESS = 3
    settings.CREDIT_REFUSED_CALLBACKS_PER_PROVIDER = 5
    return settings


@pytest.fixture(autouse=True)
def _row():
    CreditProviderFactory(provider_id="asu")
    CreditRequestFactory(uuid=UUID, provider=CreditProviderFactory(provider_id="HogwartsX"))


def post(message, *, provider="HogwartsX", address=HERE, **headers):
    """Send a callback from an address."""
    path = f"/api/credit/v1/providers/{provider}/callback"
    return APIClient(REMOTE_ADDR=address).post(path, message, **headers)


def send(count, message=FORGED, **options):
    """Send the same callback several times; return the statuses."""
    return [post(message, **options).status_code for _ in range(count)]


def with_proxies(settings, count):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": count}


@pytest.mark.parametrize(
    ("message", "status", "provider"),
    [
        pytest.param(FORGED, 403, "HogwartsX", id="forged"),
        pytest.param(MESSAGE, 400, "HogwartsX", id="unsigned"),
        pytest.param(STALE, 400, "HogwartsX", id="signed long ago"),
        pytest.param(signed({**MESSAGE, "more": 1}), 400, "HogwartsX", id="signed in another form"),
        pytest.param(signed(MESSAGE, secret="guessed"), 404, "invented", id="to nobody"),
    ],
)
def test_who_is_refused_too_often_has_to_wait(clock, message, status, provider):
    assert send(5, message, provider=provider) == [status] * 3 + [429] * 2

    response = post(message, provider=provider)
    assert response.json() == WAIT
    assert response["Retry-After"] == "45"

    clock.shift(timedelta(seconds=45))
    assert send(1, message, provider=provider) == [status] if message is not STALE else [400]


def test_bodies_that_cannot_be_read_count_too():
    options = {"content_type": "application/json"}

    assert send(5, "{", **options) == [400] * 3 + [429] * 2
    assert send(1, "x", content_type="text/plain") == [429]


def test_a_signed_message_passes_whatever_was_refused_before():
    send(10)
    send(10, address=ELSEWHERE)

    assert send(20, signed(MESSAGE)) == [200] * 20
    assert send(1, signed({**MESSAGE, "status": "rejected"})) == [409]
    assert send(20, signed({**MESSAGE, "request_uuid": "no"})) == [404] * 20
    assert send(1) == [429]


def test_what_a_provider_has_signed_does_not_count():
    send(10, signed({**MESSAGE, "request_uuid": "no"}))
    send(10, signed(MESSAGE))

    assert send(4) == [403, 403, 403, 429]


def test_the_key_of_one_provider_opens_no_other(limits):
    limits.CREDIT_PROVIDER_SECRET_KEYS = {"HogwartsX": SECRET, "asu": "another"}

    assert send(5, signed(MESSAGE), provider="asu") == [403] * 3 + [429] * 2


def test_an_address_does_not_use_up_the_limit_of_another():
    send(4)

    assert send(1, address=ELSEWHERE) == [403]


def test_many_addresses_share_the_limit_of_a_provider():
    assert [post(FORGED, address=f"198.51.100.{host}").status_code for host in range(7)] == [403] * 5 + [429] * 2
    assert send(1, provider="asu", address=ELSEWHERE) == [403]


@pytest.mark.parametrize("proxies", [None, 0])
def test_without_known_proxies_nobody_chooses_an_address(limits, proxies):
    with_proxies(limits, proxies)

    assert [post(FORGED, HTTP_X_FORWARDED_FOR=f"198.51.100.{host}").status_code for host in range(4)] == [403] * 3 + [
        429
    ]


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(limits):
    with_proxies(limits, 1)

    def forwarded(seen):
        return post(FORGED, address=BEHIND, HTTP_X_FORWARDED_FOR=f"203.0.113.1, {seen}").status_code

    assert [forwarded(HERE) for _ in range(4)] == [403] * 3 + [429]
    assert forwarded(ELSEWHERE) == 403


@pytest.mark.parametrize(
    ("addresses", "same"),
    [
        pytest.param(["2001:db8:1:2::1", "2001:db8:1:2::2"], True, id="of one network"),
        pytest.param(["2001:db8:1:2::1", "2001:db8:1:3::1"], False, id="of two networks"),
        pytest.param([HERE, f"::ffff:{HERE}"], True, id="one address in two forms"),
        pytest.param([f"{HERE}:4711", f"{HERE}:4712"], True, id="with ports"),
        pytest.param(["[2001:db8::1]:4711", "[2001:db8::2]:4712"], True, id="IPv6 with ports"),
        pytest.param(["", ""], True, id="none, through a socket of the machine"),
        pytest.param(["unknown", "hidden"], False, id="no address"),
    ],
)
def test_what_counts_as_one_address(limits, addresses, same):
    limits.CREDIT_REFUSED_CALLBACKS_PER_ADDRESS = 1
    send(1, address=addresses[0])

    assert send(1, address=addresses[1]) == ([429] if same else [403])


def test_0_limits_nobody(limits):
    limits.CREDIT_REFUSED_CALLBACKS_PER_ADDRESS = 0
    limits.CREDIT_REFUSED_CALLBACKS_PER_PROVIDER = 0

    assert send(70) == [403] * 70


class FailingCache(LocMemCache):
    """A cache whose server is gone, of a kind that does not hide it."""

    def get_many(self, *args, **kwargs):
        raise RedisIsGone

    add = get = set = incr = get_many


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"BACKEND": f"{__name__}.FailingCache"}, id="loud"),
        pytest.param(
            {"BACKEND": "settings.cache.ForgivingRedisCache", "LOCATION": "redis://127.0.0.1:1/0"}, id="forgiving"
        ),
        pytest.param({"BACKEND": "django.core.cache.backends.dummy.DummyCache"}, id="none"),
    ],
)
def test_without_a_cache_nobody_is_limited(limits, config):
    limits.CACHES = {"default": config}

    assert send(5) == [403] * 5
    assert send(1, signed(MESSAGE)) == [200]


@pytest.mark.service("redis")
def test_limits_hold_in_redis(limits):
    server = {"BACKEND": "settings.cache.ForgivingRedisCache", "LOCATION": service_url("redis")}
    limits.CACHES = {"default": {**server, "KEY_PREFIX": f"limits-{CallbackLog.objects.db}-{id(limits)}"}}

    assert send(5) == [403] * 3 + [429] * 2
    assert send(1, signed(MESSAGE)) == [200]


def test_a_flood_costs_next_to_no_statements():
    send(3)
    with statements() as run:
        assert send(250) == [429] * 250

    limited = CallbackLog.objects.filter(reason="throttled", provider_id="HogwartsX")
    assert limited.aggregate(total=Sum("times")) == {"total": 200}, "in hundreds, beginning with the first"
    assert len(run) <= 5, str(run)


def test_a_flood_of_invented_providers_leaves_no_names_and_costs_next_to_no_statements():
    send(3, provider="invented")
    with statements() as run:
        for number in range(20):
            post(FORGED, provider=f"invented-{number}")

    assert set(CallbackLog.objects.values_list("provider_id", "reason")) == {("", "not_found"), ("", "throttled")}
    assert len(run) <= 5, str(run)


@pytest.mark.parametrize("method", ["get", "put", "delete", "options"])
def test_other_methods_are_no_callbacks(method):
    send(10)

    client = APIClient(REMOTE_ADDR=HERE)
    assert getattr(client, method)("/api/credit/v1/providers/HogwartsX/callback").status_code == 405
