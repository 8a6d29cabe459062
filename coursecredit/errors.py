"""Kinds of domain error, without HTTP. `coursecredit.problems` is the one place that turns them into responses."""

from typing import Any, ClassVar


class DomainError(Exception):
    """The request breaks a rule."""

    code: ClassVar[str] = "error"
    """A stable word for programs; the text is for people and may change."""

    def __init__(self, message: str | None = None, **members: Any) -> None:
        """Take the class docstring as the message unless one is given; `members` travel into the response body."""
        super().__init__(message or self.default_message())
        self.members = members

    @classmethod
    def default_message(cls) -> str:
        """Return the first paragraph of the docstring, on one line."""
        return " ".join((cls.__doc__ or cls.__name__).strip().split("\n\n")[0].split())


class Invalid(DomainError):
    """The request is not valid."""


class NotAllowed(DomainError):
    """This is not allowed."""


class NotFound(DomainError):
    """There is no such thing."""


class Conflict(DomainError):
    """This contradicts what has happened meanwhile."""


class TooLarge(DomainError):
    """This is more than is taken at once."""
