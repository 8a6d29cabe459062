"""Bodies that are large files: they pass through in pieces, and one that was cut off is no file."""

from collections.abc import Mapping
from typing import IO, Any

from attrs import define
from django.http import UnreadablePostError
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, DataAndFiles

from coursecredit.parsers import StrictMultiPartParser
from enrollment.choices import JobFormat

CUT_OFF = "The body ends before all that was announced has arrived."


@define
class WholeStream:
    """A stream that says so if it ends too early, where Python's servers take what came for all there is."""

    stream: IO[bytes]
    left: int
    name: str = ""

    def read(self, size: int = -1) -> bytes:
        try:
            piece = self.stream.read(size)
        except UnreadablePostError as exc:
            raise ParseError(CUT_OFF) from exc
        self.left -= len(piece)
        if not piece and size != 0 and self.left > 0:
            raise ParseError(CUT_OFF)
        return piece


class RawFileParser(BaseParser):
    """Takes the body for the file, without reading it yet, and the query for the fields that a form would have."""

    input_format: str

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> "DataAndFiles[Any, Any]":  # generic in the stubs only
        request = (parser_context or {})["request"]
        file = WholeStream(stream, announced_length(request), name=f"body.{self.input_format}")
        return DataAndFiles(request.query_params, MultiValueDict({"file": [file]}))


class CsvParser(RawFileParser):
    media_type = "text/csv"
    input_format = JobFormat.CSV


class JsonLinesParser(RawFileParser):
    media_type = "application/jsonl"
    input_format = JobFormat.JSON_LINES


class OlderJsonLinesParser(JsonLinesParser):
    media_type = "application/x-ndjson"


class WholeMultiPartParser(StrictMultiPartParser):
    """A multipart form that has arrived to its end."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        whole = WholeStream(stream, announced_length((parser_context or {})["request"]))
        return super().parse(whole, media_type, parser_context)  # type: ignore[arg-type]  # it is only read


UPLOAD_PARSERS = (WholeMultiPartParser, CsvParser, JsonLinesParser, OlderJsonLinesParser)


def announced_length(request: Any) -> int:
    """Return how many bytes the body has as its header says."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
