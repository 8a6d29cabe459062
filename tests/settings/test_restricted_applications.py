"""A restricted application's tokens pass nowhere that does not name their scopes."""

import pytest
from edx_rest_framework_extensions.auth.jwt.decoder import jwt_decode_handler

from settings.tokens import issue
from tests.settings.callers import CREDENTIALS, claims, signed

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.settings.probe")]


@pytest.fixture
def restricted_to(settings):
    def restricted_to(*scopes: str) -> None:
        settings.OAUTH2_RESTRICTED_CLIENTS = {"reporting": list(scopes)}

    return restricted_to


def statuses(client, authorization):
    return [client.get(path, headers={"Authorization": authorization}).status_code for path in ("/whoami/", "/scoped/")]


@pytest.mark.parametrize(("token_type", "scheme"), [("jwt", "JWT"), ("bearer", "Bearer")])
@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        pytest.param(["credit:read", "credit:write"], [403, 200], id="the scopes that the view names"),
        pytest.param(["credit:read", "credit:write", "more"], [403, 200], id="and others"),
        pytest.param(["credit:read"], [403, 403], id="not all"),
        pytest.param(["read", "write"], [403, 403], id="others"),
    ],
)
def test_restricted_tokens_pass_where_their_scopes_are_named(
    client, granted, restricted_to, token_type, scheme, scopes, expected
):
    restricted_to(*scopes)
    token = granted(token_type=token_type)
    assert token["scope"].split() == scopes, "what the setting lists is what an application gets"
    assert statuses(client, f"{scheme} {token['access_token']}") == expected


def test_restricted_applications_token_says_so(granted, restricted_to):
    restricted_to("credit:read")
    assert jwt_decode_handler(granted(token_type="jwt")["access_token"])["is_restricted"] is True


def test_restricted_application_cannot_ask_for_more(client, application, restricted_to):
    restricted_to("credit:read")
    response = client.post("/oauth2/access_token", {**CREDENTIALS, "scope": "credit:read read"})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")


def test_bearer_token_of_before_is_restricted_with_its_application(client, granted, restricted_to):
    token = granted()["access_token"]
    assert statuses(client, f"Bearer {token}") == [200, 200]
    restricted_to("credit:read", "credit:write")
    assert statuses(client, f"Bearer {token}") == [403, 403]


def test_jwt_of_before_keeps_its_rights(client, granted, restricted_to):
    token = granted(token_type="jwt")["access_token"]
    restricted_to("credit:read", "credit:write")
    assert statuses(client, f"JWT {token}") == [200, 200]


def test_unrestricted_tokens_need_no_scope(client, alice):
    assert statuses(client, f"JWT {issue(alice, scopes=[], lifetime=60)}") == [200, 200]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"scopes": ["credit:read", "credit:write"]}, [403, 200], id="all scopes"),
        pytest.param({"scopes": None}, [403, 403], id="no scopes"),
        pytest.param({"scopes": "credit:read credit:write"}, [403, 403], id="scopes are no list"),
        pytest.param({"scopes": [["credit:read"], {}]}, [403, 403], id="scopes are no words"),
        pytest.param({"scopes": ["credit:read", "credit:write"], "filters": ["user:me"]}, [403, 403], id="filters"),
        pytest.param({"scopes": ["credit:read"], "is_restricted": "no"}, [403, 403], id="restricted in a strange way"),
    ],
)
def test_restriction_is_read_from_the_claims(client, alice, changes, expected):
    token = signed(claims(**{"is_restricted": True, "filters": [], **changes}))
    assert statuses(client, f"JWT {token}") == expected


def test_refusal_is_one_line(client, alice, caplog):
    statuses(client, f"JWT {issue(alice, scopes=[], lifetime=60, restricted=True)}")
    lines = [record.getMessage() for record in caplog.records if record.name == "settings.authentication"]
    assert lines == ["A JSON Web Token was refused: A restricted application may not do this."] * 2
