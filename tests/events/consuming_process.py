"""Consumes parcels in a process of its own, with a receiver that can be made to hold: `consuming_process.py FILE`.

While FILE holds the number of a parcel, its receiver waits inside the transaction, after its effect. With `die` as a
second argument the process kills itself instead of acknowledging anything.
"""

import os
import signal
import sys
import time
from pathlib import Path

import django

django.setup()

from django.contrib.auth.models import Group  # noqa: E402  # Django comes first
from django.core.management import call_command  # noqa: E402

from events.bus.redis.group import ConsumerGroup  # noqa: E402
from events.tooling import OpenEdxPublicSignal  # noqa: E402
from tests.events.parcels import Parcel  # noqa: E402
from tests.events.redis_bus import GROUP  # noqa: E402

PARCEL_SENT = OpenEdxPublicSignal("org.example.parcel.sent.v1", {"parcel": Parcel, "attempt": int})
held = Path(sys.argv[1])


def receiver(attempt, **kwargs):
    Group.objects.create(name=str(attempt))  # a second effect would be refused
    while held.exists() and held.read_text() == str(attempt):
        print(f"holds {attempt}", flush=True)
        time.sleep(0.05)


def die_with_something_to_acknowledge(group, entry_ids):
    if entry_ids:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    PARCEL_SENT.connect(receiver)
    if sys.argv[2:] == ["die"]:
        ConsumerGroup.acknowledge = die_with_something_to_acknowledge
    call_command("consume_events", "-t", "parcels", "-g", GROUP, "--extra", '{"consumer_name": "one"}')
