"""The commerce adapter, against a commerce service on this machine (credit contract 8.4, 14.9)."""

import importlib
import json
import logging
import sys
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from opaque_keys.edx.keys import CourseKey

from credit import api, checks, ports
from credit.adapters import commerce, http
from credit.backends import get_credit_provider_ids_for_course
from credit.email_utils import get_credit_provider_attribute_values, send_due_notifications
from credit.models import CreditEligibility
from credit.tasks import refresh_credit_providers
from events.credit.signals import CREDIT_ELIGIBILITY_EARNED
from events.testing import captured_events
from tests.credit.factories import CreditConfigFactory, CreditCourseFactory, CreditProviderFactory
from tests.credit.shop import SECRET, SHELF, course, open_shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("credit.mail.provider-names")]

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"
ADAPTER = "credit.adapters.commerce.CommerceProviders"


@pytest.fixture
def shop(settings, monkeypatch):
    """A commerce service that knows the course, and a site that asks it."""
    monkeypatch.setattr(commerce, "PAUSE", 0.01)
    commerce.reset()
    with open_shop() as shop:
        shop.courses[POTIONS] = course("hogwarts")
        settings.CREDIT_PORTS = {"commerce": ADAPTER}
        settings.ECOMMERCE_API_URL = f"{shop.url}{SHELF}"
        settings.CREDIT_COMMERCE_TOKEN_URL = f"{shop.url}/oauth2/access_token"
        settings.CREDIT_COMMERCE_CLIENT_ID = "credit"
        settings.CREDIT_COMMERCE_CLIENT_SECRET = SECRET
        settings.CREDIT_COMMERCE_TIMEOUT = 0.3
        yield shop
    commerce.reset()


@pytest.fixture
def later():
    """A function that moves the clock on by some seconds."""
    with time_machine.travel(datetime(2026, 7, 1, tzinfo=UTC), tick=False) as clock:
        yield lambda seconds: clock.shift(timedelta(seconds=seconds))


def ask(course_id=POTIONS):
    return get_credit_provider_ids_for_course(course_id)


def worker_authorization(username):
    return f"JWT of {username}"


# --- question and answer


@pytest.mark.parametrize("base", [SHELF, f"{SHELF}/"])
def test_the_question_is_that_of_the_commerce_api(shop, settings, base):
    settings.ECOMMERCE_API_URL = f"{shop.url}{base}"

    assert ask() == ["hogwarts"]
    assert shop.asked == [(f"{SHELF}/courses/{POTIONS}/", {"include_products": ["1"]}, "JWT token-1")]


def test_legacy_keys_keep_their_slashes(shop):
    shop.courses["HogwartsX/Potions/1T2026"] = course("hogwarts")

    assert ask("HogwartsX/Potions/1T2026") == ["hogwarts"]


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        pytest.param(course("b", "a"), ["b", "a"], id="two, in the order of the answer"),
        pytest.param(course("a", products=3), ["a"], id="one in several products"),
        pytest.param(course("a", name="credit_hours"), [], id="another attribute"),
        pytest.param(course(), [], id="no such attribute"),
        pytest.param({"products": []}, [], id="no product"),
        pytest.param(course("a", None, 7), ["a"], id="values that are no ids"),
        pytest.param({}, None, id="empty"),
        pytest.param([], None, id="empty list"),
        pytest.param({"id": POTIONS}, None, id="of another form"),
        pytest.param({"products": [{"attribute_values": [{"value": "a"}]}]}, None, id="attribute without a name"),
        pytest.param("a", None, id="text"),
    ],
)
def test_answers(shop, answer, ids):
    shop.courses[POTIONS] = answer

    assert ask() == ids


@pytest.mark.parametrize("body", [b"", b" ", b"null"])
def test_an_empty_answer_says_nothing(shop, body):
    shop.answers = [(200, body)]

    assert ask() is None


def test_a_token_is_asked_for_once(shop):
    for _ in range(3):
        ask()

    assert shop.tokens_asked == [
        {"grant_type": "client_credentials", "client_id": "credit", "client_secret": SECRET, "token_type": "jwt"}
    ]


def test_a_token_that_is_refused_is_replaced(shop):
    ask()
    shop.good_token = "token-2"

    assert ask() == ["hogwarts"]
    assert [header for _, _, header in shop.asked] == ["JWT token-1", "JWT token-1", "JWT token-2"]


@pytest.mark.parametrize(
    "lifetime",
    ["soon", "", None, True, [], {}, [60], -1, 0, float("inf"), float("nan"), "1e999"],
    ids=json.dumps,
)
def test_a_token_that_does_not_tell_how_long_it_is_good_is_used_for_a_while(shop, later, lifetime):
    token = {"access_token": "token-1", "token_type": "JWT", "expires_in": lifetime}
    shop.token_answer = (200, json.dumps(token).encode())

    assert ask() == ask() == ["hogwarts"]
    assert len(shop.tokens_asked) == 1


@pytest.mark.parametrize(
    "answer",
    [[], "token", None, 1, {"access_token": None}, {"access_token": ["a"]}, {"access_token": ""}],
    ids=json.dumps,
)
def test_what_is_no_token_is_not_sent(shop, answer):
    shop.token_answer = (200, json.dumps(answer).encode())

    assert ask() is None
    assert shop.asked == []


def test_a_bearer_token_is_one(shop):
    shop.token_answer = (200, json.dumps({"access_token": "abc", "token_type": "Bearer"}).encode())
    ask()

    assert {header for _, _, header in shop.asked} == {"Bearer abc"}


def test_a_sites_function_may_say_who_asks(shop, settings):
    settings.CREDIT_COMMERCE_AUTHORIZATION = f"{__name__}.worker_authorization"

    assert ask() == ["hogwarts"]
    assert shop.tokens_asked == []
    assert shop.asked[0][2] == "JWT of ecommerce_worker"


def only_the_last(original, course_id):
    return original(course_id)[-1:]


def test_an_override_gets_the_answer(shop, settings):
    shop.courses[POTIONS] = course("a", "b")
    settings.OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE = f"{__name__}.only_the_last"

    assert ask() == ["b"]


# --- failure


@pytest.mark.parametrize(
    ("answers", "ids", "asked"),
    [
        pytest.param([(503, b"")], ["hogwarts"], 2, id="once"),
        pytest.param([(503, b""), (429, b"")], None, 2, id="as often as it is asked"),
        pytest.param([(404, b"{}")], None, 1, id="not for sale"),
        pytest.param([(400, b"{}")], None, 1, id="not understood"),
        pytest.param([(302, b"")], None, 1, id="somewhere else: a token is for one address"),
        pytest.param([(200, b"<html>")], None, 1, id="not JSON"),
        pytest.param([(200, b"\xff")], None, 1, id="not text"),
    ],
)
def test_what_fails_is_not_known(shop, answers, ids, asked):
    shop.answers = answers

    assert ask() == ids
    assert len(shop.asked) == asked


@pytest.mark.parametrize("fault", [{"silence": 1.0}, {"drip": 0.02}])
def test_nobody_waits_long(shop, settings, fault):
    settings.CREDIT_COMMERCE_RETRIES = 0
    for name, value in fault.items():
        setattr(shop, name, value)

    assert ask() is None
    shop.drip, shop.silence = 0, 0
    commerce.reset()
    assert ask() == ["hogwarts"]


def test_an_answer_without_end_is_not_read(shop, monkeypatch):
    monkeypatch.setattr(http, "LONGEST_ANSWER", 1000)
    shop.answers = [(200, b" " * 100_000)] * 2

    assert ask() is None


def test_a_service_that_is_gone_is_left_in_peace(shop, settings, monkeypatch):
    settings.ECOMMERCE_API_URL = "http://127.0.0.1:1"
    assert ask() is None
    settings.ECOMMERCE_API_URL = f"{shop.url}{SHELF}"

    assert ask() is None
    assert shop.asked == []

    commerce.reset()
    assert ask() == ["hogwarts"]


@pytest.mark.parametrize("answer", [(401, b"{}"), (500, b"{}"), (200, b"{}"), (200, b"x"), (200, b"[]")])
def test_without_a_token_nothing_is_known(shop, answer):
    shop.token_answer = answer

    assert ask() is None
    assert shop.asked == []


def test_the_log_names_no_address_and_no_secret(shop, settings, caplog):
    caplog.set_level(logging.DEBUG, logger="credit")
    settings.CREDIT_COMMERCE_RETRIES = 0
    for address in ("http://user:password@127.0.0.1:1", shop.url):
        settings.ECOMMERCE_API_URL = address
        shop.answers = [(500, b"{}")]
        ask()
        commerce.reset()
    shop.token_answer = (200, b'{"access": "abc"}')
    ask()

    assert caplog.text.count("could not be found out") == 3
    leaked = [word for word in ("password", "127.0.0.1", SECRET, "token-1", "abc") if word in caplog.text]
    assert leaked == []


# --- memory


def test_answers_are_kept_as_staff_configured(shop, later):
    CreditConfigFactory(enabled=True, cache_ttl=60)
    ask()
    shop.courses[POTIONS] = course("asu")

    assert ask() == ["hogwarts"]
    later(61)
    assert ask() == ["asu"]
    assert len(shop.asked) == 2


@pytest.mark.parametrize("config", [None, {"enabled": True, "cache_ttl": 60}])
def test_that_nobody_gives_credit_is_asked_again(shop, config):
    if config is not None:
        CreditConfigFactory(**config)
    shop.courses[POTIONS] = course()
    assert ask() == []
    shop.courses[POTIONS] = course("hogwarts")

    assert ask() == ["hogwarts"]


@pytest.mark.parametrize("config", [None, {"enabled": False, "cache_ttl": 60}, {"enabled": True, "cache_ttl": 0}])
def test_and_not_at_all_otherwise(shop, config):
    if config is not None:
        CreditConfigFactory(**config)
    ask()
    ask()

    assert len(shop.asked) == 2


def test_a_failure_is_not_remembered(shop):
    CreditConfigFactory(enabled=True, cache_ttl=60)
    shop.answers = [(404, b"{}")]

    assert ask() is None
    assert ask() == ["hogwarts"]


def test_inside_a_transaction_the_last_answer_counts(shop, later):
    ask()
    shop.courses[POTIONS] = course("asu")

    with transaction.atomic():
        assert ask() == ["hogwarts"]
    assert len(shop.asked) == 1

    later(86401)
    with transaction.atomic():
        assert ask() is None
    assert len(shop.asked) == 1


def test_without_a_cache_nothing_is_remembered_and_nothing_fails(shop, settings):
    settings.CACHES = {"default": {"BACKEND": "tests.credit.test_callback_limits.FailingCache"}}

    assert ask() == ["hogwarts"]
    with transaction.atomic():
        assert ask() is None


def test_no_transaction_is_open_while_the_service_is_asked(shop, monkeypatch):
    seen = []
    send = commerce._send
    monkeypatch.setattr(commerce, "_send", lambda *args: seen.append(connection.in_atomic_block) or send(*args))

    ask()
    with transaction.atomic():
        ask()
    refresh_credit_providers()

    assert seen == [False]


# --- where it is used


@pytest.mark.usefixtures("grade")
def test_an_event_names_what_is_known(shop, ron, potions):
    with captured_events() as events:
        api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade")
        CreditEligibility.objects.all().delete()
        refresh_credit_providers()
        api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade", reason={"final_grade": 0.9})

    earned = [event for event in events if event.signal is CREDIT_ELIGIBILITY_EARNED]
    assert [event.data["eligibility"].provider_ids for event in earned] == [[], ["hogwarts"]]
    assert len(shop.asked) == 1, "by the task, never by the rule"


@pytest.mark.usefixtures("grade")
def test_a_mail_names_providers_and_warms_the_memory(shop, ron, potions, mailoutbox):
    CreditProviderFactory(provider_id="hogwarts", display_name="Hogwarts School")
    api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade")
    send_due_notifications(10)

    assert "Hogwarts School" in mailoutbox[0].subject
    with transaction.atomic():
        assert ask() == ["hogwarts"]


@pytest.mark.usefixtures("grade")
def test_a_mail_leaves_without_the_service(shop, ron, potions, mailoutbox, settings):
    settings.ECOMMERCE_API_URL = "http://127.0.0.1:1"
    CreditProviderFactory(provider_id="hogwarts", display_name="Hogwarts School")
    api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade")
    send_due_notifications(10)

    assert len(mailoutbox) == 1
    assert "Hogwarts" not in mailoutbox[0].subject


def test_attributes_are_those_of_active_providers(shop):
    CreditProviderFactory(provider_id="hogwarts", display_name="Hogwarts School")
    CreditProviderFactory(provider_id="asu", active=False)
    shop.courses[POTIONS] = course("asu", "unknown", "hogwarts")

    assert get_credit_provider_attribute_values(POTIONS, "display_name") == ["Hogwarts School"]


def test_the_task_goes_through_every_course(shop):
    other = CreditCourseFactory()
    CreditCourseFactory(enabled=False)
    CreditCourseFactory(course_key=POTIONS)
    refresh_credit_providers()

    assert {path for path, _, _ in shop.asked} == {
        f"{SHELF}/courses/{POTIONS}/",
        f"{SHELF}/courses/{other.course_key}/",
    }


# --- set-up


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"ECOMMERCE_API_URL": ""}, "ECOMMERCE_API_URL"),
        ({"CREDIT_COMMERCE_TOKEN_URL": ""}, "CREDIT_COMMERCE_AUTHORIZATION"),
        ({"CREDIT_COMMERCE_CLIENT_SECRET": ""}, "CREDIT_COMMERCE_AUTHORIZATION"),
    ],
)
def test_what_is_missing_is_told_by_a_check(shop, settings, changes, complaint):
    assert checks.check_ports() == []
    for name, value in changes.items():
        setattr(settings, name, value)

    [error] = checks.check_ports()
    assert error.id == "credit.E002"
    assert complaint in error.msg


def test_so_is_the_library(shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "requests", None)
    monkeypatch.delitem(sys.modules, "credit.adapters.tokens")
    try:
        importlib.reload(commerce)
        [error] = checks.check_ports()
    finally:
        monkeypatch.undo()
        importlib.reload(commerce)

    assert error.id == "credit.E002"
    assert "pip install course-credit[adapters]" in error.msg


def test_the_adapter_is_a_port(shop):
    port: ports.CommercePort = ports.commerce()

    assert port.credit_provider_ids(CourseKey.from_string(POTIONS)) == ["hogwarts"]
