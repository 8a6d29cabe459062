"""Processes that never outlive the demo, each in a group of its own and with a log file."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from demo.report import Surprise

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STARTING = 60  # seconds
STOPPING = 10  # seconds
DYING = 2  # seconds; beyond it, only the dead are left, whom nobody collects in some containers


class Processes:
    """The processes that were started inside a `with` block; all are gone when it ends, however it ends."""

    def __init__(self, environment: Mapping[str, str], *, folder: Path, logs: Path) -> None:
        """Take what every process gets: environment variables, the folder to work in, and a folder for its log."""
        self._environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self.logs = logs
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Processes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def names(self) -> list[str]:
        return list(self._running)

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def run(self, name: str, *arguments: str) -> None:
        """Run Python with these arguments to its end.

        Raises:
            Surprise: it ended with an error.
        """
        self.start(name, *arguments)
        status = self._running[name].wait()
        del self._running[name]
        if status != 0:
            raise Surprise(self._last_words(name))

    def start(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Start Python with these arguments."""
        # Undisturbed, for a process that is not written down yet would be lost to stop().
        with _undisturbed(), self.log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603  # our own modules
                [sys.executable, *arguments],
                env={**self._environment, **(environment or {})},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C reaches the demo alone, which then ends all groups in order.
                start_new_session=True,
            )

    def wait_for(self, fact: Callable[[], bool], *, seconds: float = STARTING) -> None:
        """Wait until something has become true.

        Raises:
            Surprise: it has not after so many seconds, or a process has ended meanwhile.
        """
        deadline = time.monotonic() + seconds
        while not fact():
            self.require_all()
            if time.monotonic() > deadline:
                raise Surprise(f"It has not happened after {seconds:g} seconds.")
            time.sleep(0.1)

    def require_all(self) -> None:
        """Raise `Surprise` if a process has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise Surprise(f"The process {name!r} has ended.\n{self._last_words(name)}")

    def stop(self) -> None:
        """End every process and its children: politely, and after `STOPPING` seconds by force."""
        with _undisturbed():
            deadline = time.monotonic() + STOPPING
            for process in self._running.values():
                _signal_group(process, signal.SIGTERM)
            for process in self._running.values():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=max(0.0, deadline - time.monotonic()))
                _kill_group(process)
            self._running.clear()

    def _last_words(self, name: str) -> str:
        lines = self.log(name).read_text(errors="replace").splitlines()
        return "\n".join([*lines[-10:], f"({self.log(name)})"])


def free_port(preferred: int = 0) -> int:
    """Return a port of the loopback interface that nobody listens on: the preferred one, if it is free."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            number: int = probe.getsockname()[1]
            return number
    raise Surprise("No port is free.")


def _signal_group(process: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to a process and its children; return whether any of them is there."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children by force, and wait until the last of them is gone."""
    deadline = time.monotonic() + DYING
    while _signal_group(process, signal.SIGKILL) and time.monotonic() < deadline:
        process.poll()
        time.sleep(0.01)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Ctrl-C and the like wait until the block is done."""
    waiting: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: waiting.append(number)) for number in INTERRUPTIONS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for received in waiting:
        signal.raise_signal(received)
