"""Numbered pages."""

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response


class NumberedPages(PageNumberPagination):
    """Pages of 10, or as many as `page_size` says, up to 100; with how many pages and rows there are."""

    page_size = 10
    page_size_query_param = "page_size"
    max_page_size = 100

    def get_paginated_response(self, data: Any) -> Response:
        assert self.page is not None  # set by paginate_queryset
        paginator = self.page.paginator
        return Response(
            {
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
                "count": paginator.count,
                "num_pages": paginator.num_pages,
                "current_page": self.page.number,
                "start": (self.page.number - 1) * paginator.per_page,
                "results": data,
            }
        )
