"""Production: it starts with its variables, and not without its secrets."""

import importlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from jwcrypto import jwk

from settings.bus import PRODUCER_CONFIG
from settings.environment import example
from settings.keys import new_signing_key

pytestmark = pytest.mark.database("sqlite")  # nothing here uses one, so once is enough

ROOT = Path(__file__).parents[2]
PUBLIC = f'{{"keys": [{jwk.JWK.from_json(new_signing_key()).export_public()}]}}'
LMS = {
    "LMS_JWT_PUBLIC_JWK_SET": PUBLIC,
    "LMS_JWT_ISSUER": "https://lms.example.org/oauth2",
    "LMS_JWT_AUDIENCE": "openedx",
}


@pytest.fixture
def production(monkeypatch):
    """Load the settings under the example's variables with some changed; None takes one away."""

    def production(**changes: str | None):
        variables = {**example(), **changes}
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in variables.items():
            if value is not None:
                monkeypatch.setenv(name, value)
        return runpy.run_module("settings.production")

    return production


def run(*arguments, **variables):
    environment = {"PATH": os.environ["PATH"], **example(), **variables}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_variables_suffice(production):
    loaded = production()
    assert not loaded.get("DEBUG", False)
    assert loaded["ALLOWED_HOSTS"] == ["credit.example.edu"]
    database = loaded["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (60, True)
    assert loaded["CACHES"]["default"]["BACKEND"] == "settings.cache.ForgivingRedisCache"
    assert (loaded["EMAIL_HOST"], loaded["EMAIL_PORT"], loaded["EMAIL_USE_TLS"]) == ("mail.example.edu", 587, True)
    assert loaded["JWT_AUTH"]["JWT_ISSUER"] == "https://credit.example.edu/oauth2"


@pytest.mark.parametrize("name", list(example()))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_missing_variable_is_named(production, name, value):
    with pytest.raises(ImproperlyConfigured, match=f"Set the variable {name}"):
        production(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("SECRET_KEY", "short", id="short"),
        pytest.param("SECRET_KEY", "ab" * 40, id="of few letters"),
        pytest.param("SECRET_KEY", "django-insecure-" + "q9w8e7r6t5" * 5, id="as Django writes it into new projects"),
        pytest.param("SECRET_KEY", "changeme-" + "q9w8e7r6t5" * 5, id="to be changed"),
        pytest.param("JWT_PRIVATE_SIGNING_JWK", "secret", id="no key"),
        pytest.param("JWT_PRIVATE_SIGNING_JWK", PUBLIC, id="public keys"),
        pytest.param("JWT_FORMER_PUBLIC_JWK_SET", "hunter2", id="no former keys"),
        pytest.param("LMS_JWT_PUBLIC_JWK_SET", "hunter2", id="no keys of an LMS"),
        pytest.param("CREDIT_PROVIDER_SECRET_KEYS", "hunter2", id="no object of secrets"),
        pytest.param("CREDIT_PROVIDER_SECRET_KEYS", '["hunter2"]', id="list of secrets"),
        pytest.param("OAUTH2_RESTRICTED_CLIENTS", "reporting", id="no object of clients"),
        pytest.param("OAUTH2_RESTRICTED_CLIENTS", '{"reporting": null}', id="no list of scopes"),
        pytest.param("OAUTH2_RESTRICTED_CLIENTS", '{"reporting": "read"}', id="one scope without a list"),
        pytest.param("OAUTH2_RESTRICTED_CLIENTS", '{"reporting": [1]}', id="scopes are no texts"),
        pytest.param("SECRET_KEY_FALLBACKS", "hunter2", id="short former secret"),
        pytest.param("SECRET_KEY_FALLBACKS", "$hunter2", id="short former secret with a dollar sign"),
        pytest.param("CREDIT_PROVIDER_SECRET_KEYS", "$hunter2", id="no variable's name"),
        pytest.param("SECURE_HSTS_SECONDS", "hunter2", id="no number"),
        pytest.param("OAUTH2_TOKEN_LIFETIME", "-5", id="negative number"),
        pytest.param("CREDIT_PROVIDER_TIMESTAMP_EXPIRATION", "9.5", id="no whole number"),
        pytest.param("CREDIT_ELIGIBILITY_EXPIRATION_DAYS", "²", id="no decimal digits"),
        pytest.param("CACHE_URL", "carrier-pigeon://:hunter2@host", id="unknown cache"),
        pytest.param("EMAIL_URL", "smtp://user:hunter2@host:port", id="unreadable mail server"),
        pytest.param("EMAIL_URL", "carrier-pigeon://:hunter2@host", id="unknown mail server"),
    ],
)
def test_unsuitable_value_is_named_and_not_shown(production, name, value):
    with pytest.raises(ImproperlyConfigured, match=name) as refusal:
        production(**{name: value})
    assert value not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize("module", ["settings.development", "settings.test"])
def test_secrets_of_other_ways_to_run_are_refused(production, module, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CREDIT_DATA_DIR", str(tmp_path))
    known = importlib.import_module(module).SECRET_KEY
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        production(SECRET_KEY=known)


def test_secret_may_begin_with_a_dollar_sign(production):
    secret = "$" + example()["SECRET_KEY"]
    assert production(SECRET_KEY=secret)["SECRET_KEY"] == secret


def test_former_secrets_are_listed(production):
    first, second = "$" + example()["SECRET_KEY"], example()["SECRET_KEY"]
    assert production(SECRET_KEY_FALLBACKS=f"{first}, {second}")["SECRET_KEY_FALLBACKS"] == [first, second]
    assert production(SECRET_KEY_FALLBACKS="")["SECRET_KEY_FALLBACKS"] == []


def test_outside_lms_is_trusted_with_its_three_variables(production):
    own, lms = production(**LMS)["JWT_AUTH"]["JWT_ISSUERS"]
    assert own["ISSUER"] == "https://credit.example.edu/oauth2"
    assert (lms["ISSUER"], lms["AUDIENCE"]) == ("https://lms.example.org/oauth2", "openedx")
    assert len(lms["JWK_SET"]["keys"]) == 1


@pytest.mark.parametrize("missing", list(LMS))
def test_outside_lms_needs_all_three(production, missing):
    with pytest.raises(ImproperlyConfigured, match=missing):
        production(**{**LMS, missing: None})


def test_mail_without_encryption_has_its_usual_port(production):
    loaded = production(EMAIL_URL="smtp://mail.example.edu")
    assert (loaded["EMAIL_PORT"], loaded["EMAIL_USE_TLS"], loaded["EMAIL_HOST_USER"]) == (25, False, "")


def test_restricted_applications_are_heard(production):
    loaded = production(OAUTH2_RESTRICTED_CLIENTS='{"reporting": ["credit:read"], "idle": []}')
    assert loaded["OAUTH2_RESTRICTED_CLIENTS"] == {"reporting": ["credit:read"], "idle": []}


BUS = {"EVENT_BUS_REDIS_CONNECTION_URL": "redis://:hunter2@redis.example.edu/3"}
CREATED = "org.openedx.learning.course.enrollment.created.v1"
ENROLLMENTS = "learning-course-enrollment-lifecycle"


@pytest.mark.parametrize("url", [None, "", " "])
def test_without_a_server_events_stay_within_the_service(production, url):
    loaded = production(EVENT_BUS_REDIS_CONNECTION_URL=url, EVENT_BUS_PRODUCER_CONFIG='{"any": {}}')
    assert loaded["EVENT_BUS_PRODUCER_CONFIG"] == {}
    assert "EVENT_BUS_PRODUCER" not in loaded
    assert loaded["EVENT_BUS_REDIS_CONNECTION_URL"] is None


def test_with_a_server_every_fact_of_the_service_is_sent(production):
    loaded = production(**BUS, EVENT_BUS_TOPIC_PREFIX="stage", EVENT_BUS_REDIS_STREAM_MAX_LEN="0")
    assert loaded["EVENT_BUS_PRODUCER_CONFIG"] == PRODUCER_CONFIG
    assert loaded["EVENT_BUS_PRODUCER"] == "events.bus.redis.create_producer"
    assert loaded["EVENT_BUS_CONSUMER"] == "events.bus.redis.RedisEventConsumer"
    assert (loaded["EVENT_BUS_TOPIC_PREFIX"], loaded["EVENT_BUS_REDIS_STREAM_MAX_LEN"]) == ("stage", None)


def test_a_sites_own_topics_are_merged_into_the_services(production):
    own = {
        CREATED: {ENROLLMENTS: {"enabled": False}, "theirs": {"event_key_field": "enrollment.mode", "enabled": True}},
        "org.openedx.learning.certificate.created.v1": {
            "certificates": {"event_key_field": "certificate.course.course_key", "enabled": True, "redact_pii": True}
        },
    }
    config = production(**BUS, EVENT_BUS_PRODUCER_CONFIG=json.dumps(own))["EVENT_BUS_PRODUCER_CONFIG"]
    assert config.pop(CREATED) == {
        ENROLLMENTS: {"event_key_field": "enrollment.course.course_key", "enabled": False},
        "theirs": own[CREATED]["theirs"],
    }
    assert (
        config.pop("org.openedx.learning.certificate.created.v1") == own["org.openedx.learning.certificate.created.v1"]
    )
    assert config == {name: topics for name, topics in PRODUCER_CONFIG.items() if name != CREATED}


@pytest.mark.parametrize(
    "text", ["hunter2", '["hunter2"]', '{"hunter2": true}', '{"hunter2": []}', '{"hunter2": {"t": true}}']
)
def test_topics_that_are_no_objects_are_refused_and_not_shown(production, text):
    with pytest.raises(ImproperlyConfigured, match="EVENT_BUS_PRODUCER_CONFIG") as refusal:
        production(**BUS, EVENT_BUS_PRODUCER_CONFIG=text)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        pytest.param({"EVENT_BUS_PRODUCER_CONFIG": '{"org.example.v1": {"t": {}}}'}, "events.E003", id="unknown type"),
        pytest.param({"EVENT_BUS_REDIS_CONNECTION_URL": "hunter2"}, "events.E004", id="no address"),
    ],
)
def test_topics_that_cannot_work_stop_the_start(variables, said):
    result = run("manage.py", "check", "--settings", "settings.production", **{**BUS, **variables})
    assert (result.returncode, said in result.stderr, "hunter2" in result.stderr) == (1, True, False)


def test_trusted_servers_have_keys_that_may_rotate(production):
    first, second = "0123456789abcdefghij" * 3, "jihgfedcba9876543210" * 3

    assert production()["EDX_API_KEY"] == []
    assert production(EDX_API_KEY=f"{first},{second}")["EDX_API_KEY"] == [first, second]


@pytest.mark.parametrize("key", ["short", "a" * 60, "example" * 10])
def test_a_servers_key_that_could_be_guessed_is_refused_and_not_shown(production, key):
    with pytest.raises(ImproperlyConfigured, match=r"^EDX_API_KEY ") as refusal:
        production(EDX_API_KEY=key)
    assert key not in str(refusal.value)


def test_limits_of_calls_are_heard(production):
    loaded = production(ENROLLMENT_THROTTLE_STAFF_RATE="300/minute", ENROLLMENT_COURSE_DETAIL_RATE="9/s")

    assert loaded["ENROLLMENT_THROTTLE_RATES"] == {"user": "40/minute", "staff": "300/minute"}
    assert (loaded["ENROLLMENT_COURSE_DETAIL_RATE"], loaded["ENROLLMENT_THROTTLING_ENABLED"]) == ("9/s", True)


def test_neighbour_sites_are_listed(production):
    loaded = production(CROSS_DOMAIN_CSRF_ORIGINS="https://shop.example.com,https://*.example.org")

    assert loaded["CROSS_DOMAIN_CSRF_ORIGINS"] == ["https://shop.example.com", "https://*.example.org"]


def test_lifetime_of_tokens_is_heard(production):
    assert production(OAUTH2_TOKEN_LIFETIME="60")["OAUTH2_PROVIDER"]["ACCESS_TOKEN_EXPIRE_SECONDS"] == 60


@pytest.mark.slow
def test_deployment_checks_find_nothing():
    result = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", "--settings", "settings.production")
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_printed_form_suits():
    printed = run("-m", "settings.environment").stdout
    variables = dict(line.split("=", 1) for line in printed.splitlines())
    assert set(variables) == set(example())
    assert not any(" " in line for line in printed.splitlines()), "so that `env $(…)` takes it"
    assert run("manage.py", "check", "--settings", "settings.production", **variables).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-c", "import settings.wsgi"], id="web"),
        pytest.param(["-m", "celery", "--app", "settings", "worker"], id="worker"),
        pytest.param(["-m", "celery", "--app", "settings", "beat"], id="beat"),
        pytest.param(["manage.py", "clearsessions"], id="command"),
    ],
)
def test_no_process_starts_with_a_failing_check(tmp_path, arguments):
    (tmp_path / "broken_settings.py").write_text("from settings.production import *\ndel JWT_AUTH\n")
    result = run(*arguments, DJANGO_SETTINGS_MODULE="broken_settings", PYTHONPATH=str(tmp_path))
    assert result.returncode != 0
    assert "settings.E001" in result.stderr


@pytest.mark.slow
def test_web_process_starts(tmp_path):
    result = run("-c", "import settings.wsgi", STATIC_ROOT=str(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")


def test_form_is_json_where_it_says_so():
    assert json.loads(example()["JWT_PRIVATE_SIGNING_JWK"])["kty"] == "RSA"
