"""The token endpoint, as stock clients call it."""

import base64
import logging

import pytest
from django.contrib.auth.models import User
from edx_rest_framework_extensions.auth.jwt.decoder import jwt_decode_handler
from oauth2_provider.models import AccessToken, Application

from tests.settings.callers import CREDENTIALS, SECRET

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.settings.probe")]


def basic(client_id, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


@pytest.mark.parametrize("path", ["/oauth2/access_token", "/oauth2/access_token/"])
def test_jwt_is_granted_for_client_credentials(client, application, path):
    response = client.post(path, {**CREDENTIALS, "token_type": "jwt"})
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    token = body.pop("access_token")
    assert body == {"expires_in": 3600, "token_type": "JWT", "scope": "read write email profile"}
    read = jwt_decode_handler(token)
    assert (read["preferred_username"], read["scopes"], read["is_restricted"], read["exp"] - read["iat"]) == (
        "alice",
        ["read", "write", "email", "profile"],
        False,
        3600,
    )
    who = client.get("/whoami/", headers={"Authorization": f"JWT {token}"})
    assert who.json() == {"user": "alice"}


@pytest.mark.parametrize("token_type", [{}, {"token_type": "bearer"}, {"token_type": "whatever"}])
def test_bearer_token_is_granted_otherwise(client, granted, token_type):
    body = granted(**token_type)
    token = body.pop("access_token")
    assert body == {"expires_in": 3600, "token_type": "Bearer", "scope": "read write email profile"}
    who = client.get("/whoami/", headers={"Authorization": f"Bearer {token}"})
    assert who.json() == {"user": "alice"}


def test_jwt_is_asked_for_in_either_case(granted):
    assert granted(token_type="JWT")["token_type"] == "JWT"


def test_credentials_may_travel_in_the_header(client, application):
    body = {"grant_type": "client_credentials", "token_type": "jwt"}
    response = client.post("/oauth2/access_token", body, headers=basic("reporting", SECRET))
    assert response.status_code == 200


def test_scopes_may_be_chosen(granted):
    body = granted(token_type="jwt", scope="read user_id")
    assert body["scope"] == "read user_id"
    assert "email" not in jwt_decode_handler(body["access_token"])


def test_only_bearer_tokens_are_stored_and_not_readably(granted):
    granted(token_type="jwt")
    assert not AccessToken.objects.exists()
    text = granted()["access_token"]
    assert text not in str(AccessToken.objects.values())


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        pytest.param({"client_secret": "guessed"}, 401, "invalid_client", id="wrong secret"),
        pytest.param({"client_secret": ""}, 401, "invalid_client", id="empty secret"),
        pytest.param({"client_id": "nobody"}, 401, "invalid_client", id="unknown client"),
        pytest.param({"client_id": ""}, 401, "invalid_client", id="empty client"),
        pytest.param({"client_id": "a\0b"}, 401, "invalid_client", id="NUL in the client"),
        pytest.param({"client_secret": "a\0b"}, 401, "invalid_client", id="NUL in the secret"),
        pytest.param({"client_id": "x" * 300}, 401, "invalid_client", id="overlong client"),
        pytest.param(
            {"grant_type": "password", "username": "alice", "password": "pass"},
            400,
            "unsupported_grant_type",
            id="password",
        ),
        pytest.param(
            {"grant_type": "refresh_token", "refresh_token": "x"}, 400, "unsupported_grant_type", id="refresh"
        ),
        pytest.param({"grant_type": "authorization_code", "code": "x"}, 400, "unsupported_grant_type", id="code"),
        pytest.param(
            {"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, 400, "unsupported_grant_type", id="device"
        ),
        pytest.param({"grant_type": ""}, 400, "invalid_request", id="no grant"),
        pytest.param({"scope": "everything"}, 400, "invalid_scope", id="unknown scope"),
        pytest.param({"scope": "a\0b"}, 400, "invalid_scope", id="NUL in the scope"),
    ],
)
def test_wrong_request_gets_no_token(client, application, changes, status, error):
    response = client.post("/oauth2/access_token", {**CREDENTIALS, **changes})
    assert response.status_code == status
    assert response.json()["error"] == error
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("is_hashed", [True, False])
@pytest.mark.parametrize("secret", [{}, {"client_secret": ""}])
def test_application_without_secret_gets_no_token(client, application, is_hashed, secret):
    application.client_secret, application.hash_client_secret = "", is_hashed
    application.save()
    body = {"grant_type": "client_credentials", "client_id": "reporting"}
    response = client.post("/oauth2/access_token", {**body, **secret})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert client.post("/oauth2/access_token", body, headers=basic("reporting", "")).status_code == 401


@pytest.mark.parametrize("token_type", ["jwt", "bearer"])
@pytest.mark.parametrize("resource", ["https://elsewhere.example.com", "http://[::1", ""])
def test_tokens_for_other_services_are_not_granted(client, application, token_type, resource):
    response = client.post("/oauth2/access_token", {**CREDENTIALS, "token_type": token_type, "resource": resource})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_target")


@pytest.mark.parametrize("client_id", ["a\0b", "reporting", ""])
def test_wrong_credentials_in_the_header_get_no_token(client, application, client_id):
    body = {"grant_type": "client_credentials"}
    response = client.post("/oauth2/access_token", body, headers=basic(client_id, "guessed"))
    assert response.status_code == 401


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ?", "Basic /w==", "Basic \xff", "Basic " + base64.b64encode(b"nocolon").decode()]
)
def test_garbled_header_gets_no_token(client, application, header):
    body = {"grant_type": "client_credentials"}
    response = client.post("/oauth2/access_token", body, headers={"Authorization": header})
    assert response.status_code == 401


def test_secrets_in_the_address_are_refused(client, application):
    response = client.post("/oauth2/access_token?client_id=reporting&client_secret=%zz")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_tokens_are_not_asked_for_with_get(client, application):
    assert client.get("/oauth2/access_token").status_code == 405


def test_json_body_names_no_grant(client, application):
    response = client.post("/oauth2/access_token", CREDENTIALS, content_type="application/json")
    assert response.status_code == 400


@pytest.mark.parametrize("token_type", ["jwt", "bearer"])
@pytest.mark.parametrize("user", ["inactive", "missing"])
def test_application_without_active_user_gets_no_token(client, application, caplog, token_type, user):
    if user == "inactive":
        User.objects.update(is_active=False)
    else:
        Application.objects.update(user=None)
    with caplog.at_level(logging.WARNING):
        response = client.post("/oauth2/access_token", {**CREDENTIALS, "token_type": token_type})
    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")
    assert f"Application {application.pk} got no token: it has no active user." in caplog.messages
    assert SECRET not in caplog.text


def test_application_for_another_grant_gets_no_token(client, application):
    Application.objects.update(authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE)
    response = client.post("/oauth2/access_token", CREDENTIALS)
    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")
