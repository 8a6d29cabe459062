"""Environment variables that fail with their name, and never with their value.

Run as a module, it prints an environment in which `settings.production` starts, with fresh secrets: a form to fill in.
"""

import json
import os
import secrets
from collections.abc import Callable
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from settings.databases import database
from settings.keys import JwkSet, new_signing_key, private_key, public_keys

MINIMUM_SECRET = 50  # characters
DEFAULT_SECRETS = ("insecure", "changeme", "change-me", "change_me", "secret-key", "secret_key", "example")


class Environment(environ.Env):  # type: ignore[misc]  # published without types
    """The process's environment, with the kinds of variable that the site has."""

    def required(self, name: str) -> str:
        value = _given(name)
        if not value:
            raise ImproperlyConfigured(f"Set the variable {name}.")
        return value

    def number(self, name: str, *, default: int) -> int:
        """Return a whole number that is not negative."""
        value = _given(name) or str(default)
        if not value.isascii() or not value.isdecimal():
            raise ImproperlyConfigured(f"{name} must be a whole number, not negative.")
        return int(value)

    def secret(self, name: str) -> str:
        """Return a long text that nobody else knows."""
        return _checked_secret(self.required(name), name=name)

    def secrets(self, name: str) -> list[str]:
        """Return such texts, separated by commas; none without the variable."""
        values = [value.strip() for value in _given(name).split(",")]
        return [_checked_secret(value, name=name) for value in values if value]

    def signing_key(self, name: str) -> str:
        """Return a private RSA key as a JSON Web Key."""
        return private_key(self.required(name), name=name)

    def key_set(self, name: str) -> JwkSet | None:
        """Return a JSON Web Key Set, or None without the variable."""
        value = _given(name)
        return public_keys(value, name=name) if value else None

    def json_object(self, name: str) -> dict[str, Any]:
        """Return a JSON object, empty without the variable."""
        try:
            value = json.loads(_given(name) or "{}")
        except ValueError:
            # The parser's message quotes what it read.
            raise ImproperlyConfigured(f"{name} is not JSON.") from None
        if not isinstance(value, dict):
            raise ImproperlyConfigured(f"{name} must be a JSON object.")
        return value

    def lists_of_text(self, name: str) -> dict[str, list[str]]:
        """Return a JSON object of lists of texts, empty without the variable."""
        value = self.json_object(name)
        for texts in value.values():
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise ImproperlyConfigured(f"{name} must be a JSON object of lists of texts.")
        return value

    def database(self, name: str) -> dict[str, Any]:
        """Return one entry of `DATABASES` for a URL such as `postgres://user@host/name`."""
        return self._parsed(name, database)

    def cache_server(self, name: str) -> dict[str, Any]:
        """Return one entry of `CACHES` for a URL such as `redis://host/1`; a Redis server may then be down."""
        config = self._parsed(name, self.cache_url_config)
        if config["BACKEND"].endswith(".RedisCache"):
            config["BACKEND"] = "settings.cache.ForgivingRedisCache"
        return config

    def mail_server(self, name: str) -> dict[str, Any]:
        """Return the `EMAIL_…` settings for a URL such as `smtp+tls://user:password@host:587`."""
        return self._parsed(name, self.email_url_config)

    def _parsed(self, name: str, parse: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        url = self.required(name)
        try:
            return parse(url)
        except (ImproperlyConfigured, KeyError, ValueError, TypeError, AttributeError):
            # Messages may quote the URL and the password in it.
            raise ImproperlyConfigured(f"{name} is not a URL of a known kind.") from None


def _given(name: str) -> str:
    # Not the library's reader: for it, a text that begins with a dollar sign names another variable.
    return os.environ.get(name, "").strip()


def _checked_secret(value: str, *, name: str) -> str:
    if any(word in value.lower() for word in DEFAULT_SECRETS):
        raise ImproperlyConfigured(f"{name} looks like a default: it must be a secret of this site's own.")
    if len(value) < MINIMUM_SECRET or len(set(value)) < 10:
        raise ImproperlyConfigured(f"{name} must have at least {MINIMUM_SECRET} characters, at random.")
    return value


def example() -> dict[str, str]:
    """Return what `settings.production` cannot do without."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(MINIMUM_SECRET),
        "JWT_PRIVATE_SIGNING_JWK": new_signing_key(),
        "SITE_NAME": "credit.example.edu",
        "DATABASE_URL": "postgres://credit@db.example.edu/credit",
        "CACHE_URL": "redis://redis.example.edu/0",
        "CELERY_BROKER_URL": "amqp://credit@rabbitmq.example.edu/",
        "EMAIL_URL": "smtp+tls://credit@mail.example.edu:587",
        "DEFAULT_FROM_EMAIL": "credit@example.edu",
    }


if __name__ == "__main__":
    for variable, value in example().items():
        print(f"{variable}={value}")  # noqa: T201
