"""`manage.py produce_event`: puts one event on the bus, for trying out and for tests."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from coursecredit.backends import load_dotted
from events.avro import is_fit_for_bus
from events.conf import conf
from events.exceptions import OpenEdxEventException
from events.headers import entry_fields
from events.management.payloads import build_payload
from events.outbox import encoded
from events.ports import Entry, PublishError, get_producer, is_transport
from events.producer_config import key_of
from events.tooling import OpenEdxPublicSignal


class Command(BaseCommand):
    """The event is sent directly, past outbox and receivers, whether or not its topic is configured."""

    help = "Put one event on the bus."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--signal", required=True, help="dotted path of the signal")
        parser.add_argument("--topic", required=True, help="without the environment's prefix")
        parser.add_argument("--key-field", required=True, help="dotted path of the key in the payload")
        parser.add_argument("--data", required=True, help="JSON object of the arguments; keys and times are text")

    def handle(self, **options: Any) -> None:
        try:
            signal = load_dotted(options["signal"], setting="--signal")
            if not isinstance(signal, OpenEdxPublicSignal):
                raise CommandError(f"--signal: {options['signal']} is no public signal.")
            if not is_fit_for_bus(signal):
                raise CommandError(f"--signal: other services cannot read {signal.event_type}.")
            data = build_payload(signal, _json_object(options["data"]))
            self._send(signal, options["topic"], options["key_field"], data)
        except (OpenEdxEventException, ImproperlyConfigured) as exc:
            raise CommandError(str(exc)) from exc
        except PublishError as exc:
            raise CommandError(f"The event did not reach the bus ({exc}).") from exc
        except CommandError:
            raise
        except Exception as exc:
            # What somebody else's producer says may quote the payload.
            raise CommandError(f"The event did not reach the bus ({type(exc).__qualname__}).") from None

    def _send(self, signal: OpenEdxPublicSignal, topic: str, key_field: str, data: Mapping[str, Any]) -> None:
        if conf.EVENT_BUS_PRODUCER is None:
            raise CommandError("EVENT_BUS_PRODUCER is not set: there is no bus.")
        producer = get_producer()
        metadata = signal.generate_signal_metadata()
        if not is_transport(producer):
            producer.send(
                signal=signal, topic=topic, event_key_field=key_field, event_data=data, event_metadata=metadata
            )
            self.stdout.write(f"{metadata.event_type} {metadata.id} was given to the producer.")
            return
        key = key_of(data, key_field)
        fields = entry_fields(
            metadata, encoded(signal, data), event_key=key if conf.EVENT_BUS_REDIS_EXTRA_FIELDS else None
        )
        [result] = producer.publish([Entry(topic, key, fields)])
        if isinstance(result, PublishError):
            raise result
        self.stdout.write(f"{metadata.event_type} {metadata.id} is entry {result}.")


def _json_object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        raise CommandError("--data is not JSON.") from None  # the parser's message quotes what it read
    if not isinstance(data, dict):
        raise CommandError("--data must be a JSON object.")
    return data
