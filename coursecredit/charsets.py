"""Charsets in which a body may come: Python knows codecs that make no text, and Django takes any for a charset."""

import codecs

CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252"})


def makes_text(charset: str) -> bool:
    """Tell whether a charset, under any of its names, is one of ours."""
    try:
        return codecs.lookup(charset).name in CHARSETS
    except (LookupError, ValueError):
        return False
