"""The one map from errors to HTTP responses, and the mixin by which every API view takes part in it.

A host's `EXCEPTION_HANDLER` is never touched: each view names the handler and its own dialect.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import attrs
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.signals import got_request_exception
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

log = logging.getLogger(__name__)


@attrs.frozen
class Dialect:
    """The names under which a view's clients expect an error's text and its code."""

    text: str
    code: str
    is_problem: bool = False
    """Whether all of it is a problem as RFC 9457 has it; then also a bug is answered, without telling what it is."""


DETAIL = Dialect(text="detail", code="code")
MESSAGE = Dialect(text="message", code="error_code")
DEVELOPER_MESSAGE = Dialect(text="developer_message", code="error_code")
PROBLEM = Dialect(text="detail", code="error_code", is_problem=True)

PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_TYPES = "tag:coursecredit.org,2026:problems/"
"""Begins the URI of every type. It is a name and no address: there is nothing to fetch."""
TITLES = {
    "validation": "The request is not valid.",
    "authn": "Nobody is logged in, or the credentials are not valid.",
    "authz": "The caller may not do this.",
    "not-found": "There is no such thing.",
    "conflict": "This contradicts what has happened meanwhile.",
    "rate-limited": "The caller has called too often.",
    "internal": "Something went wrong on our side.",
}
TYPE_OF = {401: "authn", 403: "authz", 404: "not-found", 409: "conflict", 429: "rate-limited"}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error in the dialect of the view in which it was raised; a bug stays a 500.

    Domain errors answer their text, their code and their members. Django REST framework's own errors keep `detail`
    and gain text and code in the dialect; field errors keep their shape. A view of the dialect `PROBLEM` answers
    problems instead.
    """
    view = context.get("view")
    dialect: Dialect = getattr(view, "dialect", DETAIL)
    response = _answer(exc, context, dialect, getattr(view, "kinds", {}))
    if not dialect.is_problem:
        return response
    if response is None:
        response = _answer_to_bug(exc, context)
    problem = problem_of(response, path=context["request"].path)
    headers = {name: value for name, value in response.items() if name != "Content-Type"}
    return Response(problem, response.status_code, headers=headers, content_type=PROBLEM_MEDIA_TYPE)


def problem_of(response: Response, *, path: str) -> dict[str, Any]:
    """Return the problem that an answer of text and code, or of field errors, describes.

    Args:
        path: of the request: what happened there is told, and not what its query said.
    """
    status, data = response.status_code, response.data
    kind = "internal" if status >= 500 else TYPE_OF.get(status, "validation")
    head = {"type": PROBLEM_TYPES + kind, "title": TITLES[kind], "status": status, "instance": path}
    if isinstance(data, Mapping) and isinstance(data.get(PROBLEM.text), str) and PROBLEM.code in data:
        return {**data, **head}
    return {**head, "detail": TITLES[kind], "error_code": "invalid_fields", "errors": dict(_texts_by_field(data))}


def _texts_by_field(errors: Any, place: str = "") -> Iterable[tuple[str, list[str]]]:
    """Return each field, a nested one with its path, and what is wrong with it."""
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from _texts_by_field(inner, f"{place}.{name}" if place else str(name))
        return
    items = errors if isinstance(errors, list) else [errors]
    if texts := [str(item) for item in items if not isinstance(item, Mapping | list)]:
        yield place or api_settings.NON_FIELD_ERRORS_KEY, texts
    for position, item in enumerate(items):
        if isinstance(item, Mapping | list):
            yield from _texts_by_field(item, f"{place}.{position}" if place else str(position))


def _answer_to_bug(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Answer a bug, having told of it those whom Django would have told."""
    set_rollback()
    request: Request = context["request"]
    got_request_exception.send(sender=type(context["view"]), request=request._request)
    log.error("%s failed.", type(context["view"]).__qualname__, exc_info=exc)
    return Response({PROBLEM.text: TITLES["internal"], PROBLEM.code: "error"}, status=500)


def _answer(
    exc: Exception,
    context: dict[str, Any],
    dialect: Dialect,
    kinds: Mapping[type[DomainError], type[DomainError]],
) -> Response | None:
    if isinstance(exc, DomainError):
        set_rollback()
        body = {**exc.members, dialect.text: str(exc), dialect.code: exc.code}
        return Response(body, status=status_of(exc, kinds))

    if isinstance(exc, BadRequest | SuspiciousOperation):  # Django's own limits: field count, sizes, charset of forms
        exc = exceptions.ParseError("The request could not be read. Send fewer or smaller fields, in UTF-8.")
    response = drf_exception_handler(exc, context)
    if response is not None and _is_single_message(response.data):
        message = response.data["detail"]
        response.data = {**response.data, dialect.text: message, dialect.code: str(getattr(message, "code", "error"))}
    return response


def status_of(exc: DomainError, kinds: Mapping[type[DomainError], type[DomainError]] | None = None) -> int:
    """Return the HTTP status of the error's kind: of the first among its bases, if it has several.

    Args:
        kinds: errors that count as another kind where they were raised.
    """
    for base in type(exc).__mro__:
        base = (kinds or {}).get(base, base)
        if base in STATUS_OF:
            return STATUS_OF[base]
    raise TypeError(f"{type(exc).__name__} is of no known kind: name one of them first among its bases.") from exc


class ApiViewMixin:
    """What every API view of the apps has: its dialect, the handler, strict parsers, its app's authenticators.

    A subclass per app sets `dialect` and overrides `authentication_paths`, naming the setting that it reads.
    """

    dialect: ClassVar[Dialect] = DETAIL
    kinds: ClassVar[Mapping[type[DomainError], type[DomainError]]] = {}
    """Errors that count here as another kind than their own, such as a part of the address that does not exist."""
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
