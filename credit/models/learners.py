"""What all rows about one learner have in common."""

from typing import Any, ClassVar

from django.db import models

from credit.types import Retirement


class LearnerRow(models.Model):
    """A row about one learner, linked by username. Personal data."""

    EMPTIED_ON_RETIREMENT: ClassVar[dict[str, Any]] = {}

    username = models.CharField(max_length=255, db_index=True)

    class Meta:
        abstract = True

    @classmethod
    def anonymise(cls, retirement: Retirement) -> int:
        """Replace a learner's name and forget what rows hold about them; return how many rows there were."""
        rows = cls._default_manager.filter(username=retirement.original_username)
        return rows.update(username=retirement.retired_username, **cls.EMPTIED_ON_RETIREMENT)

    @classmethod
    def retire_user(cls, retirement: Retirement) -> bool:
        """Replace a learner's name and forget what rows hold about them; return whether there were any."""
        return bool(cls.anonymise(retirement))
