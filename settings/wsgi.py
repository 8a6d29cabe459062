"""The web process: `gunicorn settings.wsgi`. It stops at start if a system check finds an error."""

import os
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from django.core.management import BaseCommand
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from coursecredit.charsets import makes_text

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.production")


def forgiving(application: WSGIApplication) -> WSGIApplication:
    """Drop the parameters of a `Content-Type` on which Django would fail before any error handler is there."""

    def forgive(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        header = environ.get("CONTENT_TYPE", "")
        if not names_text(header):
            environ["CONTENT_TYPE"] = header.partition(";")[0]
        return application(environ, start_response)

    return forgive


def names_text(header: str) -> bool:
    """Tell whether the header can be read and its charset, if any, is one that makes text."""
    try:
        _, parameters = parse_header_parameters(header)
    except (LookupError, ValueError):
        return False
    return makes_text(parameters.get("charset", "utf-8"))


application = forgiving(get_wsgi_application())
BaseCommand().check()
