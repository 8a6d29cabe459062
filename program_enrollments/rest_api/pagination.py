"""Pages of large tables: by cursor, so that the last page costs as much as the first."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from program_enrollments.conf import conf

LARGEST_ID = 2**63 - 1


class RowPagination(CursorPagination):
    """Rows in the order of their ids. A size that is missing or makes no sense is the default; the rest is capped."""

    ordering = "pk"
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("page_size", "")
        if not (asked.isascii() and asked.isdigit()) or not int(asked[:9]):
            return conf.PAGE_SIZE
        return min(int(asked[:9]), conf.MAX_PAGE_SIZE)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return where the page begins.

        Raises:
            NotFound: the cursor is none that this endpoint has given.
        """
        cursor = super().decode_cursor(request)
        if cursor is None or cursor.position is None or _is_id(cursor.position):
            return cursor
        raise NotFound(self.invalid_cursor_message)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page: Django REST framework's own description does not know that links may be null."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe both parameters: the size is one for a whole number from 1."""
        size, number = {"name": "page_size", "in": "query"}, {"type": "integer", "minimum": 1}
        described: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        return [each for each in described if each["name"] != "page_size"] + [{**size, "schema": number}]


def _is_id(position: Any) -> bool:
    text = str(position)
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST_ID
