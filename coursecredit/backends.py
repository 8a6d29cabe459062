"""Loading of what settings name by dotted path; a failure names the setting."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


def load_dotted(path: str, *, setting: str) -> Any:
    """Return the object at a dotted path.

    Raises:
        ImproperlyConfigured: naming the setting and the path, when nothing can be imported there.
    """
    try:
        return import_string(path)
    except (ImportError, AttributeError, TypeError, ValueError) as exc:
        raise ImproperlyConfigured(f"{setting}: cannot import {path!r}: {exc}") from exc


def load_port(name: str, *, configured: Mapping[str, str], defaults: Mapping[str, str], setting: str) -> Any:
    """Return a new instance of the class that plays a port: the configured one, else the default.

    Raises:
        ImproperlyConfigured: `configured` names a port that does not exist, or nothing that can be imported and called.
    """
    unknown = sorted(set(configured) - set(defaults))
    if unknown:
        raise ImproperlyConfigured(f"{setting} names no known port: {', '.join(unknown)}.")
    path = configured.get(name, defaults[name])
    factory: Callable[[], Any] = load_dotted(path, setting=f"{setting}[{name!r}]")
    if not callable(factory):
        raise ImproperlyConfigured(f"{setting}[{name!r}]: {path!r} is not a class.")
    return factory()
