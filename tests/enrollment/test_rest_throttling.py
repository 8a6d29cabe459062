"""How often who may call (enrollment contract 10.3)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache.backends.locmem import LocMemCache
from django.test import override_settings

from enrollment.conf import parsed_rate
from enrollment.rest_api.base import EnrollmentApiView
from tests.credit.rest import client_of
from tests.enrollment.factories import CourseFactory, UserFactory
from tests.enrollment.rest import COURSE, KEY, V1, server_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.rest.throttles")]

NOW = datetime(2026, 7, 1, 12, 30, 15, tzinfo=UTC)
LIST, ONE, DETAILS = "enrollment", f"enrollment/{COURSE}", f"course/{COURSE}"
TOO_OFTEN = "Request was throttled. Expected available in 60 seconds."


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as moment:
        yield moment


@pytest.fixture(autouse=True)
def _course(settings):
    settings.EDX_API_KEY = KEY
    CourseFactory(id=COURSE)


def passes(client, count, path=LIST, **extra):
    """Call several times; return how many calls passed, and the last answer."""
    answers = [client.get(V1 + path, **extra) for _ in range(count)]
    assert {answer.status_code for answer in answers} <= {200, 429}
    return sum(answer.status_code == 200 for answer in answers), answers[-1]


@pytest.mark.parametrize(("fields", "limit"), [({}, 40), ({"is_staff": True}, 120)])
def test_callers_by_rank(fields, limit):
    client = client_of(UserFactory(**fields))

    assert passes(client, limit)[0] == limit
    response = client.get(V1 + LIST)

    assert response.status_code == 429
    assert response.json() == {"detail": TOO_OFTEN, "message": TOO_OFTEN, "error_code": "throttled"}
    assert response["Retry-After"] == "60"


def test_superusers_rank_with_staff(settings):
    settings.ENROLLMENT_THROTTLE_RATES = {"user": "1/minute", "staff": "2/minute"}

    assert passes(client_of(UserFactory(is_superuser=True)), 3)[0] == 2


@pytest.mark.parametrize("user", [False, True])
def test_a_server_is_not_limited(settings, user):
    settings.ENROLLMENT_THROTTLE_RATES = {"user": "3/minute"}
    client = server_client(UserFactory() if user else None)

    assert passes(client, 5)[0] == 5


def test_a_wrong_key_lifts_no_limit():
    client = client_of(UserFactory())
    client.defaults["HTTP_X_EDX_API_KEY"] = "wrong"

    assert passes(client, 41)[0] == 40


def test_one_bucket_for_all_endpoints_but_courses(settings):
    settings.ENROLLMENT_THROTTLE_RATES = {"user": "3/minute"}
    client = client_of(UserFactory())

    assert [client.get(V1 + path).status_code for path in (LIST, ONE, f"{ONE}/", LIST, ONE)] == [
        200,
        200,
        200,
        429,
        429,
    ]
    assert client.post(V1 + LIST, {}, format="json").status_code == 429
    assert passes(client, 41, DETAILS)[0] == 40


def test_one_bucket_for_each_caller(settings):
    settings.ENROLLMENT_THROTTLE_RATES = {"user": "1/minute", "staff": "2/minute"}
    user = UserFactory()

    assert passes(client_of(user), 2)[0] == 1
    assert passes(client_of(user, "jwt"), 1)[0] == 0
    assert passes(client_of(UserFactory()), 1)[0] == 1
    assert passes(client_of(UserFactory(is_staff=True)), 3)[0] == 2


def test_any_minute_counts_not_only_those_of_the_clock(clock):
    client = client_of(UserFactory())
    passes(client, 20)
    clock.shift(timedelta(seconds=30))
    passes(client, 20)

    clock.shift(timedelta(seconds=20))
    refused = client.get(V1 + LIST)
    assert (refused.status_code, refused["Retry-After"]) == (429, "10")

    clock.shift(timedelta(seconds=10))
    assert passes(client, 21)[0] == 20


def test_refused_calls_do_not_prolong_the_wait(clock):
    client = client_of(UserFactory())
    passes(client, 50)
    clock.shift(timedelta(seconds=61))

    assert passes(client, 1)[0] == 1


# --- courses, by address


def test_courses_are_limited_by_address():
    client = client_of()

    assert passes(client, 41, DETAILS, REMOTE_ADDR="192.0.2.1")[0] == 40
    assert passes(client, 1, DETAILS, REMOTE_ADDR="192.0.2.2")[0] == 1
    assert passes(client, 1, DETAILS, REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="192.0.2.3")[0] == 0
    assert passes(server_client(), 50, DETAILS, REMOTE_ADDR="192.0.2.1")[0] == 50


def test_addresses_that_our_proxy_adds_are_believed(settings):
    settings.ENROLLMENT_COURSE_DETAIL_RATE = "1/minute"
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    client = client_of()

    for forwarded, passed in (("192.0.2.3", 1), ("198.51.100.1, 192.0.2.3", 0), ("192.0.2.3, 192.0.2.4", 1)):
        assert passes(client, 1, DETAILS, HTTP_X_FORWARDED_FOR=forwarded)[0] == passed


def test_neighbours_in_one_ipv6_network_are_one_caller(settings):
    settings.ENROLLMENT_COURSE_DETAIL_RATE = "1/minute"
    client = client_of()

    for address, passed in (("2001:db8::1", 1), ("2001:db8::2", 0), ("2001:db8:0:1::1", 1)):
        assert passes(client, 1, DETAILS, REMOTE_ADDR=address)[0] == passed


# --- settings


def test_rates_are_settings(settings):
    settings.ENROLLMENT_THROTTLE_RATES = {"user": "2/second"}
    settings.ENROLLMENT_COURSE_DETAIL_RATE = "3/hour"

    assert passes(client_of(UserFactory()), 3)[0] == 2
    assert passes(client_of(), 4, DETAILS)[0] == 3


def test_a_rate_of_nothing_lets_nobody_pass(settings):
    settings.ENROLLMENT_THROTTLE_RATES = {"user": "0/minute"}

    passed, answer = passes(client_of(UserFactory()), 1)

    assert (passed, answer["Retry-After"]) == (0, "60")


def test_the_switch_for_load_tests(settings, monkeypatch):
    settings.ENROLLMENT_THROTTLING_ENABLED = False
    client = client_of(UserFactory())

    assert passes(client, 50)[0] == 50
    assert passes(client, 50, DETAILS)[0] == 50
    monkeypatch.setattr(EnrollmentApiView, "always_throttled", True)
    assert passes(client, 41)[0] == 40


class ThrottlesNobody:
    def enabled(self):
        return False


def test_the_switch_is_a_port(settings):
    settings.ENROLLMENT_PORTS = {"RateLimitPort": f"{__name__}.ThrottlesNobody"}

    assert passes(client_of(UserFactory()), 50)[0] == 50


@pytest.mark.parametrize("rate", ["", "40", "many/minute", "40/", "40/fortnight", "-1/minute", "1.5/minute"])
def test_what_is_no_rate(rate):
    with pytest.raises(ValueError, match="is no rate such as"):
        parsed_rate(rate)


# --- a cache that fails


class Down(LocMemCache):
    def get(self, key, *args, **kwargs):
        raise OSError("gone")

    set = add = get


@override_settings(CACHES={"default": {"BACKEND": f"{__name__}.Down"}})
def test_a_cache_that_is_down_limits_nobody(caplog):
    client = client_of(UserFactory())
    caplog.clear()

    assert passes(client, 41)[0] == 41
    assert {record.getMessage() for record in caplog.records if "throttling" in record.name} == {
        "The cache does not tell how often somebody called (OSError).",
        "The cache does not count calls (OSError).",
    }
