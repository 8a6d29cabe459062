"""Transactions that end as a test wants them to."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import transaction


class _UndoneError(Exception):
    """Undoes a block."""


@contextmanager
def rolled_back() -> Iterator[None]:
    """Open a transaction, or a savepoint in the open one, and roll it back at the end of the block."""
    with suppress(_UndoneError), transaction.atomic():
        yield
        raise _UndoneError
