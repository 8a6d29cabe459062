"""Import and export of CSV files, where django-import-export is installed; without it, pages do without."""

from importlib import import_module
from typing import Any

from django.apps import apps


def with_csv(page: type[Any], resource: str) -> type[Any]:
    """Return the page with import and export of the named resource of `credit.admin.transfer`, if possible."""
    if not apps.is_installed("import_export"):
        return page
    transfer = import_module("credit.admin.transfer")  # its imports are an optional dependency
    extended: type[Any] = transfer.extended(page, getattr(transfer, resource))
    return extended
