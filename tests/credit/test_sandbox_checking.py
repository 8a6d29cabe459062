"""Checking a pasted message at the practice university, over HTTP."""

import base64
import codecs
import hashlib
import hmac
import json
import re
import unicodedata
from contextlib import suppress
from html import unescape
from urllib.parse import quote_plus, urlencode

import pytest
import requests
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.sandbox.checking import check
from credit.sandbox.messages import Unreadable, read
from credit.signature import signature, signed_text
from tests.credit.test_sandbox import MARKUP, shown_text, text_of
from tests.credit.test_signature import CALLBACK, REQUEST
from tests.credit.universities import open_university

KEY, OLD, NORSE, SPACED = "931433d583c84ca7ba41784bad3232e6", "alohomora", "norse-norse-norse", " blank-around "
NOW = CALLBACK["timestamp"]
RIGHT, WRONG = "The signature is right.", "The signature is wrong."
LEARNER = {**REQUEST, "user_full_name": "Zoë & José +1", "course_org": " HogwartsX "}


@pytest.fixture(autouse=True)
def _at_the_time_of_the_messages(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {
        "hogwarts": [KEY, OLD],
        "durmstrang": (NORSE,),
        "spaced": SPACED,
        "shut": "",
    }
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def root():
    with open_university(lambda provider_id: f"http://127.0.0.1:9/{provider_id}/callback") as root:
        yield root


def checked(root, message, *, provider="hogwarts", status=200):
    """Paste a message and return the page."""
    text = message if isinstance(message, str) else json.dumps(message)
    form = {"provider": provider, "message": text}
    response = requests.post(f"{root}/check_message/", form, timeout=30)
    assert response.status_code == status, text_of(response.text)
    assert all(key not in response.text for key in (KEY, OLD, NORSE))
    return response.text


def signed(params, key=KEY):
    return {**params, "signature": signature(params, key)}


def mac(text, key=KEY, algorithm="sha256"):
    """Return an HMAC of whatever was signed."""
    data = text if isinstance(text, bytes) else text.encode()
    return hmac.new(key if isinstance(key, bytes) else key.encode(), data, algorithm)


def claiming(params, text, key=KEY, algorithm="sha256"):
    """Return a message whose signature was made over another text, or otherwise differently."""
    return {**params, "signature": mac(text, key, algorithm).hexdigest()}


def joined(params, *, keys=None, colon=":", between=""):
    return between.join(f"{key}{colon}{params[key]}" for key in keys or sorted(params))


def with_values(params, change):
    return signed_text({key: change(value) if isinstance(value, str) else value for key, value in params.items()})


@pytest.mark.parametrize("provider", ["hogwarts", "durmstrang", "spaced"])
@pytest.mark.parametrize("params", [CALLBACK, {**CALLBACK, "timestamp": str(NOW)}, REQUEST, LEARNER])
@pytest.mark.parametrize("write", [json.dumps, urlencode], ids=["JSON", "form"])
def test_a_right_message_is_right(root, settings, params, write, provider):
    key = {"hogwarts": KEY, "durmstrang": NORSE, "spaced": SPACED}[provider]
    page = checked(root, f"\n{write(signed(params, key))}\n", provider=provider)
    assert RIGHT in page
    assert "Apart from the signature" not in page
    assert shown_text(page) == signed_text(params)


def test_it_says_which_way_the_message_goes(root):
    assert "Read as a callback" in checked(root, signed(CALLBACK))
    assert "Read as a request for credit" in checked(root, signed(REQUEST))


def test_a_key_that_is_about_to_go_is_pointed_out(root):
    page = checked(root, signed(CALLBACK, OLD))
    assert RIGHT in page
    assert "It was made with key 2 of 2, an old one: from now on, sign with the first." in page


HEX = signed(CALLBACK)["signature"]
RAW = bytes.fromhex(HEX)
WRITTEN_DIFFERENTLY = [
    pytest.param(HEX.upper(), "in upper case", id="upper case"),
    pytest.param(f" {HEX}\n", "white space around the signature", id="white space"),
    pytest.param(f"sha256={HEX}", "“sha256=” stands before the signature", id="prefix"),
    pytest.param(f"0x{HEX}", "“0x” stands before the signature", id="0x"),
    pytest.param(base64.b64encode(RAW).decode(), "in base64", id="base64"),
    pytest.param(base64.b64encode(RAW).decode().rstrip("="), "in base64", id="base64 without padding"),
    pytest.param(base64.urlsafe_b64encode(RAW).decode(), "in base64", id="base64 for addresses"),
    pytest.param(base64.b64encode(HEX.encode()).decode(), "in base64", id="digits in base64"),
    pytest.param(HEX[:32], "has 32 digits instead of 64", id="cut"),
    pytest.param("unsigned", "neither hexadecimal digits nor base64", id="no digest"),
]
SIGNED_DIFFERENTLY = [
    pytest.param(claiming(REQUEST, joined(REQUEST, keys=list(REQUEST))), "in which they were sent", id="as sent"),
    pytest.param(
        dict(reversed(claiming(REQUEST, joined(REQUEST, keys=list(REQUEST))).items())),
        "order of the documentation",
        id="as documented",
    ),
    pytest.param(claiming(CALLBACK, joined(CALLBACK, keys=sorted(CALLBACK)[::-1])), "from z to a", id="reversed"),
    pytest.param(claiming(CALLBACK, joined(CALLBACK, between="&", colon="=")), "joined with '&'", id="as a query"),
    pytest.param(claiming(CALLBACK, joined(CALLBACK, between="\n")), "joined with '\\n'", id="as lines"),
    pytest.param(claiming(CALLBACK, joined(CALLBACK, colon="")), "Keys were joined to values with ''", id="no colon"),
    pytest.param(claiming(CALLBACK, joined(CALLBACK) + "\n"), "A line break follows", id="line break at the end"),
    pytest.param(
        claiming(CALLBACK, "".join(str(CALLBACK[key]) for key in sorted(CALLBACK))), "Only the values", id="values"
    ),
    pytest.param(claiming(CALLBACK, joined({**CALLBACK, "signature": ""})), "An empty key “signature”", id="itself"),
    pytest.param(
        claiming(CALLBACK, joined({**CALLBACK, "provider_id": "hogwarts"})), "A key “provider_id”", id="the provider"
    ),
    pytest.param(
        claiming(REQUEST, joined({k: v for k, v in REQUEST.items() if v != ""})),
        "Keys with an empty value were not signed",
        id="empty values left out",
    ),
    pytest.param(
        claiming(REQUEST, joined({k: v for k, v in REQUEST.items() if k != "user_email"})),
        "The key “user_email” was not signed",
        id="a key left out",
    ),
    pytest.param(
        claiming({**CALLBACK, "note": "hi", "by": "me"}, joined(CALLBACK)), "further keys were not signed", id="further"
    ),
    pytest.param(claiming(LEARNER, with_values(LEARNER, str.strip)), "White space around values", id="trimmed"),
    pytest.param(claiming(LEARNER, with_values(LEARNER, quote_plus)), "percent-encoded", id="percent-encoded"),
    pytest.param(
        claiming(LEARNER, with_values(LEARNER, lambda v: v.replace("+", " "))), "+ in a value", id="plus is no blank"
    ),
    pytest.param(
        claiming(LEARNER, with_values(LEARNER, lambda v: json.dumps(v)[1:-1])), "were escaped", id="escaped characters"
    ),
    pytest.param(
        claiming(LEARNER, with_values(LEARNER, lambda v: v.replace("&", "&amp;"))), "for HTML", id="escaped for HTML"
    ),
    pytest.param(claiming(LEARNER, signed_text(LEARNER).encode("latin-1")), "as LATIN-1", id="Latin-1"),
    pytest.param(claiming(CALLBACK, signed_text(CALLBACK).encode("utf-16-le")), "as UTF-16-LE", id="UTF-16"),
    pytest.param(
        claiming(LEARNER, with_values(LEARNER, lambda v: v.encode().decode("latin-1"))), "once more", id="encoded twice"
    ),
    pytest.param(
        claiming(LEARNER, with_values(LEARNER, lambda v: unicodedata.normalize("NFD", v))), "NFD", id="decomposed"
    ),
    pytest.param(
        claiming({**REQUEST, "final_grade": "1.0"}, signed_text({**REQUEST, "final_grade": "1"})),
        "The number “final_grade” was formatted differently",
        id="1.0 as 1",
    ),
    pytest.param(
        claiming(REQUEST, signed_text({**REQUEST, "final_grade": "0.9500"})), "number “final_grade”", id="more decimals"
    ),
    pytest.param(
        claiming(CALLBACK, signed_text({**CALLBACK, "timestamp": f"{NOW}000"})), "“timestamp”", id="milliseconds"
    ),
    pytest.param(
        claiming({**CALLBACK, "flag": True}, joined({**CALLBACK, "flag": "true"})), "as JSON writes them", id="true"
    ),
    pytest.param(claiming(CALLBACK, json.dumps(CALLBACK)), "The whole body was signed", id="JSON"),
    pytest.param(
        claiming(CALLBACK, json.dumps(CALLBACK, separators=(",", ":"))), "whole body was signed", id="compact JSON"
    ),
]
KEYED_DIFFERENTLY = [
    pytest.param(claiming(CALLBACK, signed_text(CALLBACK), f"{KEY}\n"), "the line break or blank", id="line break"),
    pytest.param(claiming(CALLBACK, signed_text(CALLBACK), f'"{KEY}"'), "quotation marks", id="quoted"),
    pytest.param(
        claiming(CALLBACK, signed_text(CALLBACK), bytes.fromhex(KEY)), "decoded from hexadecimal", id="decoded"
    ),
    pytest.param(
        claiming(CALLBACK, signed_text(CALLBACK), base64.b64decode(KEY)), "decoded from base64", id="base64 decoded"
    ),
    pytest.param(
        claiming(CALLBACK, signed_text(CALLBACK), NORSE), "of another university: durmstrang", id="another's key"
    ),
    pytest.param(claiming(CALLBACK, signed_text(CALLBACK), ""), "The key is empty", id="no key"),
    pytest.param(claiming(CALLBACK, signed_text(CALLBACK), KEY, "sha1"), "HMAC-SHA1", id="SHA-1"),
    pytest.param(claiming(CALLBACK, signed_text(CALLBACK), KEY, "sha512"), "HMAC-SHA512", id="SHA-512"),
    pytest.param(claiming(CALLBACK, signed_text(CALLBACK), KEY, "md5"), "HMAC-MD5", id="MD5"),
    pytest.param(claiming(CALLBACK, KEY, signed_text(CALLBACK)), "are exchanged", id="exchanged"),
    pytest.param(
        {**CALLBACK, "signature": hashlib.sha256(signed_text(CALLBACK).encode()).hexdigest()},
        "without any key",
        id="a plain hash",
    ),
    pytest.param(
        {**CALLBACK, "signature": hashlib.sha256((KEY + signed_text(CALLBACK)).encode()).hexdigest()},
        "of key and text joined",
        id="a hash with the key",
    ),
]


@pytest.mark.parametrize(("claimed", "cause"), WRITTEN_DIFFERENTLY)
def test_a_signature_that_is_written_differently_is_explained(root, claimed, cause):
    page = checked(root, {**CALLBACK, "signature": claimed})
    assert WRONG in page
    assert cause in text_of(page)


@pytest.mark.parametrize(("message", "cause"), SIGNED_DIFFERENTLY + KEYED_DIFFERENTLY)
def test_the_mistake_behind_a_wrong_signature_is_named(root, message, cause):
    page = checked(root, message)
    assert WRONG in page
    assert "Why it is wrong" in page
    assert cause in text_of(page)
    assert shown_text(page) == signed_text(message)


def test_blanks_around_a_key_are_part_of_it(root):
    page = checked(root, claiming(CALLBACK, signed_text(CALLBACK), SPACED.strip()), provider="spaced")
    assert "The blanks around the configured key were left out" in page


def test_several_mistakes_are_named_together(root):
    digest = mac(joined(CALLBACK, between="&", colon="="), NORSE, "sha1").digest()
    text = text_of(checked(root, {**CALLBACK, "signature": base64.b64encode(digest).decode()}))
    for cause in ("joined with '&'", "durmstrang", "HMAC-SHA1", "in base64"):
        assert cause in text


def test_an_unknown_mistake_is_left_to_the_reader(root):
    text = text_of(checked(root, claiming(CALLBACK, codecs.encode(signed_text(CALLBACK), "rot13"))))
    assert "None of the usual mistakes gives this signature." in text
    assert "the keys differ" in text
    assert hashlib.sha256(signed_text(CALLBACK).encode()).hexdigest() in text


@pytest.mark.parametrize("message", [REQUEST, CALLBACK, {**CALLBACK, "signature": 7}, {**CALLBACK, "signature": " "}])
def test_an_unsigned_message_is_told_apart_from_a_wrong_one(root, message):
    page = checked(root, message)
    assert "The message has no signature." in page
    assert signature({k: v for k, v in message.items() if k != "signature"}, KEY) not in page


@pytest.mark.parametrize("provider", ["shut", "nobody", ""])
def test_without_a_key_nothing_is_checked(root, provider):
    assert "No usable key" in checked(root, signed(CALLBACK, "guessed"), provider=provider)


def test_the_right_signature_is_never_told(root):
    assert HEX not in checked(root, {**CALLBACK, "signature": "0" * 64})
    assert signed(REQUEST)["signature"] not in checked(root, {**REQUEST, "signature": HEX})


@pytest.mark.parametrize("write", [json.dumps, urlencode], ids=["JSON", "form"])
def test_a_key_in_the_message_is_hidden_and_reported(root, write):
    page = checked(root, write(signed({**CALLBACK, "status": KEY, OLD: "x"}, "guessed")))  # which also looks for keys
    assert page.count("[a shared key]") > 2
    assert "The message contains a shared key." in page


@pytest.mark.parametrize(
    "message", [{"a": "x" * 20_000}, {f"a{number}": 1 for number in range(900)}], ids=["long", "wide"]
)
def test_mistakes_are_not_looked_for_in_what_is_no_real_message(root, message):
    assert "None of the usual mistakes" in checked(root, claiming(message, joined(message, colon="=")))


def test_nothing_that_can_be_pasted_is_an_error():
    """Any values, keys and signatures, in JSON or as a form."""
    plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    keys = st.sampled_from([*REQUEST, "status", "signature"]) | st.text()
    claims = st.sampled_from([HEX, HEX.upper(), "", "0x", "=", "-_", "ü" * 32, "0" * 40]) | st.text()

    @settings(max_examples=150)
    @given(st.dictionaries(keys, plain | st.lists(plain) | st.dictionaries(st.text(), plain)), claims, st.booleans())
    def paste(params, claimed, as_form):
        write = urlencode if as_form else json.dumps
        with suppress(Unreadable):
            report = check(read(write({**params, "signature": claimed})), "hogwarts")
            assert len(report.fingerprint) == 64
            assert {pair.key for pair in report.pairs if not pair.is_missing} == {str(key) for key in params} - {
                "signature"
            }

    paste()


def test_missing_and_unexpected_keys_are_pointed_out(root):
    callback = {**CALLBACK, "note": "hi"}
    del callback["status"]
    text = text_of(checked(root, signed(callback)))
    assert "status missing" in text
    assert "note hi not a key of such a message" in text
    assert "user_country missing" in text_of(checked(root, {k: v for k, v in REQUEST.items() if k != "user_country"}))


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        pytest.param(
            {"status": "pending"}, 'The service refuses status: "pending" is not a valid choice.', id="status"
        ),
        pytest.param({"timestamp": NOW - 901}, "is more than 900 seconds from now", id="old"),
        pytest.param({"timestamp": NOW * 1000}, "is no possible date", id="milliseconds"),
        pytest.param({"timestamp": float(NOW)}, "A whole number of seconds is required", id="a float"),
        pytest.param({"request_uuid": ""}, "The service refuses request_uuid", id="blank"),
        pytest.param({"note": "hi"}, "The service refuses note: This key does not belong in a callback", id="further"),
    ],
)
def test_what_the_service_would_refuse_besides_is_told(root, changes, remark):
    page = checked(root, signed({**CALLBACK, **changes}))
    assert RIGHT in page
    assert remark in text_of(page)


@pytest.mark.parametrize("text", ['{"a": "1", "a": "2", "b": {"c": 1}}', "a=1&b=&a=2"])
def test_a_repeated_key_counts_once(root, text):
    page = text_of(checked(root, text))
    assert "“a” stands there more than once" in page
    assert "a 2 not a key" in page


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "Nothing was pasted.", id="nothing"),
        pytest.param(" \n", "Nothing was pasted.", id="blanks"),
        pytest.param("approved", "neither a JSON object", id="a word"),
        pytest.param('{"a": ', "begins like JSON, but is none", id="half of it"),
        pytest.param('{"a": NaN}', "NaN is no JSON number", id="no number"),
        pytest.param('{"a": 1e999}', "Numbers must be finite.", id="infinite"),
        pytest.param('{"a": ' + "9" * 5000 + "}", "begins like JSON", id="a huge number"),
        pytest.param("[1]", "a message is an object", id="a list"),
        pytest.param('{"a":' + "[" * 6000 + "]" * 6000 + "}", "", id="deeply nested"),
        pytest.param('{"a": "\\ud800"}', "surrogates", id="half a character"),
        pytest.param('{"a": "\\u0000"}', "NUL", id="NUL in JSON"),
        pytest.param("a=%00", "NUL", id="NUL in a form"),
        pytest.param("&".join(["a=b"] * 1001), "at most 1000 fields", id="many fields"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(root, text, reason):
    page = checked(root, text, status=400)
    assert reason in text_of(page)
    assert text.strip()[:20] in unescape(page)


@pytest.mark.parametrize("message", [signed(dict.fromkeys(REQUEST, MARKUP)), {MARKUP: MARKUP, "signature": MARKUP}])
def test_everything_is_escaped(root, message):
    assert "<script" not in checked(root, message)


def test_the_page_offers_the_universities_and_remembers_the_choice(root):
    page = requests.get(f"{root}/check_message/?provider=hogwarts", timeout=10).text
    assert re.findall(r"<option( selected)?>([\w-]+)", page) == [
        ("", "durmstrang"),
        (" selected", "hogwarts"),
        ("", "spaced"),
    ]
    assert "<option selected>durmstrang" in checked(root, CALLBACK, provider="durmstrang")


def test_nothing_is_kept(root):
    checked(root, signed(REQUEST))
    assert "None yet." in requests.get(f"{root}/", timeout=10).text
