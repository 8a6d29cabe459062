"""Running of management commands in tests."""

from io import StringIO

import attrs
from django.core.management import CommandError, call_command


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@attrs.frozen
class Outcome:
    """What a command wrote, and how it ended."""

    status: int
    out: str
    err: str


def run(*words, terminal=False):
    """Run a command line without `manage.py`; failures become the exit status that a shell would see."""
    out, err = StringIO(), Terminal() if terminal else StringIO()
    status = 0
    try:
        call_command(*words, stdout=out, stderr=err, no_color=True)
    except CommandError as exc:
        status = exc.returncode
        err.write(f"CommandError: {exc}")
    return Outcome(status, out.getvalue(), err.getvalue())
