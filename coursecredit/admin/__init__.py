"""Building blocks for staff pages. Their templates are in the lowest app that has such pages, `enrollment`."""

from coursecredit.admin.pages import ReadOnlyAdmin

__all__ = ["ReadOnlyAdmin"]
