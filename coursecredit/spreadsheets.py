"""Tables that people open with a spreadsheet program."""

RISKY_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: str) -> str:
    """Return a text so that a spreadsheet program shows it and does not take it for a formula.

    What might be one gets an apostrophe in front, which such programs hide.
    """
    return f"'{cell}" if cell.startswith(RISKY_BEGINNINGS) else cell
