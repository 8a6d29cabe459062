"""Runs inside the environment of the reference's packages: `stock.py consume`, `stock.py produce`, `stock.py schemas`.

`consume TYPE TOPIC COUNT` prints what receivers get, one JSON object per line. `produce TOPIC` reads JSON lines, each
with an event type, a key field and the Avro bytes of the arguments in hex, has the stock producer send objects made of
them, and prints their metadata. `schemas TYPE …` prints the Avro schema of each type, one per line.
"""

import base64
import json
import os
import sys
import threading

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.interop.stock_settings")
django.setup()

import attrs  # noqa: E402  # Django comes first
import edx_event_bus_redis  # noqa: E402
from openedx_events.event_bus.avro.deserializer import deserialize_bytes_to_event_data  # noqa: E402
from openedx_events.event_bus.avro.schema import schema_from_signal  # noqa: E402
from openedx_events.tooling import OpenEdxPublicSignal, load_all_signals  # noqa: E402


def consume(event_type: str, topic: str, count: int) -> None:
    consumer = edx_event_bus_redis.RedisEventConsumer(topic, "stock", "stock-1", check_backlog=True)
    seen = []

    def receiver(signal, metadata, from_event_bus, **data):
        data.pop("sender")
        plain = {name: attrs.asdict(value) for name, value in data.items()}
        told = {"metadata": metadata.to_json(), "from_event_bus": from_event_bus, "data": plain}
        print(json.dumps(told, default=str, sort_keys=True), flush=True)
        seen.append(metadata)
        if len(seen) >= count:
            consumer._shut_down()

    OpenEdxPublicSignal.get_signal_by_type(event_type).connect(receiver)
    consumer.consume_indefinitely()


def produce(topic: str) -> None:
    producer = edx_event_bus_redis.create_producer()
    for line in sys.stdin:
        event = json.loads(line)
        signal = OpenEdxPublicSignal.get_signal_by_type(event["type"])
        metadata = signal.generate_signal_metadata()
        producer.send(
            signal=signal,
            topic=topic,
            event_key_field=event["key"],
            event_data=deserialize_bytes_to_event_data(base64.b16decode(event["payload"]), signal),
            event_metadata=metadata,
        )
        print(metadata.to_json(), flush=True)


def show_schemas(*event_types: str) -> None:
    for event_type in event_types:
        print(json.dumps(schema_from_signal(OpenEdxPublicSignal.get_signal_by_type(event_type))), flush=True)


if __name__ == "__main__":
    load_all_signals()
    threading.Timer(60, lambda: os._exit(3)).start()
    if sys.argv[1] == "consume":
        consume(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    elif sys.argv[1] == "schemas":
        show_schemas(*sys.argv[2:])
    else:
        produce(sys.argv[2])
    os._exit(0)
