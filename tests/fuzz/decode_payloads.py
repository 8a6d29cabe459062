"""Feeds the payload decoder with what coverage finds interesting, until told to stop.

`make fuzz` runs it for a while. By hand: `python -m tests.fuzz.decode_payloads -runs=1000000`, or any other options of
libFuzzer. The first byte chooses the kind of event, the rest is its payload. Any outcome but a value or our own error
ends the run with the bytes that led to it; so does a value that does not survive being written and read again.
"""

import os
import sys
import tempfile
from pathlib import Path

import atheris
import django

with atheris.instrument_imports(include=["events.avro", "opaque_keys", "ccx_keys"]):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.test")
    django.setup()
    from events import avro
    from events.exceptions import EventDeserializationError
    from events.tooling import OpenEdxPublicSignal
    from tests.events.records import DESCRIBED

SIGNALS = list(
    {
        next(iter(signal.init_data.values())): signal
        for signal in OpenEdxPublicSignal.all_events()
        if avro.is_fit_for_bus(signal)
    }.values()
)
"""One for each payload class that travels."""


def check(data: bytes) -> None:
    """Decode and, if that gives a value, encode it again."""
    if not data:
        return
    signal = SIGNALS[data[0] % len(SIGNALS)]
    try:
        decoded = avro.decode(signal, data[1:])
    except EventDeserializationError:
        return
    again = avro.encode(signal, decoded)
    assert avro.encode(signal, avro.decode(signal, again)) == again


def write_seeds(folder: Path) -> None:
    """Begin with the golden payloads of the contract."""
    for index, signal in enumerate(SIGNALS):
        (cls,) = signal.init_data.values()
        for vector in DESCRIBED[cls.__name__].get("vectors", []):
            seed = folder / f"{cls.__name__}-{vector['case']}"
            seed.write_bytes(bytes([index]) + bytes.fromhex(vector["hex"]))


def main() -> None:
    """Run libFuzzer."""
    for signal in SIGNALS:
        codec = avro._codec(signal)
        atheris.instrument_func(codec.encoder.run)
        atheris.instrument_func(codec.decoder.run)
    with tempfile.TemporaryDirectory() as folder:
        write_seeds(Path(folder))
        atheris.Setup([sys.argv[0], "-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", *sys.argv[1:], folder], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
