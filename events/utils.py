"""Readable forms of receivers and of what they answered."""

import inspect
import pprint
import traceback
from collections.abc import Iterable
from typing import Any


def dotted_path(receiver: object) -> str:
    """Return module and qualified name of a function, or of the class of any other callable."""
    named: Any = receiver if hasattr(receiver, "__qualname__") else type(receiver)
    return f"{named.__module__}.{named.__qualname__}"


def format_responses(responses: Iterable[tuple[Any, Any]], depth: int | None = None, **options: Any) -> str:
    """Return a response list for people to read: functions as dotted paths, exceptions with their stack traces.

    The text shows whatever the receivers returned, so it does not belong into a log.

    Args:
        responses: what `send_event` returned.
        depth: levels of nesting to show, all by default.
        options: further options of `pprint.PrettyPrinter`, such as `width`.
    """
    return _ResponsePrinter(depth=depth, **options).pformat(list(responses))


class _ResponsePrinter(pprint.PrettyPrinter):
    def format(self, object: object, context: dict[int, int], maxlevels: int, level: int) -> tuple[str, bool, bool]:
        if isinstance(object, BaseException):
            return "".join(traceback.format_exception(object)), False, False
        if inspect.isroutine(object):
            return dotted_path(object), False, False
        return super().format(object, context, maxlevels, level)
