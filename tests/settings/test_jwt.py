"""`Authorization: JWT …`: whose tokens pass, and as whom."""

import logging

import jwt
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from edx_rest_framework_extensions.auth.jwt.decoder import jwt_decode_handler

from settings.keys import jwt_auth, new_signing_key, trusted_issuer
from settings.tokens import issue
from tests.settings.callers import (
    OTHER_KEY,
    claims,
    key_set,
    public_pem,
    signed,
    signed_symmetrically,
    unsigned,
    with_other_claims,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.settings.probe")]

LMS = "https://lms.example.org/oauth2"
LMS_KEY = new_signing_key()


def get(client, token, path="/whoami/"):
    return client.get(path, headers={"Authorization": f"JWT {token}"})


@pytest.fixture
def _lms_is_trusted(settings):
    own = settings.JWT_AUTH
    settings.JWT_AUTH = jwt_auth(
        own["JWT_PRIVATE_SIGNING_JWK"],
        issuer=own["JWT_ISSUER"],
        audience=own["JWT_AUDIENCE"],
        outside=[trusted_issuer(LMS, "openedx", key_set(LMS_KEY))],
    )


def lms_claims(**changes):
    return claims(**{"iss": LMS, "aud": "openedx", **changes})


def test_own_token_speaks_for_its_user(client, alice):
    response = get(client, issue(alice, scopes=["read"], lifetime=60))
    assert (response.status_code, response.json()) == (200, {"user": "alice"})


@pytest.mark.parametrize("algorithm", ["RS256", "RS512"])
def test_both_signatures_that_open_edx_makes_are_checked(client, alice, algorithm):
    assert get(client, signed(claims(), algorithm=algorithm)).status_code == 200


def test_open_edx_services_read_our_tokens(alice):
    token = issue(alice, scopes=["email", "profile", "user_id"], lifetime=60, restricted=True, filters=["user:me"])
    read = jwt_decode_handler(token)
    assert {name: value for name, value in read.items() if name not in ("iat", "exp")} == {
        "aud": "course-credit",
        "iss": "https://credit.example.edu/oauth2",
        "sub": str(alice.pk),
        "preferred_username": "alice",
        "email_verified": True,
        "scopes": ["email", "profile", "user_id"],
        "version": "1.2.0",
        "is_restricted": True,
        "filters": ["user:me"],
        "user_id": alice.pk,
        "email": "alice@example.edu",
        "name": "Alice Liddell",
        "given_name": "Alice",
        "family_name": "Liddell",
        "administrator": False,
        "superuser": False,
    }
    assert read["exp"] - read["iat"] == 60


def test_scopes_decide_what_a_token_tells_about_its_user(alice):
    told = jwt_decode_handler(issue(alice, scopes=["read"], lifetime=60))
    assert not {"email", "name", "user_id"} & set(told)


def test_token_is_signed_with_the_published_key(client, alice):
    published = client.get("/.well-known/jwks.json")
    header = jwt.get_unverified_header(issue(alice, scopes=[], lifetime=60))
    assert published["Cache-Control"] == "public, max-age=3600"
    [key] = published.json()["keys"]
    assert header == {"alg": "RS512", "typ": "JWT", "kid": key["kid"]}
    assert set(key) == {"kty", "kid", "n", "e", "alg", "use"}, "no private part"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"exp": None}, id="never expires"),
        pytest.param({"exp": "soon"}, id="expires at no time"),
        pytest.param({"exp": float("inf")}, id="expires at no number"),
        pytest.param({"iat": None}, id="issued at no time"),
        pytest.param({"iat": 99999999999}, id="issued in the future"),
        pytest.param({"nbf": 99999999999}, id="not yet valid"),
        pytest.param({"iss": "https://elsewhere.example.com"}, id="wrong issuer"),
        pytest.param({"iss": ["https://credit.example.edu/oauth2"]}, id="list of issuers"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"aud": "another-service"}, id="wrong audience"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"aud": 7}, id="audience of a wrong type"),
        pytest.param({"version": "2.0.0"}, id="claims of a later version"),
        pytest.param({"version": "?"}, id="claims of an unreadable version"),
        pytest.param({"preferred_username": None}, id="no user"),
        pytest.param({"preferred_username": "nobody"}, id="unknown user"),
    ],
)
def test_signed_token_with_wrong_claims_is_refused(client, alice, changes):
    response = get(client, signed(claims(**changes)))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'JWT realm="api"'
    assert User.objects.count() == 1


FORGERIES = {
    "wrong signature": lambda: signed(claims(), key=OTHER_KEY),
    "wrong signature under our key's name": lambda: signed(claims(), key=OTHER_KEY, kid=our_kid()),
    "claims changed after signing": lambda: with_other_claims(signed(claims()), preferred_username="bob"),
    "signature cut off": lambda: signed(claims()).rpartition(".")[0] + ".",
    "alg none": lambda: unsigned({"alg": "none"}, claims()),
    "alg none in capitals": lambda: unsigned({"alg": "NONE"}, claims()),
    "no alg": lambda: unsigned({}, claims()),
    "HS256 with the public key": lambda: signed_symmetrically(claims(), public_pem(our_key())),
    "HS256 with the site's secret": lambda: signed_symmetrically(claims(), settings.SECRET_KEY.encode()),
    "HS256 with nothing": lambda: signed_symmetrically(claims(), b""),
    "not a token": lambda: "abc",
    "empty parts": lambda: "..",
    "header is no JSON": lambda: unsigned("{", claims()),
    "claims are no object": lambda: unsigned({"alg": "RS512"}, []),
    "claims nested without end": lambda: unsigned({"alg": "RS512"}, "[" * 5000),
    "header nested without end": lambda: unsigned("[" * 5000, claims()),
    "key's name is a number": lambda: unsigned({"alg": "RS512", "kid": 5}, claims()),
    "not ASCII": lambda: "é.é.é",
}


def our_key():
    return settings.JWT_AUTH["JWT_PRIVATE_SIGNING_JWK"]


def our_kid():
    return jwt.PyJWK.from_json(our_key()).key_id


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_forged_token_is_refused(client, alice, forge):
    assert get(client, forge()).status_code == 401


@pytest.mark.parametrize("header", ["JWT", "JWT ", "JWT a b", "jwt", "Token abc", "Basic YWxpY2U6cGFzcw==", "\x00"])
def test_header_without_a_token_is_anonymous(client, alice, header):
    response = client.get("/whoami/", headers={"Authorization": header})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'JWT realm="api"'


def test_token_of_a_deactivated_user_is_refused_at_once(client, alice):
    token = issue(alice, scopes=["read"], lifetime=60)
    assert get(client, token).status_code == 200
    User.objects.update(is_active=False)
    response = get(client, token)
    assert (response.status_code, response.json()["detail"]) == (401, "This account is not active.")


def test_own_token_does_not_bring_a_deleted_account_back(client, alice):
    token = issue(alice, scopes=["read"], lifetime=60)
    alice.delete()
    assert get(client, token).status_code == 401
    assert not User.objects.exists()


def test_own_token_does_not_speak_for_the_next_owner_of_a_username(client, alice):
    token = issue(alice, scopes=["read"], lifetime=60)
    User.objects.filter(pk=alice.pk).update(username="alice-formerly")
    User.objects.create_user("alice")
    assert get(client, token).status_code == 401


def test_own_token_changes_nothing_about_its_user(client, alice):
    token = issue(alice, scopes=["email", "profile"], lifetime=60)
    User.objects.update(is_staff=True, email="new@example.edu")
    assert get(client, token).status_code == 200
    alice.refresh_from_db()
    assert (alice.is_staff, alice.email) == (True, "new@example.edu")


def test_token_signed_with_a_retired_key_passes_until_it_expires(client, alice, settings):
    token = issue(alice, scopes=["read"], lifetime=60)
    before = settings.JWT_AUTH
    settings.JWT_AUTH = jwt_auth(
        OTHER_KEY,
        issuer=before["JWT_ISSUER"],
        audience=before["JWT_AUDIENCE"],
        former=key_set(before["JWT_PRIVATE_SIGNING_JWK"]),
    )
    assert get(client, token).status_code == 200
    assert get(client, issue(alice, scopes=["read"], lifetime=60)).status_code == 200
    assert len(client.get("/.well-known/jwks.json").json()["keys"]) == 2


@pytest.mark.usefixtures("_lms_is_trusted")
def test_trusted_lms_brings_its_users(client, db):
    payload = lms_claims(preferred_username="bob", email="bob@example.org", administrator=True)
    response = get(client, signed(payload, key=LMS_KEY, algorithm="RS512"))
    assert (response.status_code, response.json()) == (200, {"user": "bob"})
    bob = User.objects.get()
    assert (bob.email, bob.is_staff, bob.is_superuser) == ("bob@example.org", True, False)
    assert not bob.has_usable_password()


@pytest.mark.usefixtures("_lms_is_trusted")
def test_trusted_lms_updates_its_users_only_where_they_changed(client, alice, django_assert_num_queries):
    token = signed(lms_claims(email="alice@example.org", administrator=True), key=LMS_KEY)
    assert get(client, token).status_code == 200
    alice.refresh_from_db()
    assert (alice.email, alice.is_staff) == ("alice@example.org", True)
    with django_assert_num_queries(1):
        assert get(client, token).status_code == 200


@pytest.mark.usefixtures("_lms_is_trusted")
@pytest.mark.parametrize(
    ("payload", "key"),
    [
        pytest.param({"aud": "course-credit"}, LMS_KEY, id="our audience"),
        pytest.param({}, OTHER_KEY, id="a stranger's key"),
        pytest.param({}, None, id="our key"),
        pytest.param({"iss": "https://credit.example.edu/oauth2", "aud": "course-credit"}, LMS_KEY, id="in our name"),
        pytest.param({"preferred_username": "a b"}, LMS_KEY, id="no possible username"),
        pytest.param({"preferred_username": "a\0b"}, LMS_KEY, id="NUL in the username"),
        pytest.param({"preferred_username": "a" * 151}, LMS_KEY, id="overlong username"),
        pytest.param({"preferred_username": ["alice"]}, LMS_KEY, id="list of usernames"),
        pytest.param({"preferred_username": {"a": 1}}, LMS_KEY, id="object of usernames"),
        pytest.param({"email": "nowhere"}, LMS_KEY, id="no possible address"),
        pytest.param({"administrator": "perhaps"}, LMS_KEY, id="neither staff nor not"),
    ],
)
def test_lms_is_trusted_in_its_own_name_only(client, alice, payload, key):
    assert get(client, signed(lms_claims(**payload), key=key)).status_code == 401
    alice.refresh_from_db()
    assert (User.objects.count(), alice.email, alice.is_staff) == (1, "alice@example.edu", False)


@pytest.mark.usefixtures("_lms_is_trusted")
def test_lms_does_not_reactivate_a_user(client, alice):
    User.objects.update(is_active=False)
    assert get(client, signed(lms_claims(), key=LMS_KEY)).status_code == 401


def test_lms_is_not_trusted_before_the_settings_say_so(client, alice):
    assert get(client, signed(lms_claims(), key=LMS_KEY)).status_code == 401


def test_refusal_is_one_line_without_the_token(client, alice, caplog):
    token = signed(claims(exp=1))
    with caplog.at_level(logging.INFO):
        get(client, token)
    [line] = [record for record in caplog.records if record.name == "settings.authentication"]
    assert line.getMessage() == "A JSON Web Token was refused: ExpiredSignatureError"
    assert line.levelname == "WARNING"
    assert line.exc_info is None
    assert not any(part in caplog.text for part in (*token.split("."), "alice"))


def test_session_works_as_the_third_way(client, alice):
    client.force_login(alice)
    assert client.get("/whoami/").json() == {"user": "alice"}


def test_refused_token_is_not_made_good_by_a_session(client, alice):
    client.force_login(alice)
    assert get(client, signed(claims(exp=1))).status_code == 401
