"""What others wrote, made fit to be shown: providers' texts as harmless HTML or as text, names of any script."""

import re
import unicodedata
from html import unescape

import nh3
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_bidi

TAGS = {"a", "b", "br", "em", "i", "li", "ol", "p", "strong", "ul"}
LINKS = {"http", "https", "mailto"}
BLOCK = re.compile(r"<(?:p|ol|ul)\b", re.IGNORECASE)
LINE_END = re.compile(r"<br\s*/?>|</(?:p|li)>", re.IGNORECASE)

FIRST_STRONG_ISOLATE = "\N{FIRST STRONG ISOLATE}"
POP_DIRECTIONAL_ISOLATE = "\N{POP DIRECTIONAL ISOLATE}"
DIRECTION_SIGNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
RIGHT_TO_LEFT = frozenset({"R", "AL"})
LEFT_TO_RIGHT = frozenset({"L"})


def as_html(text: str) -> SafeString:
    """Return a provider's text or HTML as HTML of few, harmless elements; of a blank one nothing."""
    if not text.strip():
        return SafeString("")
    html = text if BLOCK.search(text) else linebreaks(text, autoescape=not nh3.is_html(text))
    return mark_safe(nh3.clean(html, tags=TAGS, attributes={"a": {"href"}}, url_schemes=LINKS))  # noqa: S308  # that is what the cleaning is for


def as_text(text: str) -> str:
    """Return a provider's text or HTML as text."""
    if not nh3.is_html(text):
        return text.strip()
    lines = unescape(nh3.clean(LINE_END.sub(r"\g<0>\n", text), tags=set())).splitlines()
    return "\n".join(line.strip() for line in lines).strip()


def one_line(text: str) -> str:
    """Return a name without line breaks and other control characters, which could forge headers or lines."""
    return " ".join("".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in text).split())


def isolated(name: str) -> str:
    """Return a name as it can stand in a sentence of the current language without turning the words around it.

    Signs of direction that it brings along are dropped: they could turn the rest of the text. One that is written in
    the other direction is isolated, as `<bdi>` would do where there are elements.
    """
    name = DIRECTION_SIGNS.sub("", name)
    other = LEFT_TO_RIGHT if get_language_bidi() else RIGHT_TO_LEFT
    if any(unicodedata.bidirectional(sign) in other for sign in name):
        return f"{FIRST_STRONG_ISOLATE}{name}{POP_DIRECTIONAL_ISOLATE}"
    return name
