"""`Authorization: Bearer …`: whose tokens pass, and as whom."""

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.settings.probe")]


def get(client, token, path="/whoami/", scheme="Bearer"):
    return client.get(path, headers={"Authorization": f"{scheme} {token}"})


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_client_credentials_speak_for_the_applications_user(client, granted, scheme):
    response = get(client, granted()["access_token"], scheme=scheme)
    assert (response.status_code, response.json()) == (200, {"user": "alice"})


def test_token_of_a_user_speaks_for_that_user(client, application):
    bob = User.objects.create_user("bob")
    moment = timezone.now() + timedelta(minutes=1)
    AccessToken.objects.create(user=bob, application=application, token="bobs", expires=moment, scope="read")
    assert get(client, "bobs").json() == {"user": "bob"}


def refused(client, token):
    response = get(client, token)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'JWT realm="api"'
    return response.json()["detail"]


def test_expired_token_is_refused(client, granted):
    token = granted()["access_token"]
    AccessToken.objects.update(expires=timezone.now())
    assert refused(client, token) == "This bearer token is unknown or has expired."


@pytest.mark.parametrize("token", ["", "guessed", "two words", "\0", "é", "x" * 5000])
def test_unknown_token_is_refused(client, granted, token):
    granted()
    assert refused(client, token) == "This bearer token is unknown or has expired."


def test_token_of_a_deactivated_user_is_refused_at_once(client, granted):
    token = granted()["access_token"]
    User.objects.update(is_active=False)
    assert refused(client, token) == "This account is not active."


def test_token_of_an_application_without_user_is_refused(client, granted):
    token = granted()["access_token"]
    Application.objects.update(user=None)
    assert refused(client, token) == "This token belongs to no account."


def test_token_without_application_is_refused(client, granted, alice):
    token = granted()["access_token"]
    AccessToken.objects.update(application=None, user=alice)
    assert refused(client, token) == "This bearer token is unknown or has expired."


def test_deleted_token_is_refused(client, granted):
    token = granted()["access_token"]
    AccessToken.objects.all().delete()
    refused(client, token)


def test_token_in_the_address_is_anonymous(client, granted):
    assert client.get("/whoami/", {"access_token": granted()["access_token"]}).status_code == 401


def test_refused_token_is_not_made_good_by_a_session(client, alice):
    client.force_login(alice)
    assert get(client, "guessed").status_code == 401


@pytest.mark.parametrize("query", ["?a=%zz", "?a=b c", "?é=1", "?&&=", "?a=%00"])
def test_odd_addresses_are_the_views_affair(client, granted, query):
    token = granted()["access_token"]
    assert get(client, token, path=f"/whoami/{query}").status_code == 200


@pytest.mark.parametrize("segment", ["a%3Fb=%25zz", "a%3Faccess_token=x", "a%23b", "a%25zz", "%C3%A9"])
@pytest.mark.parametrize(("token", "status"), [(None, 403), ("guessed", 401), ("", 401)])
def test_odd_paths_are_too(client, granted, segment, token, status):
    token = granted()["access_token"] if token is None else token
    assert get(client, token, path=f"/api/credit/v1/courses/{segment}/b/c/").status_code == status


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_who_is_calling_is_known_before_the_body_is_read(client, alice, content_type):
    response = client.post("/whoami/", "{", content_type=content_type, headers={"Authorization": "Bearer guessed"})
    assert response.status_code == 401


def test_body_is_left_for_the_view(client, granted):
    headers = {"Authorization": f"Bearer {granted()['access_token']}"}
    response = client.post("/whoami/", {"a": 1}, headers=headers)
    assert response.json() == {"user": "alice", "body": {"a": "1"}}


def test_refusal_is_one_line_without_the_token(client, granted, caplog):
    with caplog.at_level(logging.INFO):
        get(client, "guessed-by-somebody")
    [line] = [record for record in caplog.records if record.name == "settings.authentication"]
    assert line.getMessage() == "A bearer token was refused: This bearer token is unknown or has expired."
    assert line.levelname == "WARNING"
    assert "guessed-by-somebody" not in caplog.text
