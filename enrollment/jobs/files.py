"""Where the files of jobs are: in a storage of their own, because they name people."""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import IO
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.core.files import File
from django.core.files.storage import InvalidStorageError, Storage, storages

ALIAS = "bulk_jobs"

log = logging.getLogger(__name__)


def storage() -> Storage:
    """Return the storage of jobs.

    Raises:
        ImproperlyConfigured: `STORAGES` names none, or one that cannot be made.
    """
    try:
        return storages[ALIAS]
    except InvalidStorageError as exc:
        raise ImproperlyConfigured(f"STORAGES has no usable {ALIAS!r}: {exc}") from exc


def store(job_id: UUID, name: str, stream: IO[bytes]) -> str:
    """Keep what is in a stream, from its beginning, as a file of a job; return its name in the storage."""
    stream.seek(0)
    return storage().save(f"{job_id}/{name}", File(stream))


def delete(name: str) -> None:
    """Delete a file, if it is there."""
    if name:
        storage().delete(name)


def delete_all(job_id: UUID, *names: str) -> None:
    """Delete the files of a job: those named, and those that a killed worker has left beside them."""
    for name in {*names, *(f"{job_id}/{name}" for name in _listed(str(job_id))[1])}:
        delete(name)
    delete(str(job_id))  # a folder, where the storage has such


def left_behind(before: datetime) -> Iterator[UUID]:
    """Yield the ids of jobs under which there are only files from before a moment; some of them may have no row."""
    for folder in _listed("")[0]:
        try:
            job_id = UUID(folder)
        except ValueError:
            continue
        names = [f"{folder}/{name}" for name in _listed(folder)[1]]
        if all(storage().get_modified_time(name) < before for name in names):
            yield job_id


def _listed(folder: str) -> tuple[list[str], list[str]]:
    """Return the folders and files in a folder; nothing where the storage does not tell."""
    try:
        return storage().listdir(folder)
    except (NotImplementedError, FileNotFoundError, NotADirectoryError):
        return [], []
