"""System checks of the site. `settings.wsgi`, the worker and every command stop at an error."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

PRIVATE_TO_A_PROCESS = ("LocMemCache", "DummyCache")


@register(Tags.security)
def jwt_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Without `JWT_AUTH`, edx-drf-extensions checks tokens against `SECRET_KEY`, under another header."""
    jwt_auth = getattr(settings, "JWT_AUTH", None) or {}
    missing = [
        name
        for name, suits in {
            "JWT_AUTH_HEADER_PREFIX": jwt_auth.get("JWT_AUTH_HEADER_PREFIX") == "JWT",
            "JWT_DECODE_HANDLER": jwt_auth.get("JWT_DECODE_HANDLER") == "settings.tokens.decode",
            "JWT_PRIVATE_SIGNING_JWK": bool(jwt_auth.get("JWT_PRIVATE_SIGNING_JWK")),
            "JWT_ISSUERS": _are_complete(jwt_auth.get("JWT_ISSUERS")),
        }.items()
        if not suits
    ]
    return [_incomplete_jwt_auth(missing)] if missing else []


@register(Tags.caches, deploy=True)
def shared_cache(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A cache in one process's memory does not hear what other processes change."""
    backend = settings.CACHES["default"]["BACKEND"]
    return [_private_cache(backend)] if backend.endswith(PRIVATE_TO_A_PROCESS) else []


def _are_complete(issuers: Any) -> bool:
    return bool(issuers) and all(
        issuer.get("ISSUER") and issuer.get("AUDIENCE") and issuer.get("JWK_SET") and not issuer.get("SECRET_KEY")
        for issuer in issuers
    )


def _incomplete_jwt_auth(missing: list[str]) -> CheckMessage:
    return Error(
        f"JWT_AUTH is missing, or does not fit in {', '.join(missing)}.",
        hint="Build it with settings.keys.jwt_auth().",
        id="settings.E001",
    )


def _private_cache(backend: str) -> CheckMessage:
    return Warning(
        f"The cache {backend} belongs to one process.",
        hint="Several processes need a shared one: set CACHE_URL to a Redis server.",
        id="settings.W001",
    )
