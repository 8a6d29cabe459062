"""The key of trusted servers (enrollment contract 10.2)."""

import logging

import pytest

from enrollment.rest_api.api_key import is_valid_key
from tests.credit.rest import client_of
from tests.enrollment.factories import CourseFactory, UserFactory
from tests.enrollment.rest import COURSE, KEY, V1, server_client

NEW = "the key after it"


@pytest.mark.parametrize(
    ("configured", "given", "is_right"),
    [
        pytest.param(KEY, KEY, True, id="the key"),
        pytest.param([KEY, NEW], KEY, True, id="the old key while keys rotate"),
        pytest.param((KEY, NEW), NEW, True, id="the new key while keys rotate"),
        pytest.param([NEW], KEY, False, id="the old key afterwards"),
        pytest.param(KEY, KEY[:-1], False, id="a part of it"),
        pytest.param(KEY, f"{KEY}x", False, id="more than it"),
        pytest.param(KEY, KEY.upper(), False, id="in another case"),
        pytest.param("schlüssel", "schlüssel".encode().decode("latin-1"), True, id="beyond ASCII, as it travels"),
        pytest.param(KEY, "", False, id="nothing"),
        pytest.param(None, "", False, id="nothing, and none configured"),
        pytest.param("", "", False, id="nothing, and an empty one configured"),
        pytest.param(["", KEY], "", False, id="nothing, and an empty one among others"),
        pytest.param(None, "None", False, id="the name of nothing"),
    ],
)
def test_which_key_is_right(settings, configured, given, is_right):
    settings.EDX_API_KEY = configured

    assert is_valid_key(given) is is_right


@pytest.fixture
def records(settings, caplog):
    """Return a function that gives what the audit log and the app's own have been told."""
    settings.EDX_API_KEY = KEY
    caplog.set_level(logging.INFO)
    return lambda: [
        (record.name, record.getMessage())
        for record in caplog.records
        if record.name == "audit" or record.name.startswith("enrollment")
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("with_user", [False, True])
def test_each_use_is_noted_once_without_names(records, with_user):
    user = UserFactory(username="shop") if with_user else None
    CourseFactory(id=COURSE)
    client = server_client(user)
    client.defaults["REMOTE_ADDR"] = "192.0.2.7"

    assert client.get(f"{V1}enrollment/bob,{COURSE}?user=bob", HTTP_X_FORWARDED_FOR="198.51.100.1").status_code == 200

    user_id = None if user is None else user.pk
    route = "enrollment:courseenrollment"
    assert records() == [
        ("audit", f"api_key_used route={route!r} method='GET' user_id={user_id} remote_address='192.0.2.7'")
    ]


@pytest.mark.django_db
def test_a_wrong_key_leaves_one_line_without_it(records):
    client = client_of()
    client.defaults["HTTP_X_EDX_API_KEY"] = "guessed"

    assert client.get(f"{V1}enrollment?user=bob").status_code == 401

    assert records() == [("enrollment.rest_api.api_key", "A wrong API key was given at enrollment:courseenrollments.")]


@pytest.mark.django_db
def test_without_a_key_nothing_is_noted(records):
    client_of(UserFactory()).get(f"{V1}enrollment")

    assert records() == []
