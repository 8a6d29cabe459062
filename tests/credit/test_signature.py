"""The signature scheme (credit contract 3.1 and 3.2)."""

import hmac
from hashlib import sha256

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from credit.signature import get_shared_secret_key, is_signed_with, signature, signed_text, usable_keys

SCHOOL = "abcd1234"
HOGWARTS = "931433d583c84ca7ba41784bad3232e6"

CALLBACK = {"request_uuid": "557168d0f7664fe59097106c67c3f847", "status": "approved", "timestamp": 1434631630}
REQUEST = {
    "request_uuid": "557168d0f7664fe59097106c67c3f847",
    "timestamp": 1434631630,
    "course_org": "HogwartsX",
    "course_num": "Potions101",
    "course_run": "1T2015",
    "enrollment_timestamp": 1420070400,
    "course_completion_timestamp": "",
    "final_grade": "0.95",
    "user_username": "ron",
    "user_email": "ron@example.com",
    "user_full_name": "Ron Weasley",
    "user_mailing_address": "",
    "user_country": "US",
}
APPROVED = "7055c175ee1a5d6bfaea18fb3bc6cd5ceb01c704d07e52b94b0a7a23769ffa71"

VECTORS = [
    pytest.param({}, SCHOOL, "7d70a26b834d9881cc14466eceac8d39188fc5ef5ffad9ab281a8327c2c0d093", id="V1"),
    pytest.param(
        {"name": "Ed Xavíer"}, SCHOOL, "76b6c9a657000829253d7c23977b35b34ad750c5681b524d7fdfb25cd5273cec", id="V2"
    ),
    pytest.param(CALLBACK, HOGWARTS, APPROVED, id="V3"),
    pytest.param({**CALLBACK, "timestamp": "1434631630"}, HOGWARTS, APPROVED, id="V4"),
    pytest.param({**CALLBACK, "signature": "deadbeef"}, HOGWARTS, APPROVED, id="V5"),
    pytest.param(
        {**CALLBACK, "status": "rejected"},
        HOGWARTS,
        "4e8f54bf05e596f883a1a9bd5adf14062b3cf85eeb91b35a82c3ef7533b2c4f8",
        id="V6",
    ),
    pytest.param(
        {"n": None, "t": True, "f": False, "i": 7, "x": 0.95, "e": ""},
        SCHOOL,
        "ebd838c2658fa6f9dee41e0e07fb162a871593353562d65b077a5235acb13630",
        id="V7",
    ),
    pytest.param(
        {"b": 1, "B": 2, "a": 3, "A": 4, "_": 5, "10": 6, "2": 7, "é": 8},
        SCHOOL,
        "f2da2e8df53f7ce987b33d348d705e61aaf9178f4972b8cc32dd72a4a6791ed6",
        id="V8",
    ),
    pytest.param(
        {"list": [1, "a", None], "dict": {"k": "v"}},
        SCHOOL,
        "2946476f81f8eb7102b85384051ab627b4a29a08f41d5db638b9036054d4908d",
        id="V9",
    ),
    pytest.param({"a": "1b:2"}, SCHOOL, "b73f89f5501303aacb7f3962b1ea8ae0942eeb3bd34b665a8dd82d3b24e76d30", id="V10"),
    pytest.param(
        {"a": "1", "b": "2"}, SCHOOL, "b73f89f5501303aacb7f3962b1ea8ae0942eeb3bd34b665a8dd82d3b24e76d30", id="V11"
    ),
    pytest.param(REQUEST, HOGWARTS, "11dfbf03110a272acf3e1e7273a3d863480183d2836e5d075d7bd34b6d2abb3e", id="V12"),
    pytest.param(
        {"request_uuid": "0" * 32, "timestamp": 1700000000, "user_full_name": "李小龍 🎓"},
        HOGWARTS,
        "c247eb2e9cdc0fe0d6ede155dcbdb9bad27bada689abb1c4087a445974a5f0be",
        id="V13",
    ),
    pytest.param({"k": "a:b\nc"}, SCHOOL, "54c7f8243e79ee519efda0ca4470703cbb4a76d429e5ccadcb02ac96ae4dd308", id="V14"),
    pytest.param(
        {**CALLBACK, "note": "hi"},
        HOGWARTS,
        "e5e1c3614fa636a5660ffe85d4458273dcaefe1e39f097b30c7c7e1b6cfa323b",
        id="V15",
    ),
    pytest.param({"a": "1"}, "", "9720804d2201a4008a740b8d2b628e7e477df5021ad5df75a6d94b71c937eb22", id="V16"),
]

values = st.one_of(st.text(st.characters(codec="utf-8")), st.integers(), st.booleans(), st.none())
params = st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), values)


@pytest.mark.rule("credit.signature.vectors")
@pytest.mark.parametrize(("params", "secret", "digest"), VECTORS)
def test_signature_equals_the_published_digest(params, secret, digest):
    assert signature(params, secret) == digest


@pytest.mark.rule("credit.signature.text")
@pytest.mark.parametrize(
    ("params", "text"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"signature": "x"}, "", id="only a signature"),
        pytest.param({"n": None, "t": True, "x": 0.95, "e": ""}, "e:n:Nonet:Truex:0.95", id="other types"),
        pytest.param({"b": 1, "B": 2, "_": 5, "10": 6, "2": 7, "é": 8}, "10:62:7B:2_:5b:1é:8", id="code points"),
        pytest.param({"list": [1, "a", None]}, "list:[1, 'a', None]", id="containers"),
    ],
)
def test_signed_text_joins_pairs_in_order_of_their_keys(params, text):
    assert signed_text(params) == text


@pytest.mark.rule("credit.signature.text")
@given(params, st.data())
def test_order_of_parameters_does_not_matter(params, data):
    shuffled = dict(data.draw(st.permutations(list(params.items()))))
    assert signature(shuffled, SCHOOL) == signature(params, SCHOOL)


@pytest.mark.rule("credit.signature.text")
@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), st.integers()))
def test_integers_and_their_decimal_text_sign_alike(params):
    assert signature({key: str(number) for key, number in params.items()}, SCHOOL) == signature(params, SCHOOL)


@pytest.mark.rule("credit.signature.text")
@given(params, values)
def test_the_signature_does_not_sign_itself(params, whatever):
    unsigned = {key: value for key, value in params.items() if key != "signature"}
    assert signature({**unsigned, "signature": whatever}, SCHOOL) == signature(unsigned, SCHOOL)


@pytest.mark.rule("credit.signature.algorithm")
@given(params, st.text(st.characters(codec="ascii")))
def test_signature_is_the_hmac_of_the_signed_text(params, secret):
    assert signature(params, secret) == hmac.new(secret.encode(), signed_text(params).encode(), sha256).hexdigest()


@pytest.mark.rule("credit.signature.check")
@pytest.mark.parametrize(
    ("keys", "trusted"),
    [
        pytest.param([HOGWARTS], True, id="the key"),
        pytest.param(["new", HOGWARTS], True, id="the old key while rotating"),
        pytest.param([HOGWARTS, "old"], True, id="the new key while rotating"),
        pytest.param(["guessed"], False, id="another key"),
        pytest.param([], False, id="no key"),
    ],
)
def test_any_of_the_keys_may_have_signed(keys, trusted):
    assert is_signed_with({**CALLBACK, "signature": APPROVED}, APPROVED, keys) is trusted


@pytest.mark.rule("credit.signature.check")
@pytest.mark.parametrize(
    "claimed",
    [
        pytest.param("", id="empty"),
        pytest.param(APPROVED.upper(), id="upper case"),
        pytest.param(APPROVED[:-1], id="cut short"),
        pytest.param(APPROVED + "0", id="longer"),
        pytest.param(f" {APPROVED}", id="leading space"),
        pytest.param("ähnlich" * 9, id="not ASCII"),
        pytest.param("\ud800" * 64, id="unpaired surrogates"),
    ],
)
def test_any_other_signature_is_refused(claimed):
    assert is_signed_with(CALLBACK, claimed, [HOGWARTS]) is False


@pytest.mark.rule("credit.signature.check")
@pytest.mark.parametrize("params", [{"status": "\ud800"}, {"\udfff": "approved"}])
def test_what_has_no_bytes_is_signed_by_nobody(params):
    assert is_signed_with(params, APPROVED, [HOGWARTS]) is False


@pytest.mark.rule("credit.signature.check")
@given(params, st.sampled_from([SCHOOL, HOGWARTS]))
def test_what_was_signed_with_a_key_is_accepted_with_that_key_alone(params, key):
    made = signature(params, key)
    assert is_signed_with(params, made, [key])
    assert not is_signed_with(params, made, {SCHOOL, HOGWARTS} - {key})


@pytest.mark.rule("credit.signature.secrets")
@pytest.mark.parametrize(
    ("configured", "secret", "keys"),
    [
        pytest.param(SCHOOL, SCHOOL, (SCHOOL,), id="text"),
        pytest.param("\u4567", None, (), id="not ASCII"),
        pytest.param("", "", (), id="empty"),
        pytest.param(" \t", " \t", (), id="blank"),
        pytest.param(["k1", "\u4567", "k2"], ["k1", None, "k2"], ("k1", "k2"), id="list with a bad entry"),
        pytest.param(["new", "old"], ["new", "old"], ("new", "old"), id="list in its order"),
        pytest.param(["", " ", None, "k"], ["", " ", None, "k"], ("k",), id="list with unusable entries"),
        pytest.param([None], [None], (), id="list without a usable entry"),
        pytest.param([], [], (), id="empty list"),
        pytest.param(
            [b"k", 7, {"k": 1}, ["k"], "k"], [None, None, None, None, "k"], ("k",), id="entries of other types"
        ),
        pytest.param(("new", "old"), ["new", "old"], ("new", "old"), id="tuple"),
        pytest.param(b"abcd1234", None, (), id="bytes"),
        pytest.param({"key": SCHOOL}, None, (), id="dict"),
        pytest.param({SCHOOL}, None, (), id="set"),
        pytest.param(1234, None, (), id="number"),
        pytest.param(True, None, (), id="flag"),
        pytest.param(None, None, (), id="None"),
    ],
)
def test_configured_secret_gives_these_keys(configured, secret, keys):
    with override_settings(CREDIT_PROVIDER_SECRET_KEYS={"asu": configured}):
        assert get_shared_secret_key("asu") == secret
        assert usable_keys("asu") == keys


@pytest.mark.rule("credit.signature.secrets")
@override_settings(CREDIT_PROVIDER_SECRET_KEYS={"asu": SCHOOL})
@pytest.mark.parametrize("provider_id", ["mit", "ASU", ""])
def test_another_provider_has_no_secret(provider_id):
    assert get_shared_secret_key(provider_id) is None
    assert usable_keys(provider_id) == ()


@pytest.mark.rule("credit.signature.secrets")
def test_no_setting_means_no_secret(settings):
    del settings.CREDIT_PROVIDER_SECRET_KEYS
    assert get_shared_secret_key("asu") is None


@pytest.mark.rule("credit.signature.secrets")
def test_the_setting_is_never_changed(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"asu": ["k1", "\u4567", None]}
    get_shared_secret_key("asu").clear()
    usable_keys("asu")
    assert settings.CREDIT_PROVIDER_SECRET_KEYS == {"asu": ["k1", "\u4567", None]}


@pytest.mark.rule("credit.signature.secrets")
def test_a_bad_secret_is_reported_without_being_shown(settings, caplog):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"asu": ["k1", "pässword"]}
    get_shared_secret_key("asu")
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert "[asu]" in record.getMessage()
    assert "pässword" not in record.getMessage()


@pytest.mark.rule("credit.signature.rotation")
def test_a_rotation_never_refuses_an_honest_provider(settings):
    """[old] → [new, old] → [new]: each side may switch at its own time in the middle."""
    signed_by = {key: signature(CALLBACK, key) for key in ("old", "new")}

    def accepted(key):
        return is_signed_with(CALLBACK, signed_by[key], usable_keys("asu"))

    settings.CREDIT_PROVIDER_SECRET_KEYS = {"asu": "old"}
    assert (usable_keys("asu")[0], accepted("old"), accepted("new")) == ("old", True, False)
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"asu": ["new", "old"]}
    assert (usable_keys("asu")[0], accepted("old"), accepted("new")) == ("new", True, True)
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"asu": "new"}
    assert (usable_keys("asu")[0], accepted("old"), accepted("new")) == ("new", False, True)
