"""What the demo starts, it ends."""

import os
import signal
import socket
import subprocess

import pytest

from demo import processes
from demo.processes import Processes, free_port
from demo.report import Surprise

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
print("up", os.getpid(), child, flush=True) if child else None
time.sleep(600)
"""


@pytest.fixture
def started(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "STOPPING", 0.3)
    with Processes(dict(os.environ), folder=tmp_path, logs=tmp_path) as started:
        yield started


def is_running(pid):
    """Tell whether a process exists and is more than an entry that nobody has collected yet."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_stubborn_processes_and_their_children_are_ended(started):
    started.start("stubborn", "-c", STUBBORN)
    started.wait_for(lambda: started.log("stubborn").read_bytes().count(b" ") == 2)
    pids = [int(word) for word in started.log("stubborn").read_text().split()[1:]]
    assert all(is_running(pid) for pid in pids)
    started.stop()
    assert not any(is_running(pid) for pid in pids)


def test_an_interruption_while_a_process_starts_does_not_lose_it(started, monkeypatch):
    born = []

    class Interrupted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            born.append(self.pid)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        started.start("new", "-c", "import time; time.sleep(600)")
    started.stop()
    assert [is_running(pid) for pid in born] == [False]


def test_a_process_can_be_interrupted_after_it_has_started(started):
    started.start("polite", "-c", "import signal; signal.pause()")
    [pid] = [process.pid for process in started._running.values()]
    os.kill(pid, signal.SIGTERM)
    with pytest.raises(Surprise, match="'polite' has ended"):
        started.wait_for(lambda: False, seconds=10)


def test_a_process_that_ends_is_noticed_with_its_last_words(started):
    started.start("short", "-c", "print('so long')")
    with pytest.raises(Surprise, match=r"'short' has ended\.\nso long"):
        started.wait_for(lambda: False)


def test_a_command_that_fails_is_a_surprise(started):
    started.run("fine", "-c", "pass")
    with pytest.raises(Surprise, match="oh no"):
        started.run("failing", "-c", "raise SystemExit('oh no')")


def test_a_command_that_is_interrupted_is_ended(started):
    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    with pytest.raises(KeyboardInterrupt):
        started.run("long", "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    signal.signal(signal.SIGALRM, before)
    started.stop()
    assert not is_running(started.log("long").read_text().strip() or "none")


def test_what_never_happens_is_not_awaited_for_ever(started):
    with pytest.raises(Surprise, match=r"after 0\.2 seconds"):
        started.wait_for(lambda: False, seconds=0.2)


def test_a_preferred_port_is_taken_only_if_it_is_free():
    preferred = free_port()
    assert free_port(preferred) == preferred
    with socket.create_server(("127.0.0.1", preferred)):
        assert free_port(preferred) != preferred
