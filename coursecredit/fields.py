"""Columns that keep themselves."""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute
from opaque_keys.edx.django.models import CourseKeyField


class _Derived(models.Field):  # type: ignore[type-arg]  # generic in the stubs only
    """A value that is computed from the row whenever it is written, by `save` and by `bulk_create`.

    It carries rules such as "unique without regard to case", or "unique while active", as a plain unique constraint,
    which every database has. A query's `update`, or `update_fields` without it, leaves it as it is.
    """

    def __init__(self, *args: Any, derive: Callable[[Any], Any] | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)
        self.derive = derive

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if self.derive is not None:
            setattr(model_instance, self.attname, self.derive(model_instance))
        return super().pre_save(model_instance, add)


class DerivedCharField(_Derived, models.CharField):  # type: ignore[type-arg]  # as above
    """Text that keeps itself."""

    def deconstruct(self) -> Any:
        return _as_plain(super().deconstruct(), "CharField")


class DerivedBigIntegerField(_Derived, models.BigIntegerField):  # type: ignore[type-arg]  # as above
    """A number that keeps itself."""

    def deconstruct(self) -> Any:
        return _as_plain(super().deconstruct(), "BigIntegerField")


class BulkBinaryField(models.BinaryField):  # type: ignore[type-arg]  # as above
    """Bytes, of which PostgreSQL takes many rows as one array: several times as fast as a list of values.

    Django does so unless a field has a placeholder of its own. Bytes have one for the sake of MySQL, whose driver
    marks them as such itself.
    """

    @property
    def get_placeholder(self) -> Any:
        raise AttributeError("Bytes are passed as any other value.")

    def deconstruct(self) -> Any:
        return _as_plain(super().deconstruct(), "BinaryField")


def course_key_field(**options: Any) -> Any:
    """Return a column of course keys, which compare case-sensitively. What is no key raises: check it before.

    The library's types depend on the order in which it is looked at, so they are left out here, once for all.
    """
    return CourseKeyField(max_length=255, case_sensitive=True, **options)  # type: ignore[no-untyped-call]


class _MarksExplicit(DeferredAttribute):
    """Assigning a moment also sets the flag beside it."""

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value
        flag = f"{self.field.attname}_is_explicit"
        # While a row is being made or loaded, the flag comes by itself, or stays in the database.
        is_being_made = instance._state.adding and flag not in instance.__dict__
        if value is not None and not is_being_made:
            setattr(instance, flag, True)


class ExplicitDateTimeField(models.DateTimeField):  # type: ignore[type-arg]  # as above
    """A moment that somebody chose: assigning one also sets `<name>_is_explicit`, a field declared after this one.

    Making or loading a row is no assignment: a model that is made with a moment sets the flag itself.
    """

    descriptor_class = _MarksExplicit

    def deconstruct(self) -> Any:
        return _as_plain(super().deconstruct(), "DateTimeField")


def _as_plain(deconstructed: Any, field: str) -> Any:
    """Let migrations see the plain field of Django: what these classes add does not concern the table."""
    name, _path, args, kwargs = deconstructed
    return name, f"django.db.models.{field}", args, kwargs
