"""From errors to responses: one handler, a dialect per view, nothing kept of what failed."""

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation, TooManyFieldsSent
from django.db import connection
from django.http import Http404
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from coursecredit.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, TooLarge
from coursecredit.problems import DEVELOPER_MESSAGE, MESSAGE, PROBLEM, ApiViewMixin, status_of

pytestmark = pytest.mark.urls(__name__)


class SeatTaken(Conflict):
    """The seat is taken."""

    code = "seat_taken"


class OfNoKind(DomainError):
    """Something is wrong."""


class Seat(serializers.Serializer):
    row = serializers.IntegerField()
    detail = serializers.ListField(child=serializers.IntegerField(), required=False)


class RaisingView(ApiViewMixin, APIView):
    """Raises what the test puts here."""

    authentication_classes = ()
    permission_classes = ()
    raises: Exception = SeatTaken()

    def get(self, request: Request) -> Response:
        Group.objects.create(name="kept?")
        raise type(self).raises


class EchoView(ApiViewMixin, APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request, word: str) -> Response:
        return Response({"word": word, "query": request.query_params})

    def post(self, request: Request, word: str) -> Response:
        return Response({"data": request.data})


class SeatView(ApiViewMixin, APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        Seat(data=request.data).is_valid(raise_exception=True)
        return Response()


class ConfiguredView(ApiViewMixin, APIView):
    """Authenticates as its app's setting says."""

    permission_classes = (IsAuthenticated,)
    authentication_setting = "THEATRE_AUTHENTICATION_CLASSES"
    paths: list[str] | None = ["rest_framework.authentication.BasicAuthentication"]

    def authentication_paths(self) -> list[str] | None:
        return self.paths

    def get(self, request: Request) -> Response:
        return Response(request.user.get_username())


urlpatterns = [
    path("detail/", RaisingView.as_view()),
    path("message/", RaisingView.as_view(dialect=MESSAGE)),
    path("developer/", RaisingView.as_view(dialect=DEVELOPER_MESSAGE)),
    path("problem/", RaisingView.as_view(dialect=PROBLEM, kinds={SeatTaken: NotFound})),
    path("seat/", SeatView.as_view()),
    path("problem/seat/", SeatView.as_view(dialect=PROBLEM)),
    path("echo/<path:word>", EchoView.as_view()),
    path("configured/", ConfiguredView.as_view()),
]


@pytest.fixture
def api_client() -> APIClient:
    return APIClient()


@pytest.fixture
def answer(api_client, monkeypatch):
    """Return status and body with which a view of the named dialect answers an error."""

    def answer(error: Exception, dialect: str = "detail") -> tuple[int, object]:
        monkeypatch.setattr(RaisingView, "raises", error)
        response = api_client.get(f"/{dialect}/")
        return response.status_code, response.json()

    return answer


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "status"),
    [(Invalid, 400), (NotAllowed, 403), (NotFound, 404), (Conflict, 409), (TooLarge, 413)],
    ids=lambda value: str(value),
)
def test_the_kind_decides_the_status(answer, kind, status):
    assert answer(kind("Because.")) == (status, {"detail": "Because.", "code": "error"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("detail", {"detail": "The seat is taken.", "code": "seat_taken", "row": 7}),
        ("message", {"message": "The seat is taken.", "error_code": "seat_taken", "row": 7}),
        ("developer", {"developer_message": "The seat is taken.", "error_code": "seat_taken", "row": 7}),
    ],
)
def test_a_domain_error_answers_text_code_and_members_in_the_views_dialect(answer, dialect, body):
    assert answer(SeatTaken(row=7), dialect) == (409, body)


@pytest.mark.django_db
def test_a_member_cannot_pose_as_text_or_code(answer):
    assert answer(SeatTaken(detail="No.", code="other")) == (
        409,
        {"detail": "The seat is taken.", "code": "seat_taken"},
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status", "text", "code"),
    [
        pytest.param(exceptions.NotAuthenticated(), 403, None, "not_authenticated", id="anonymous"),
        pytest.param(exceptions.PermissionDenied(), 403, None, "permission_denied", id="forbidden"),
        pytest.param(PermissionDenied("Not you."), 403, "Not you.", "permission_denied", id="Django's forbidden"),
        pytest.param(Http404("No seat."), 404, "No seat.", "not_found", id="Django's not found"),
        pytest.param(exceptions.ParseError("No JSON."), 400, "No JSON.", "parse_error", id="unreadable"),
        pytest.param(exceptions.APIException("Later.", code="later"), 500, "Later.", "later", id="a code of its own"),
    ],
)
def test_errors_of_the_framework_gain_text_and_code(answer, error, status, text, code):
    answered, body = answer(error, "developer")
    text = text or str(error.detail)
    assert (answered, body) == (status, {"detail": text, "developer_message": text, "error_code": code})


@pytest.mark.django_db
def test_headers_of_the_framework_stay(api_client, monkeypatch):
    monkeypatch.setattr(RaisingView, "raises", exceptions.Throttled(wait=30))
    response = api_client.get("/detail/")
    assert (response.status_code, response["Retry-After"], response.json()["code"]) == (429, "30", "throttled")


@pytest.mark.django_db
@pytest.mark.parametrize("error", [BadRequest("Odd."), SuspiciousOperation("Odd."), TooManyFieldsSent("1001 fields.")])
def test_djangos_own_refusals_are_answered_like_other_bad_requests(answer, error):
    text = "The request could not be read. Send fewer or smaller fields, in UTF-8."
    assert answer(error, "message") == (400, {"detail": text, "message": text, "error_code": "parse_error"})


@pytest.mark.parametrize(
    ("data", "body"),
    [
        ({}, {"row": ["This field is required."]}),
        ({"row": 1, "detail": ["x"]}, {"detail": {"0": ["A valid integer is required."]}}),
        ({"row": 1, "detail": 7}, {"detail": ['Expected a list of items but got type "int".']}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)
def test_field_errors_keep_their_shape(api_client, data, body):
    response = api_client.post("/seat/", data, format="json")
    assert (response.status_code, response.json()) == (400, body)


@pytest.mark.django_db
@pytest.mark.parametrize("error", [["One.", "Two."], {"row": "Taken."}])
def test_validation_errors_raised_by_hand_keep_their_shape(answer, error):
    assert answer(exceptions.ValidationError(error)) == (400, error)


@pytest.mark.django_db
def test_a_bug_stays_a_server_error(answer):
    with pytest.raises(ZeroDivisionError):
        answer(ZeroDivisionError())


@pytest.mark.django_db
def test_an_error_of_no_kind_is_a_bug_that_names_its_class(answer):
    with pytest.raises(TypeError, match="OfNoKind is of no known kind"):
        answer(OfNoKind())


PROBLEMS = "tag:coursecredit.org,2026:problems/"
TITLES = {
    "validation": "The request is not valid.",
    "authz": "The caller may not do this.",
    "not-found": "There is no such thing.",
    "conflict": "This contradicts what has happened meanwhile.",
    "rate-limited": "The caller has called too often.",
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status", "kind", "text", "code"),
    [
        pytest.param(Invalid("No."), 400, "validation", "No.", "error", id="invalid"),
        pytest.param(NotAllowed("No."), 403, "authz", "No.", "error", id="not allowed"),
        pytest.param(NotFound("No."), 404, "not-found", "No.", "error", id="not found"),
        pytest.param(Conflict("No."), 409, "conflict", "No.", "error", id="conflict"),
        pytest.param(TooLarge("No."), 413, "validation", "No.", "error", id="too large"),
        pytest.param(SeatTaken(), 404, "not-found", "The seat is taken.", "seat_taken", id="of another kind there"),
        pytest.param(exceptions.ParseError("No."), 400, "validation", "No.", "parse_error", id="unreadable"),
        pytest.param(exceptions.PermissionDenied("No."), 403, "authz", "No.", "permission_denied", id="forbidden"),
        pytest.param(Http404("No."), 404, "not-found", "No.", "not_found", id="Django's not found"),
        pytest.param(
            exceptions.MethodNotAllowed("GET", "No."), 405, "validation", "No.", "method_not_allowed", id="405"
        ),
        pytest.param(exceptions.Throttled(detail="No."), 429, "rate-limited", "No.", "throttled", id="too often"),
    ],
)
def test_an_error_is_a_problem_where_the_view_says_so(answer, error, status, kind, text, code):
    assert answer(error, "problem") == (
        status,
        {
            "type": PROBLEMS + kind,
            "title": TITLES[kind],
            "status": status,
            "detail": text,
            "instance": "/problem/",
            "error_code": code,
        },
    )


@pytest.mark.django_db
def test_members_of_an_error_are_members_of_the_problem_but_no_other(answer):
    _, body = answer(SeatTaken(row=7, status="kept?", instance="kept?"), "problem")
    assert (body["row"], body["status"], body["instance"]) == (7, 404, "/problem/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "errors"),
    [
        pytest.param({"row": ["Taken.", "Broken."]}, {"row": ["Taken.", "Broken."]}, id="field"),
        pytest.param(["Sold out."], {"non_field_errors": ["Sold out."]}, id="no field"),
        pytest.param("Sold out.", {"non_field_errors": ["Sold out."]}, id="text"),
        pytest.param({"detail": ["Odd."]}, {"detail": ["Odd."]}, id="field named detail"),
        pytest.param(
            {"seats": [{"row": ["Taken."]}, {}, {"place": {"x": ["Far."]}}]},
            {"seats.0.row": ["Taken."], "seats.2.place.x": ["Far."]},
            id="nested",
        ),
    ],
)
def test_field_errors_are_members_of_the_problem(answer, error, errors):
    status, body = answer(exceptions.ValidationError(error), "problem")
    assert (status, body["type"], body["errors"]) == (400, f"{PROBLEMS}validation", errors)


def test_field_errors_of_a_form_are_too(api_client):
    response = api_client.post("/problem/seat/", {}, format="json")
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, response.json()) == (
        400,
        {
            "type": f"{PROBLEMS}validation",
            "title": "The request is not valid.",
            "status": 400,
            "detail": "The request is not valid.",
            "instance": "/problem/seat/",
            "error_code": "invalid_fields",
            "errors": {"row": ["This field is required."]},
        },
    )


@pytest.mark.django_db
def test_the_query_is_not_part_of_a_problem_and_headers_stay(api_client, monkeypatch):
    monkeypatch.setattr(RaisingView, "raises", exceptions.Throttled(wait=30))
    response = api_client.get("/problem/?email=eve@example.com")
    assert (response["Retry-After"], response.json()["instance"]) == ("30", "/problem/")


@pytest.mark.django_db
def test_a_bug_is_a_problem_that_tells_nothing_of_it(monkeypatch, caplog):
    monkeypatch.setattr(RaisingView, "raises", ZeroDivisionError("secret"))
    response = APIClient(raise_request_exception=False).get("/problem/")
    assert (response.status_code, response.json()) == (
        500,
        {
            "type": f"{PROBLEMS}internal",
            "title": "Something went wrong on our side.",
            "status": 500,
            "detail": "Something went wrong on our side.",
            "instance": "/problem/",
            "error_code": "error",
        },
    )
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.django_db
def test_a_bug_is_told_to_whoever_watches_for_bugs(answer):
    with pytest.raises(ZeroDivisionError):
        answer(ZeroDivisionError(), "problem")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [SeatTaken(), ZeroDivisionError()])
def test_nothing_is_kept_of_a_request_that_became_a_problem(monkeypatch, error):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    monkeypatch.setattr(RaisingView, "raises", error)
    APIClient(raise_request_exception=False).get("/problem/")
    assert not Group.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [SeatTaken(), exceptions.NotFound(), Http404(), SuspiciousOperation()])
def test_nothing_is_kept_of_a_refused_request(answer, monkeypatch, error):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    answer(error)
    assert not Group.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_without_atomic_requests_the_transaction_is_the_views_own_matter(answer):
    answer(SeatTaken())
    assert Group.objects.exists()


@pytest.mark.parametrize("address", ["/echo/a%00b", "/echo/a?q=%00", "/echo/a?q=1&q=x%00"])
def test_an_address_holds_no_nul(api_client, address):
    response = api_client.get(address)
    assert (response.status_code, response.json()) == (
        400,
        {"detail": "NUL characters are not allowed in the address.", "code": "parse_error"},
    )


def test_every_view_reads_bodies_strictly(api_client):
    response = api_client.post("/echo/a", '{"a": "\\u0000"}', content_type="application/json")
    assert (response.status_code, response.json()) == (
        400,
        {"detail": "NUL characters are not allowed in the body.", "code": "parse_error"},
    )


@pytest.mark.parametrize("charset", ["zlib", "base64", "idna", "unicode_escape", "utf-16", "no-such-charset"])
def test_an_odd_charset_is_read_as_utf_8(api_client, charset):
    response = api_client.post(
        "/echo/a", '{"name": "Xavíer"}'.encode(), content_type=f"application/json; charset={charset}"
    )
    assert (response.status_code, response.json()) == (200, {"data": {"name": "Xavíer"}})


def test_a_common_charset_is_honoured(api_client):
    body = '{"name": "Xavíer"}'.encode("latin-1")
    response = api_client.post("/echo/a", body, content_type="application/json; charset=iso-8859-1")
    assert response.json() == {"data": {"name": "Xavíer"}}


def test_too_many_query_parameters_are_a_bad_request(api_client, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    assert api_client.get("/echo/a?a=1&b=2&c=3").status_code == 400


def configured(**attributes: object) -> ConfiguredView:
    return type("View", (ConfiguredView,), attributes)()


def authenticators(view: ConfiguredView) -> list[type]:
    return [type(authenticator) for authenticator in view.get_authenticators()]


def test_authenticators_come_from_the_apps_setting():
    assert authenticators(configured()) == [BasicAuthentication]


def test_without_a_setting_the_projects_authenticators_apply():
    class Plain(APIView):
        pass

    expected = [type(authenticator) for authenticator in Plain().get_authenticators()]
    assert authenticators(configured(paths=None)) == expected


def test_a_setting_without_entries_lets_nobody_in(api_client, monkeypatch):
    monkeypatch.setattr(ConfiguredView, "paths", [])
    assert api_client.get("/configured/").status_code == 403


def test_a_view_that_names_its_authenticators_wins_and_so_do_its_heirs():
    class Own(ConfiguredView):
        authentication_classes = (SessionAuthentication,)

    class Heir(Own):
        pass

    assert authenticators(Own()) == authenticators(Heir()) == [SessionAuthentication]


def test_no_authenticators_at_all_is_a_choice_too():
    assert authenticators(configured(authentication_classes=())) == []


def test_a_wrong_authenticator_names_the_setting():
    with pytest.raises(Exception, match="THEATRE_AUTHENTICATION_CLASSES"):
        configured(paths=["no.such.Class"]).get_authenticators()


@pytest.mark.django_db
def test_the_configured_authenticator_challenges_and_admits(api_client):
    User.objects.create_user("ron", password="quidditch")
    refused = api_client.get("/configured/")
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Basic realm="api"')
    api_client.credentials(HTTP_AUTHORIZATION="Basic cm9uOnF1aWRkaXRjaA==")
    assert api_client.get("/configured/").json() == "ron"


def test_the_hosts_own_views_keep_their_handler():
    class Hosts(APIView):
        pass

    assert Hosts().get_exception_handler().__module__ == "rest_framework.views"


class LostHouse(NotFound, SeatTaken):
    """There is no such house."""


def test_the_first_kind_among_the_bases_gives_the_status():
    assert status_of(LostHouse()) == 404


@pytest.mark.parametrize(
    ("kinds", "status"),
    [({}, 409), ({SeatTaken: Invalid}, 400), ({Conflict: NotAllowed}, 403), ({LostHouse: Invalid}, 409)],
)
def test_an_error_may_count_as_another_kind(kinds, status):
    assert status_of(SeatTaken(), kinds) == status
