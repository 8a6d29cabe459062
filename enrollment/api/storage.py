"""Work of several steps on the data backend."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction

from coursecredit.transactions import retried_atomic
from enrollment.ports import data_api

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_one_transaction(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run the function inside the data backend's `atomic()`, or plainly if the backend has none.

    A backend whose `atomic` is Django's own is tried again after a deadlock.
    """
    retried = retried_atomic(function)

    @wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        atomic = getattr(data_api(), "atomic", nullcontext)
        if atomic is transaction.atomic:
            return retried(*args, **kwargs)
        with atomic():
            return function(*args, **kwargs)

    return run
