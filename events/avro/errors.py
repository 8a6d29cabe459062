"""What goes wrong inside; callers see it with the event type and the place as one of `events.exceptions`."""


class Unfit(Exception):
    """There is no encoding for an annotation."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")


class Wrong(Exception):
    """A value is not what its field declares."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"must be {expected}, not {actual}")


class Malformed(Exception):
    """Bytes do not fit the schema. The text never quotes them: they may be personal."""
