"""Python source in the making, in which each line knows which part of a payload it is about."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any


class Source:
    """The text of one function, whose values and constants have numbered names.

    An error needs the place in the payload, but keeping track of it would slow down every event that is in order.
    So the line that failed tells the place, as the lines of compiled templates do.
    """

    def __init__(self, head: str, **constants: Any) -> None:
        self._lines = [head]
        self._places = [""]
        self._indent = 1
        self._count = 0
        self._place: list[str] = []
        self._constants = constants

    def add(self, *lines: str) -> None:
        """Append lines at the current depth and about the current place."""
        for line in lines:
            self._lines.append("    " * self._indent + line)
            self._places.append("".join(self._place))

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Put what is added inside under a line such as `if x:`."""
        self.add(head)
        self._indent += 1
        yield
        self._indent -= 1

    @contextmanager
    def at(self, step: str) -> Iterator[None]:
        """Go one step down in the payload; `[{v1}]` is an index that the variable v1 holds."""
        self._place.append(step)
        yield
        self._place.pop()

    def name(self) -> str:
        """Return a name that is not used yet."""
        self._count += 1
        return f"v{self._count}"

    def constant(self, value: Any) -> str:
        """Return the name by which the function knows a value."""
        known = next((name for name, constant in self._constants.items() if constant is value), None)
        if known is not None:
            return known
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return name

    def compiled(self) -> "Compiled":
        """Return the function."""
        text = "\n".join(self._lines)
        namespace = dict(self._constants)
        # The text consists of names made here and of field names, which are Python identifiers already.
        exec(compile(text, "<compiled from an event's schema>", "exec"), namespace)  # noqa: S102  # as said above
        return Compiled(namespace["run"], self._places)


class Compiled:
    """A function made from source, and the place in the payload that each of its lines is about."""

    def __init__(self, run: Callable[..., Any], places: list[str]) -> None:
        self.run = run
        self._places = places

    def place(self, traceback: TracebackType | None) -> str:
        """Return the part of the payload at which the function failed, such as `enrollment.user.id`."""
        while traceback is not None:
            frame = traceback.tb_frame
            if frame.f_code is self.run.__code__:
                return self._places[traceback.tb_lineno - 1].format_map(frame.f_locals)
            traceback = traceback.tb_next
        return ""
