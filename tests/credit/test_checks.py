"""System checks: what a host has to put right (credit contract 3.2, 13, 14)."""

import pytest
from django.core.checks import run_checks
from django.db import connection
from rest_framework.authentication import BasicAuthentication, SessionAuthentication

from credit import checks
from tests.credit.factories import CreditProviderFactory

KEY = "931433d583c84ca7ba41784bad3232e6"


def ids(messages):
    return [message.id for message in messages]


def test_the_tests_own_settings_pass():
    assert [message for message in run_checks() if message.id.startswith("credit.")] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CREDIT_ELIGIBILITY_EXPIRATION_DAYS", "365"),
        ("CREDIT_ELIGIBILITY_EXPIRATION_DAYS", -1),
        ("CREDIT_PROVIDER_TIMESTAMP_EXPIRATION", None),
        ("CREDIT_TASK_MAX_RETRIES", "many"),
        ("FEATURES", None),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(settings, name, value):
    setattr(settings, name, value)
    [error] = checks.check_settings()
    assert error.id == "credit.E001"
    assert name in error.msg or name == "FEATURES"


@pytest.mark.parametrize("name", sorted(checks.OF_NO_USE_AS_ZERO))
def test_a_duration_that_makes_no_sense_is_an_error(settings, name):
    setattr(settings, name, 0)
    [error] = checks.check_durations()
    assert error.id == "credit.E006"
    assert name in error.msg
    setattr(settings, name, "nonsense")  # told by the check of what cannot be read
    assert checks.check_durations() == []


@pytest.mark.parametrize(
    ("claim", "wait", "expected"), [(300, None, []), (300, 10, []), (11, 10, []), (10, 10, ["credit.W005"])]
)
def test_a_claim_outlasts_the_mail_server(settings, claim, wait, expected):
    settings.CREDIT_EMAIL_CLAIM_SECONDS, settings.EMAIL_TIMEOUT = claim, wait
    assert ids(checks.check_durations()) == expected


@pytest.mark.parametrize(("retries", "expected"), [(0, []), (5, []), (-1, ["credit.E007"]), ("many", [])])
def test_fewer_than_no_retries_are_an_error(settings, retries, expected):
    settings.CREDIT_TASK_MAX_RETRIES = retries
    assert ids(checks.check_retries()) == expected


@pytest.mark.parametrize(
    "configured",
    [{"learners": "nowhere.Learners"}, {"learners": "credit.conf"}, {"learners": "credit.signature.signature"}],
)
def test_a_port_that_cannot_be_made_is_an_error(settings, configured):
    settings.CREDIT_PORTS = configured
    assert ids(checks.check_ports()) == ["credit.E002"]


def test_a_port_that_does_not_exist_is_an_error(settings):
    settings.CREDIT_PORTS = {"learner": "credit.backends.EnrolledLearners"}
    assert set(ids(checks.check_ports())) == {"credit.E002"}


def test_an_override_that_cannot_be_imported_is_an_error(settings):
    settings.OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE = "nowhere.to.be.found"
    assert ids(checks.check_override()) == ["credit.E003"]
    settings.OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE = "tests.credit.test_ports.first_only"
    assert checks.check_override() == []


@pytest.mark.parametrize("keys", ["key", ["new", "old"], ("new",)])
def test_usable_keys_pass(settings, keys):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": keys}
    assert checks.check_secret_keys() == []


@pytest.mark.rule("credit.secrets.usable")
@pytest.mark.parametrize(
    "keys",
    ["", "  ", "\u4567", None, 42, b"key", {"key": "key"}, [], (), ["new", None], ["new", ""], ["new", "\u4567"]],
)
def test_unusable_keys_are_a_warning_that_tells_no_key(settings, keys):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": keys, "beauxbatons": KEY}
    [warning] = checks.check_secret_keys()
    assert warning.id == "credit.W001"
    assert "[hogwarts]" in warning.msg
    assert "new" not in str(warning)


def test_keys_that_are_no_dictionary_are_an_error(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = [KEY]
    [error] = checks.check_secret_keys()
    assert error.id == "credit.E004"
    assert KEY not in str(error)


class TestAuthentication:
    def test_a_first_authenticator_without_challenge_is_a_warning(self, settings):
        settings.CREDIT_AUTHENTICATION_CLASSES = [
            f"{SessionAuthentication.__module__}.SessionAuthentication",
            f"{BasicAuthentication.__module__}.BasicAuthentication",
        ]
        assert ids(checks.check_authentication()) == ["credit.W002"]
        settings.CREDIT_AUTHENTICATION_CLASSES.reverse()
        assert checks.check_authentication() == []

    def test_no_authenticator_is_a_warning(self, settings):
        settings.CREDIT_AUTHENTICATION_CLASSES = []
        assert ids(checks.check_authentication()) == ["credit.W002"]

    def test_an_unknown_authenticator_is_an_error(self, settings):
        settings.CREDIT_AUTHENTICATION_CLASSES = ["nowhere.Authentication"]
        assert ids(checks.check_authentication()) == ["credit.E005"]


@pytest.mark.django_db
class TestDatabase:
    def test_checks_that_need_it_run_only_with_it(self):
        CreditProviderFactory(provider_id="hogwarts")
        assert ids(run_checks(databases=["default"])) == ["credit.W004"]
        assert run_checks(databases=[]) == []
        assert run_checks() == []

    @pytest.mark.rule("credit.secrets.usable")
    @pytest.mark.parametrize(
        ("columns", "keys", "warned"),
        [
            pytest.param({}, None, True, id="no key"),
            pytest.param({}, [None, ""], True, id="no usable key"),
            pytest.param({}, KEY, False, id="a key"),
            pytest.param({"active": False}, None, False, id="inactive"),
            pytest.param({"enable_integration": False}, None, False, id="no integration"),
        ],
    )
    def test_an_integrated_provider_needs_a_key(self, settings, columns, keys, warned):
        settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": keys}
        CreditProviderFactory(provider_id="hogwarts", **columns)
        messages = checks.check_integrated_providers(databases=["default"])
        assert ids(messages) == (["credit.W004"] if warned else [])

    def test_before_the_first_migration_there_is_nothing_to_warn_of(self, monkeypatch):
        monkeypatch.setattr(connection.introspection, "table_names", lambda: ["auth_user"])
        assert checks.check_integrated_providers(databases=["default"]) == []

    def test_the_tests_own_collation_passes(self):
        assert checks.check_collation(databases=["default"]) == []

    @pytest.mark.rule("credit.comparison")
    @pytest.mark.database("mysql")
    def test_another_collation_is_a_warning(self):
        with connection.cursor() as cursor:
            cursor.execute("SET collation_database = utf8mb4_general_ci")
            try:
                [warning] = checks.check_collation(databases=["default"])
            finally:
                cursor.execute("SET collation_database = utf8mb4_bin")
        assert warning.id == "credit.W003"
        assert "utf8mb4_general_ci" in warning.msg
