"""The one map from errors to HTTP responses, and the mixin by which every API view takes part in it.

A host's `EXCEPTION_HANDLER` is never touched: each view names the handler and its own dialect.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as drf_exception_handler
from rest_framework.views import set_rollback

from coursecredit.backends import load_dotted
from coursecredit.charsets import makes_text
from coursecredit.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, TooLarge
from coursecredit.parsers import PARSERS

STATUS_OF: dict[type[DomainError], int] = {Invalid: 400, NotAllowed: 403, NotFound: 404, Conflict: 409, TooLarge: 413}


@attrs.frozen
class Dialect:
    """The names under which a view's clients expect an error's text and its code."""

    text: str
    code: str


DETAIL = Dialect(text="detail", code="code")
MESSAGE = Dialect(text="message", code="error_code")
DEVELOPER_MESSAGE = Dialect(text="developer_message", code="error_code")


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error in the dialect of the view in which it was raised; a bug stays a 500.

    Domain errors answer their text, their code and their members. Django REST framework's own errors keep `detail`
    and gain text and code in the dialect; field errors keep their shape.
    """
    dialect: Dialect = getattr(context.get("view"), "dialect", DETAIL)
    if isinstance(exc, DomainError):
        set_rollback()
        return Response({**exc.members, dialect.text: str(exc), dialect.code: exc.code}, status=status_of(exc))

    if isinstance(exc, BadRequest | SuspiciousOperation):  # Django's own limits: field count, sizes, charset of forms
        exc = exceptions.ParseError("The request could not be read. Send fewer or smaller fields, in UTF-8.")
    response = drf_exception_handler(exc, context)
    if response is not None and _is_single_message(response.data):
        message = response.data["detail"]
        response.data = {**response.data, dialect.text: message, dialect.code: str(getattr(message, "code", "error"))}
    return response


def status_of(exc: DomainError) -> int:
    """Return the HTTP status of the error's kind: of the first among its bases, if it has several."""
    for base in type(exc).__mro__:
        if base in STATUS_OF:
            return STATUS_OF[base]
    raise TypeError(f"{type(exc).__name__} is of no known kind: name one of them first among its bases.") from exc


class ApiViewMixin:
    """What every API view of the apps has: its dialect, the handler, strict parsers, its app's authenticators.

    A subclass per app sets `dialect` and overrides `authentication_paths`, naming the setting that it reads.
    """

    dialect: ClassVar[Dialect] = DETAIL
    parser_classes: Sequence[type[BaseParser]] = PARSERS
    authentication_classes: Any = None  # None: as settings say; else a sequence, as Django REST framework has it
    authentication_setting: ClassVar[str] = "DEFAULT_AUTHENTICATION_CLASSES"

    def get_exception_handler(self) -> Any:
        return exception_handler

    def authentication_paths(self) -> Sequence[str] | None:
        """Return dotted paths from the app's setting, or None for the project's default list."""
        return None

    def get_authenticators(self) -> list[BaseAuthentication]:
        classes = self.authentication_classes
        if classes is None:
            classes = self._configured_authentication_classes()
        return [authenticator() for authenticator in classes]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # Django takes every codec of Python's as a charset, also zlib and others that make no text.
        if request.encoding is not None and not makes_text(request.encoding):
            request.encoding = "utf-8"
        initialized: Request = super().initialize_request(request, *args, **kwargs)  # type: ignore[misc]  # mixed in
        return initialized

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # of the view that this is mixed into
        values = [*kwargs.values(), *(value for _, values in request.query_params.lists() for value in values)]
        if any(isinstance(value, str) and "\0" in value for value in values):
            raise exceptions.ParseError("NUL characters are not allowed in the address.")

    def _configured_authentication_classes(self) -> Sequence[type[BaseAuthentication]]:
        paths = self.authentication_paths()
        if paths is None:
            defaults: Sequence[type[BaseAuthentication]] = api_settings.DEFAULT_AUTHENTICATION_CLASSES  # type: ignore[assignment]  # DRF has imported them
            return defaults
        return [load_dotted(path, setting=self.authentication_setting) for path in paths]


def _is_single_message(data: Any) -> bool:
    return isinstance(data, dict) and set(data) == {"detail"} and isinstance(data["detail"], str)
