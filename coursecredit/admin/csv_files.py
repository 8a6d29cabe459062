"""Import and export of CSV files, where django-import-export is installed; without it, pages do without."""

from importlib import import_module
from typing import Any

from django.apps import apps


def with_csv(page: type[Any], resource: str) -> type[Any]:
    """Return the page with import and export of the resource with this dotted path, if possible."""
    if not apps.is_installed("import_export"):
        return page
    # Only now: the imports of both modules are an optional dependency.
    module, name = resource.rsplit(".", 1)
    transfer = import_module("coursecredit.admin.transfer")
    extended: type[Any] = transfer.extended(page, getattr(import_module(module), name))
    return extended
