"""What the running processes have left behind: mails in a folder, events in their logs."""

import email
import email.policy
import re
from collections import Counter
from pathlib import Path

import attrs

END_OF_MAIL = b"\n" + b"-" * 79 + b"\n"  # as Django's file mail backend writes it
EMITTED = re.compile(r"\b((?:org\.\w+)(?:\.\w+)+\.v\d+) [0-9a-f-]{36}\b.*\[events\.emitted\]")


@attrs.frozen
class Mail:
    """A message that was handed to the mail server, here a file."""

    recipient: str
    subject: str
    path: Path


def mails_in(folder: Path) -> list[Mail]:
    """Return every complete message, in the order of their files."""
    return [mail for path in sorted(folder.glob("*.log")) for mail in _mails_of(path)]


def _mails_of(path: Path) -> list[Mail]:
    *complete, _ = path.read_bytes().split(END_OF_MAIL)
    messages = [email.message_from_bytes(text, policy=email.policy.default) for text in complete]
    return [Mail(str(message["To"]), str(message["Subject"]), path) for message in messages]


def events_in(log: Path) -> Counter[str]:
    """Return how often each type of event has been emitted by the process that wrote this log."""
    return Counter(EMITTED.findall(log.read_text(errors="replace")))
