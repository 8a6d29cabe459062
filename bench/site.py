"""What a group of rows is given: the database with its first rows, and the service on demand."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from django.db import connection

from bench import server


@dataclass(frozen=True)
class Site:
    """The site of one run."""

    secret: str = field(repr=False)
    pending: Sequence[str]
    """Requests that wait for a decision, by uuid."""

    def serve(self) -> AbstractContextManager[server.Client]:
        """Run the service until the block ends, without a connection of this process beside it."""
        connection.close()
        return server.serve()
