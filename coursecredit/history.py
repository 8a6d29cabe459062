"""History that records changes, not saves."""

from collections.abc import Collection, Iterable
from typing import Any, Self

from django.db import models
from simple_history.models import HistoricalRecords


class RemembersStored(models.Model):
    """A row that knows which of its values the database does not have yet."""

    _stored: dict[str, Any] | None = None

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        self._remember(kwargs.get("update_fields"))

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        instance = super().from_db(*args, **kwargs)
        instance._remember()
        return instance

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        names = None if fields is None else list(fields)
        super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)
        self._remember(names)

    def unsaved_fields(self, among: Collection[str] | None = None) -> list[str]:
        """Return the names of fields, all or among these, whose values differ from what was last read or written."""
        stored = self._stored or {}
        return [
            field.name
            for field in self._loaded_fields(among)
            if field.attname not in stored or stored[field.attname] != self.__dict__[field.attname]
        ]

    def take_as_stored(self) -> None:
        """Take the present values as the database's, after a bulk statement has written them."""
        self._remember()

    def _remember(self, names: Collection[str] | None = None) -> None:
        """Take the present values of these fields, or of all that are loaded, as the database's."""
        present = {field.attname: self.__dict__[field.attname] for field in self._loaded_fields(names)}
        self._stored = {**(self._stored or {}), **present}

    def _loaded_fields(self, names: Collection[str] | None) -> "list[models.Field[Any, Any]]":
        return [
            field
            for field in self._meta.concrete_fields
            if field.attname in self.__dict__ and (names is None or field.name in names or field.attname in names)
        ]


class ChangeHistory(HistoricalRecords):  # type: ignore[misc]  # the library is untyped
    """A history row for every insert, delete and real change of a `RemembersStored` model.

    Bulk statements write none: their callers use simple_history's own bulk helpers.
    """

    def post_save(self, instance: Any, created: bool, using: str | None = None, **kwargs: Any) -> None:
        if created or instance.unsaved_fields(among=kwargs.get("update_fields")):
            super().post_save(instance, created, using=using, **kwargs)
