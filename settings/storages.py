"""Where files are kept."""

from pathlib import Path
from typing import Any


def bulk_jobs(folder: Path | str) -> dict[str, Any]:
    """Return the entry of `STORAGES` that keeps jobs' files in a folder that nobody else may read."""
    private = {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(folder), **private},
    }
