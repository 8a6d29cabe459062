"""The pages of the practice university: one WSGI application with templates, style and addresses of its own."""

from collections.abc import Callable, Collection, Iterable
from http import HTTPStatus
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.request import split_domain_port, validate_host
from django.template import Context, Engine
from django.urls import Resolver404, URLResolver, path, re_path
from django.urls.resolvers import RegexPattern
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from credit.choices import CREDIT_PROVIDER_ID_REGEX, DECISIONS, RequestStatus
from credit.conf import conf
from credit.sandbox.checking import Report, check
from credit.sandbox.messages import Unreadable, read
from credit.sandbox.university import Archive, ReceivedForm, decide
from credit.signature import usable_keys

MAX_BODY = 64 * 1024  # bytes; a form of the contract has about one thousand
HERE = Path(__file__).parent
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
FILES = {"sandbox.css": "text/css; charset=utf-8", "crest.svg": "image/svg+xml"}
PROTECTION = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Refusal(Exception):
    """A request that is answered by a short page with a status and the reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class PracticeUniversity:
    """The application. Every university lives at `/<provider id>/`: browsers post forms there, people look there."""

    def __init__(self, callback_url: Callable[[str], str], *, hosts: Collection[str] = LOCAL_HOSTS) -> None:
        """Open the university.

        Args:
            callback_url: tells to which address a provider's decisions are posted.
            hosts: names under which it answers, besides the address that a connection has come to.
        """
        self._callback_url = callback_url
        self._hosts = hosts
        self._archive = Archive()
        self._templates = Engine(dirs=[str(HERE / "templates")], builtins=["credit.sandbox.secrecy"])
        university = rf"^(?P<provider_id>{CREDIT_PROVIDER_ID_REGEX})"
        form = rf"{university}/(?P<number>[0-9]{{1,9}})"
        self._addresses = URLResolver(
            RegexPattern(r"^/"),
            [
                path("", require_GET(self.overview)),
                # No provider's id has an underscore.
                path("check_message/", require_http_methods(["GET", "POST"])(self.check_message)),
                *(path(name, require_GET(self.file), {"name": name}) for name in FILES),
                re_path(rf"{university}/?$", require_http_methods(["GET", "POST"])(self.university)),
                re_path(rf"{form}/$", require_GET(self.form)),
                re_path(rf"{form}/decision/$", require_POST(self.decision)),
            ],
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response = self._respond(environ)
        for name, value in PROTECTION.items():
            response.headers[name] = value
        response.headers["Content-Length"] = str(len(response.content))
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]

    def overview(self, request: HttpRequest) -> HttpResponse:
        universities = [(provider_id, _address(request, provider_id)) for provider_id in _open_universities()]
        return self._render("overview.html", universities=universities, forms=self._archive.forms())

    def check_message(self, request: HttpRequest) -> HttpResponse:
        asked = request.POST if request.method == "POST" else request.GET
        provider_id, text = asked.get("provider", ""), asked.get("message", "")
        report: Report | None = None
        refusal = ""
        if request.method == "POST":
            try:
                report = check(read(text), provider_id)
            except Unreadable as exc:
                refusal = str(exc)
        return self._render(
            "check.html",
            status=HTTPStatus.BAD_REQUEST if refusal else HTTPStatus.OK,
            universities=_open_universities(),
            chosen=provider_id,
            text=text,
            report=report,
            refusal=refusal,
        )

    def file(self, request: HttpRequest, name: str) -> HttpResponse:
        return HttpResponse((HERE / "static" / name).read_bytes(), content_type=FILES[name])

    def university(self, request: HttpRequest, provider_id: str) -> HttpResponse:
        if request.method == "POST":
            return self._receive(request, provider_id)
        return self._render(
            "university.html",
            provider_id=provider_id,
            address=_address(request, provider_id),
            callback_url=self._callback_url(provider_id),
            number_of_keys=len(usable_keys(provider_id)),
            forms=self._archive.forms(provider_id),
        )

    def form(self, request: HttpRequest, provider_id: str, number: str) -> HttpResponse:
        return self._render_form(self._find(provider_id, number))

    def decision(self, request: HttpRequest, provider_id: str, number: str) -> HttpResponse:
        _refuse_other_sites(request)
        form = self._find(provider_id, number)
        status = request.POST.get("status", "")
        if status not in DECISIONS:
            raise Refusal(HTTPStatus.BAD_REQUEST, "The decision is neither “approved” nor “rejected”.")
        if not form.can_be_decided:
            raise Refusal(HTTPStatus.CONFLICT, "A form without a right signature and a request_uuid is not decided on.")
        decide(form, RequestStatus(status), callback_url=self._callback_url(provider_id))
        return _see_other(form)

    def _receive(self, request: HttpRequest, provider_id: str) -> HttpResponse:
        form = self._archive.add(provider_id, request.POST.dict())
        return _see_other(form) if form.is_trusted else self._render_form(form, status=HTTPStatus.FORBIDDEN)

    def _respond(self, environ: WSGIEnvironment) -> HttpResponse:
        try:
            request = _read(environ)
            self._refuse_other_hosts(request)
            _refuse_long_body(request)
            match = self._addresses.resolve(request.path_info)
            response: HttpResponse = match.func(request, **match.kwargs)
        except Resolver404:
            return self._refuse(HTTPStatus.NOT_FOUND, "There is no such page.")
        except Refusal as refusal:
            return self._refuse(refusal.status, str(refusal))
        except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError) as exc:
            return self._refuse(HTTPStatus.BAD_REQUEST, f"The request cannot be read: {exc}")
        return response

    def _find(self, provider_id: str, number: str) -> ReceivedForm:
        form = self._archive.get(provider_id, int(number))
        if form is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "There is no such form, or it has been forgotten.")
        return form

    def _refuse_other_hosts(self, request: HttpRequest) -> None:
        """Answer only under an own address: a foreign name that leads here would make its page one of ours."""
        host, _ = split_domain_port(request.META.get("HTTP_HOST", ""))
        if not host or not validate_host(host, [*self._hosts, request.META.get("SERVER_ADDR", "")]):
            reason = "This is no address of the practice university. Start it with --allowed-host to give it one more."
            raise Refusal(HTTPStatus.MISDIRECTED_REQUEST, reason)

    def _refuse(self, status: HTTPStatus, reason: str) -> HttpResponse:
        return self._render("refusal.html", status=status, title=status.phrase, reason=reason)

    def _render_form(self, form: ReceivedForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
        return self._render("form.html", status=status, form=form, provider_id=form.provider_id)

    def _render(self, template: str, *, status: int = HTTPStatus.OK, **context: object) -> HttpResponse:
        # Times stay in UTC, as the pages say, whatever time zone the site has.
        values = Context({**context, "status": status}, use_l10n=False, use_tz=False)
        return HttpResponse(self._templates.get_template(template).render(values), status=status)


def _open_universities() -> list[str]:
    """Return the ids of the providers that have a usable key."""
    return sorted(provider_id for provider_id in conf.CREDIT_PROVIDER_SECRET_KEYS if usable_keys(provider_id))


def _see_other(form: ReceivedForm) -> HttpResponse:
    response = HttpResponseRedirect(f"/{form.provider_id}/{form.number}/")
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def _address(request: HttpRequest, provider_id: str) -> str:
    """Return what belongs into the provider's `provider_url`."""
    return f"http://{request.META.get('HTTP_HOST', '')}/{provider_id}/"


def _read(environ: WSGIEnvironment) -> WSGIRequest:
    try:
        return WSGIRequest(environ)
    except (LookupError, ValueError) as exc:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The header Content-Type cannot be read.") from exc


def _refuse_long_body(request: HttpRequest) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > MAX_BODY:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has at most {MAX_BODY} bytes.")


def _refuse_other_sites(request: HttpRequest) -> None:
    """Decide only by the clerk's own click: another page open in the same browser must not press the button."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None and origin.partition("://")[2] != request.META.get("HTTP_HOST"):
        raise Refusal(HTTPStatus.FORBIDDEN, "A decision must come from this page.")
