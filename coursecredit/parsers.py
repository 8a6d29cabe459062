"""Request bodies that cannot reach the database as something it refuses."""

import math
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request

MAX_DEPTH = 50


class StrictJSONParser(JSONParser):
    """JSON without NUL, lone surrogates, numbers that are not finite, or nesting beyond `MAX_DEPTH`: else a 400."""

    strict = True

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError as exc:
            raise ParseError("The JSON is nested too deeply.") from exc
        refuse_unstorable(data)
        return data


class StrictFormParser(FormParser):
    """A form without NUL characters: otherwise a 400."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        data = super().parse(stream, media_type, parser_context)
        refuse_unstorable(dict(data.lists()))
        return data


class StrictMultiPartParser(MultiPartParser):
    """A multipart form without NUL characters in its fields: otherwise a 400."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        parsed = super().parse(stream, media_type, parser_context)
        refuse_unstorable(dict(parsed.data.lists()))
        return parsed


PARSERS = (StrictJSONParser, StrictFormParser, StrictMultiPartParser)


def body_of(request: Request) -> Mapping[str, Any]:
    """Return the body as an object: parsed JSON, or a form, of which each key gives its last value.

    Raises:
        ParseError: it is malformed, or JSON of another kind.
        UnsupportedMediaType: it is something else.
    """
    if not isinstance(request.data, Mapping):
        raise ParseError("The body must be an object.")
    return request.data


def refuse_unstorable(data: Any) -> None:
    """Raise `ParseError` for a value that text columns cannot hold, wherever it stands in the body."""
    waiting: list[tuple[Any, int]] = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(value, str):
            if "\0" in value:
                raise ParseError("NUL characters are not allowed in the body.")
            if not _is_encodable(value):
                raise ParseError("Unpaired surrogates are not allowed in the body.")
        elif isinstance(value, float) and not math.isfinite(value):  # 1e999 is valid JSON
            raise ParseError("Numbers must be finite.")
        elif isinstance(value, dict):
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
