"""The parts of the eligibility mail that come from files: its HTML with the styles moved in, and its logo.

Both are cached, the HTML before it is rendered, so that a mail costs neither the moving of styles nor disk reads.
"""

import logging
import re
from collections.abc import Callable
from email.mime.image import MIMEImage
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, TypedDict, TypeVar
from uuid import uuid4

from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from credit.conf import conf

HTML_TEMPLATE = "credit/email/credit_eligibility_email.html"
HTML_CACHE_KEY = "credit.email.css-email-body"
LOGO_CACHE_KEY = "credit.email.attached-logo"
LOGO_NAME = "logo.png"

TEMPLATE_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
MARK = re.compile(r"(?:<!--|&lt;!--)?x-template-tag-(\d+)-x(?:-->|--&gt;)?")
ELEMENT_TAG_OR_MARK = re.compile(r"<[^<>]*>|x-template-tag-\d+-x")
BEFORE_DOCUMENT = re.compile(r"\s*(?:<!--x-template-tag-\d+-x-->\s*)*")

Part = TypeVar("Part")

log = logging.getLogger(__name__)


class ImageDict(TypedDict):
    """An image for a mail; `path` is absolute or inside the static-files directories, `cid` without brackets."""

    title: str
    path: str
    cid: str


def render_html(context: dict[str, Any]) -> str:
    """Return the mail's HTML; empty if there is no template."""
    try:
        template: Any = get_template(HTML_TEMPLATE)
    except TemplateDoesNotExist:
        log.error("The eligibility mail has no HTML: there is no template %s.", HTML_TEMPLATE)
        return ""
    styled = _cached(HTML_CACHE_KEY, lambda: with_inline_css(template.template.source))
    html: str = _compiled(template.backend, styled).render(context)
    return html


def logo() -> MIMEImage | None:
    """Return the logo as a part of a mail, or None if its file is missing. While it is cached, so is its id."""
    image = ImageDict(title="Logo", path=conf.NOTIFICATION_EMAIL_EDX_LOGO, cid=f"logo-{uuid4().hex}")
    return _cached(LOGO_CACHE_KEY, lambda: attach_image(image, LOGO_NAME))


def attach_image(img_dict: ImageDict, filename: str) -> MIMEImage | None:
    """Return an inline part that HTML can show as `cid:…`, or None if the file is missing."""
    content = _read(img_dict["path"])
    if content is None:
        return None
    part = MIMEImage(content)
    part.add_header("Content-ID", f"<{img_dict['cid']}>")
    part.add_header("Content-Disposition", "inline", filename=filename)
    return part


def with_inline_css(html_without_css: str) -> str:
    """Return the HTML with the rules of the site's stylesheet moved into `style` attributes.

    It may be a template: its tags come through as they are. What cannot be styled is returned unchanged: without a
    stylesheet, with one that makes no sense, and if a template tag would be lost on the way.
    """
    css = _read(conf.NOTIFICATION_EMAIL_CSS)
    if css is None:
        return html_without_css

    tags: list[str] = TEMPLATE_TAG.findall(html_without_css)
    marked = _marked(html_without_css)
    before = BEFORE_DOCUMENT.match(marked)[0]  # type: ignore[index]  # it matches everything, if only an empty text
    try:
        styled = before + _move_styles(marked.removeprefix(before), css.decode())
    except Exception as exc:
        log.error("The mail goes without styles: they cannot be moved into its template (%s).", type(exc).__name__)
        return html_without_css
    if [int(number) for number in MARK.findall(styled)] != [*range(len(tags))]:
        log.error("The mail goes without styles: moving them into its template would lose template tags.")
        return html_without_css
    return MARK.sub(lambda mark: tags[int(mark[1])], styled)


def file_path_finder(path: str) -> str | None:
    """Return where a static file is on disk, or None."""
    found: str | None = finders.find(path)
    return found


@lru_cache(maxsize=2)
def _compiled(engine: Any, source: str) -> Any:
    return engine.from_string(source)


def _marked(template: str) -> str:
    """Replace each template tag by a mark that an HTML parser leaves where it is.

    Between elements that is a comment, which is allowed everywhere; inside an element's own tag it is a word.
    """
    number = count()
    words = TEMPLATE_TAG.sub(lambda tag: f"x-template-tag-{next(number)}-x", template)
    return ELEMENT_TAG_OR_MARK.sub(lambda part: part[0] if part[0].startswith("<") else f"<!--{part[0]}-->", words)


def _move_styles(html: str, css: str) -> str:
    # Here and not above: the inliner takes a fifth of a second to import, and one process in five hours needs it.
    from premailer import Premailer

    inliner = Premailer(
        css_text=css,
        allow_network=False,
        cache_css_parsing=False,
        cssutils_logging_level=logging.CRITICAL,
        disable_validation=True,
        strip_important=False,
    )
    styled: str = inliner.transform(html, pretty_print=False)
    return styled


def _read(path: str) -> bytes | None:
    """Return a file's content, or None with a log line; the path is absolute or of a static file."""
    found = path if path.startswith("/") else file_path_finder(path)
    try:
        if found is not None:
            return Path(found).read_bytes()
    except OSError as exc:
        log.warning("File %s of the eligibility mail cannot be read (%s).", path, type(exc).__name__)
        return None
    log.warning("File %s of the eligibility mail is not among the static files.", path)
    return None


def _cached(key: str, build: Callable[[], Part]) -> Part:
    part: Part | None = cache.get(key)
    if part is None:
        part = build()
        if part is not None:
            cache.set(key, part, conf.CREDIT_NOTIFICATION_CACHE_TIMEOUT.total_seconds())
    return part
