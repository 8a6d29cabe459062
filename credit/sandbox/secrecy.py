"""Shared keys are never shown, not even to somebody who pastes one: a page may be on a screen that others see.

Also a template library: `{{ value|without_keys }}`.
"""

from collections.abc import Iterator

from django import template

from credit.conf import conf

HIDDEN = "[a shared key]"

register = template.Library()


@register.filter
def without_keys(text: object) -> str:
    """Return the text with a note in place of every configured key, longer ones first."""
    shown = str(text)
    for key in sorted(_configured_keys(), key=len, reverse=True):
        shown = shown.replace(key, HIDDEN)
    return shown


def contains_key(text: str) -> bool:
    """Tell whether a key stands somewhere in the text."""
    return any(key in text for key in _configured_keys())


def _configured_keys() -> Iterator[str]:
    """Yield every text that the setting holds, usable as a key or not."""
    for secret in conf.CREDIT_PROVIDER_SECRET_KEYS.values():
        for key in secret if isinstance(secret, list | tuple) else [secret]:
            if isinstance(key, str) and key.strip():
                yield key
