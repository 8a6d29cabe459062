"""`manage.py consume_events`: takes events of one topic from the bus."""

import argparse
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.management.metrics import serve_consumer_metrics
from events.ports import EventBusConsumer, make_single_consumer

ARGUMENTS = frozenset({"consumer_name", "check_backlog", "last_read_msg_id", "claim_msgs_older_than"})
"""What `--extra` may hold for our own consumer; another one is asked itself."""


@runtime_checkable
class Drainable(Protocol):
    """What a consumer needs for `--once`."""

    def consume_backlog(self) -> None:
        """Try each event that there is once."""


@runtime_checkable
class Interruptible(Protocol):
    """What a consumer needs to stop cleanly."""

    def interrupt(self) -> None:
        """Have it end after the event in hand."""


class Command(BaseCommand):
    """Runs until stopped; SIGTERM and SIGINT have it finish the event in hand. Ends with 1 after an error."""

    help = "Take the events of one topic from the bus and give them to this site's receivers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-t", "--topic", required=True, help="topic, without the environment's prefix")
        parser.add_argument("-g", "--group_id", "--group-id", required=True, help="consumer group")
        parser.add_argument(
            "--extra",
            type=_json_object,
            default={},
            help="JSON object of further arguments: consumer_name, check_backlog, last_read_msg_id, "
            "claim_msgs_older_than (milliseconds)",
        )
        parser.add_argument("--once", action="store_true", help="try what there is once, then end; failures stay")
        parser.add_argument("--metrics-port", type=int, help="serve figures for Prometheus on this port of 127.0.0.1")
        parser.add_argument("--metrics-address", default="127.0.0.1", help="serve them on another address")

    def handle(self, *, topic: str, group_id: str, extra: dict[str, Any], **options: Any) -> None:
        try:
            consumer = make_single_consumer(topic=topic, group_id=group_id, **extra)
            if options["metrics_port"] is not None:
                serve_consumer_metrics(options["metrics_port"], options["metrics_address"], consumer)
            with _stopping_on_signals(consumer):
                _consume(consumer, once=options["once"])
        except ImproperlyConfigured as exc:
            raise CommandError(str(exc)) from exc
        except TypeError as exc:
            if unknown := sorted(set(extra) - ARGUMENTS):
                raise CommandError(f"--extra: the consumer takes no {', '.join(unknown)}.") from exc
            raise
        except CommandError:
            raise
        except Exception as exc:
            # The text of the exception may quote rows or the server's address.
            raise CommandError(f"The consumer has ended because of {type(exc).__qualname__}; see the log.") from exc


def _consume(consumer: EventBusConsumer, *, once: bool) -> None:
    if not once:
        consumer.consume_indefinitely()
    elif isinstance(consumer, Drainable):
        consumer.consume_backlog()
    else:
        raise CommandError("--once: the consumer that EVENT_BUS_CONSUMER makes can only run until it is stopped.")


@contextmanager
def _stopping_on_signals(consumer: EventBusConsumer) -> Iterator[None]:
    """Have SIGTERM and SIGINT end a consumer that knows how, and put their former handlers back afterwards."""
    if not isinstance(consumer, Interruptible):
        yield
        return
    former = {
        number: signal.signal(number, lambda number, frame: consumer.interrupt())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"not JSON: {exc}") from exc
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("must be a JSON object")
    return value
