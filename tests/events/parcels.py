"""The payload of an event type that only tests know."""

import attrs


@attrs.frozen
class Parcel:
    label: str


class Crate(Parcel):
    """A parcel as well."""


PARCEL = Parcel(label="marker-in-the-payload")
