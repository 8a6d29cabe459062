"""Tables that people open with a spreadsheet program."""

RISKY_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: str) -> str:
    """Return a text so that a spreadsheet program shows it and does not take it for a formula.

    What might be one gets an apostrophe in front, which such programs hide; so does what looks as if it had one, so
    that `as_written` gives every text back.
    """
    is_risky = cell.startswith(RISKY_BEGINNINGS)
    return f"'{cell}" if is_risky or _has_guard(cell) else cell


def as_written(cell: str) -> str:
    """Return a cell of a file that may have come from us, without the apostrophe that `harmless` put in front."""
    return cell[1:] if _has_guard(cell) else cell


def _has_guard(cell: str) -> bool:
    return cell.startswith("'") and cell.lstrip("'").startswith(RISKY_BEGINNINGS)
