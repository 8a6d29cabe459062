"""Settings of the REST endpoints that would fail at the first request."""

import pytest

from enrollment import checks

CHALLENGING = "rest_framework.authentication.BasicAuthentication"
SILENT = "rest_framework.authentication.SessionAuthentication"


def ids(messages):
    return [message.id for message in messages]


def test_nothing_is_wrong_here():
    for check in (checks.check_api_keys, checks.check_rates, checks.check_authentication, checks.check_neighbours):
        assert check() == []


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (None, []),
        ("key", []),
        (["old", "new"], []),
        (7, ["enrollment.E003"]),
        ([7], ["enrollment.E003"]),
        ([b"key"], ["enrollment.E003"]),
    ],
)
def test_keys_are_texts(settings, keys, found):
    settings.EDX_API_KEY = keys

    assert ids(checks.check_api_keys()) == found


@pytest.mark.parametrize("rate", ["", "40", "often", "40/fortnight", None, 40])
def test_rates_can_be_read(settings, rate):
    settings.ENROLLMENT_THROTTLE_RATES = {"staff": rate}
    settings.ENROLLMENT_COURSE_DETAIL_RATE = rate

    problems = checks.check_rates()

    assert ids(problems) == ["enrollment.E004", "enrollment.E004"]
    assert [problem.msg.split(" is ")[0] for problem in problems] == [
        "ENROLLMENT_THROTTLE_RATES['staff']",
        "ENROLLMENT_COURSE_DETAIL_RATE",
    ]


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        ([CHALLENGING, SILENT], []),
        ([SILENT, CHALLENGING], ["enrollment.W002"]),
        ([], ["enrollment.W002"]),
        (["no.such.Class"], ["enrollment.E005"]),
        (None, []),
    ],
)
def test_the_first_authenticator_sends_a_challenge(settings, paths, found):
    settings.ENROLLMENT_AUTHENTICATION_CLASSES = paths

    assert ids(checks.check_authentication()) == found


@pytest.mark.urls("tests.credit.no_urls")
def test_without_the_endpoints_nobody_is_asked_to_log_in(settings):
    settings.ENROLLMENT_AUTHENTICATION_CLASSES = [SILENT]

    assert checks.check_authentication() == []


@pytest.mark.parametrize(
    ("origins", "name", "domain", "found"),
    [
        (["https://shop.example.com"], "shared", ".example.com", []),
        (["https://*.example.com"], "shared", ".example.com", []),
        (["https://shop.example.com"], "", ".example.com", ["enrollment.E006"]),
        (["https://shop.example.com"], "", "", ["enrollment.E006"]),
        ([], "shared", ".example.com", ["enrollment.E006"]),
        (["http://shop.example.com"], "shared", ".example.com", ["enrollment.E007"]),
        (["shop.example.com"], "shared", ".example.com", ["enrollment.E007"]),
    ],
)
def test_neighbours_are_named_completely(settings, origins, name, domain, found):
    settings.CROSS_DOMAIN_CSRF_ORIGINS = origins
    settings.CROSS_DOMAIN_CSRF_COOKIE_NAME = name
    settings.CROSS_DOMAIN_CSRF_COOKIE_DOMAIN = domain

    assert ids(checks.check_neighbours()) == found


def test_jobs_need_a_storage_of_their_own(settings):
    assert checks.check_job_storage() == []
    settings.STORAGES = {name: storage for name, storage in settings.STORAGES.items() if name != "bulk_jobs"}
    assert ids(checks.check_job_storage()) == ["enrollment.W003"]
