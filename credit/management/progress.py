"""How far a command is: a bar on a terminal, a line now and then elsewhere."""

import time
from typing import TextIO

WIDTH = 30  # characters
REDRAW = 0.1  # seconds
LINE_EVERY = 1000


class Progress:
    """Counts what is done, of how many. It writes to the stream that results do not go to."""

    def __init__(self, stream: TextIO, total: int, *, what: str) -> None:
        self.done = 0
        self._stream = stream
        self._total = total
        self._what = what
        self._on_terminal = stream.isatty()
        self._drawn = 0.0

    def advance(self) -> None:
        """Count one more."""
        self.done += 1
        if self._on_terminal:
            if time.monotonic() - self._drawn >= REDRAW:
                self._draw()
        elif self.done % LINE_EVERY == 0:
            self._stream.write(f"{self.done} of {self._total} {self._what}\n")

    def end(self) -> None:
        """Leave the bar as it is now, and go on below."""
        if self._on_terminal and self._drawn:
            self._draw()
            self._stream.write("\n")

    def _draw(self) -> None:
        filled = WIDTH * min(self.done, self._total) // self._total if self._total else WIDTH
        bar = "#" * filled + "." * (WIDTH - filled)
        self._stream.write(f"\r[{bar}] {self.done} of {self._total} {self._what}")
        self._stream.flush()
        self._drawn = time.monotonic()
