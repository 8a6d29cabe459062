"""What can go wrong with an event. These are programming or configuration errors, never a learner's."""


class OpenEdxEventException(Exception):
    """Any error about events; `message` is its text."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class _EventTypeError(OpenEdxEventException):
    """An error about one event type, whose text begins with the error's class and that type."""

    def __init__(self, event_type: str = "", message: str = "") -> None:
        super().__init__(f"{type(self).__name__} {event_type}: {message}")
        self.event_type = event_type
        self.args = (event_type, message)  # what a copy or an unpickled error is made from


class InstantiationError(_EventTypeError):
    """A signal is defined wrongly, or its event type is taken."""


class SenderValidationError(_EventTypeError):
    """The arguments of an event are not those that its signal declares."""


class ProducerConfigurationError(_EventTypeError):
    """The configuration of the event bus cannot work."""


class EventSerializationError(_EventTypeError):
    """An event's payload cannot be encoded."""


class EventDeserializationError(_EventTypeError):
    """The bytes of a payload do not fit the event's schema."""
