"""System checks: what stops the start, and what is only pointed out."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from settings import checks

COMPLAINT = "settings.E001"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param(None, "JWT_ISSUERS", id="no setting at all"),
        pytest.param({"JWT_AUTH_HEADER_PREFIX": "Bearer"}, "JWT_AUTH_HEADER_PREFIX", id="another header"),
        pytest.param({"JWT_DECODE_HANDLER": "a.b"}, "JWT_DECODE_HANDLER", id="another decoder"),
        pytest.param({"JWT_PRIVATE_SIGNING_JWK": ""}, "JWT_PRIVATE_SIGNING_JWK", id="no key"),
        pytest.param({"JWT_ISSUERS": []}, "JWT_ISSUERS", id="no issuer"),
        pytest.param({"JWT_ISSUERS": [{"ISSUER": "a", "AUDIENCE": "b"}]}, "JWT_ISSUERS", id="issuer without keys"),
    ],
)
def test_incomplete_jwt_settings_stop_the_start(settings, change, named):
    settings.JWT_AUTH = None if change is None else {**settings.JWT_AUTH, **change}
    with pytest.raises(SystemCheckError, match=COMPLAINT) as stop:
        call_command("check")
    assert named in str(stop.value)


def test_issuer_with_a_shared_secret_stops_the_start(settings):
    own = settings.JWT_AUTH["JWT_ISSUERS"][0]
    settings.JWT_AUTH = {**settings.JWT_AUTH, "JWT_ISSUERS": [{**own, "SECRET_KEY": "shared"}]}
    with pytest.raises(SystemCheckError, match=COMPLAINT):
        call_command("check")


def test_missing_setting_stops_the_start(settings):
    del settings.JWT_AUTH
    with pytest.raises(SystemCheckError, match=COMPLAINT):
        call_command("check")


def test_the_sites_own_settings_pass():
    call_command("check")


@pytest.mark.parametrize(
    ("backend", "warned"),
    [
        ("django.core.cache.backends.locmem.LocMemCache", True),
        ("django.core.cache.backends.dummy.DummyCache", True),
        ("settings.cache.ForgivingRedisCache", False),
        ("django.core.cache.backends.filebased.FileBasedCache", False),
    ],
)
def test_cache_of_one_process_is_pointed_out(settings, backend, warned):
    settings.CACHES = {"default": {"BACKEND": backend}}
    assert [message.id for message in checks.shared_cache(None)] == ["settings.W001"] * warned
