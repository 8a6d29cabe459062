"""The practice university, over HTTP."""

import hashlib
import re
from html import unescape

import pytest
import requests
import time_machine

from credit.sandbox import university
from credit.sandbox.pages import LOCAL_HOSTS
from credit.signature import is_signed_with, signature, signed_text
from tests.credit.test_signature import REQUEST
from tests.credit.universities import open_university, recording_service

KEY = "931433d583c84ca7ba41784bad3232e6"
MARKUP = "<script>alert('x')</script>"


@pytest.fixture(autouse=True)
def _keys(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": [KEY, "old"], "durmstrang": "norse", "closed": ""}


@pytest.fixture
def service():
    with recording_service() as service:
        yield service


@pytest.fixture
def root(service):
    with open_university(service.callback_url) as root:
        yield root


def signed(params=REQUEST, *, key=KEY, **changes):
    params = {**params, **changes}
    return {**params, "signature": signature(params, key)}


def submit(root, form, *, to="hogwarts/"):
    """Post a form as a learner's browser would, and stay on the answer."""
    return requests.post(f"{root}/{to}", data=form, allow_redirects=False, timeout=10)


def page(url):
    response = requests.get(url, timeout=10)
    assert response.status_code == 200
    return response.text


def text_of(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def shown_text(html):
    """Return what the page shows as the signed text of the form."""
    return unescape(re.sub("</?b>", "", re.findall(r"<pre[^>]*>(.*?)</pre>", html, re.S)[-1]))


@pytest.mark.parametrize("key", [KEY, "old"])
def test_a_form_that_any_usable_key_has_signed_is_trusted(root, key):
    answer = submit(root, signed(key=key))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hogwarts/1/")
    html = page(f"{root}/hogwarts/1/")
    assert "The signature is right." in html
    assert "Approve" in html
    assert shown_text(html) == signed_text(REQUEST)
    for key, value in REQUEST.items():
        assert f"{key} {value or 'empty'}" in text_of(html)


def test_times_are_shown_for_people(root, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    submit(root, signed())
    assert "timestamp 1434631630 18 June 2015, 12:47:10 UTC" in text_of(page(f"{root}/hogwarts/1/"))


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        pytest.param({"final_grade": "1.0"}, "The signature is wrong.", id="changed on the way"),
        pytest.param({"signature": "0" * 64}, "The signature is wrong.", id="invented"),
        pytest.param({"signature": "ünsigned"}, "The signature is wrong.", id="not ASCII"),
        pytest.param({"signature": " "}, "The message has no signature.", id="blank"),
    ],
)
def test_a_form_that_is_not_signed_is_refused_and_taken_apart(root, service, changes, verdict):
    form = {**signed(), **changes}
    answer = submit(root, form)
    assert answer.status_code == 403
    assert verdict in answer.text
    assert shown_text(answer.text) == signed_text(form)
    assert hashlib.sha256(signed_text(form).encode()).hexdigest() in answer.text
    assert "Approve" not in answer.text
    assert submit(root, {"status": "approved"}, to="hogwarts/1/decision/").status_code == 409
    assert service.received == []


def test_a_refused_form_never_shows_a_key_or_the_right_signature(root):
    answer = submit(root, {**signed(), "signature": "0" * 64})
    assert KEY not in answer.text
    assert signed()["signature"] not in answer.text


def test_missing_and_unexpected_keys_are_pointed_out(root):
    form = {**signed(), "user_nickname": "Ron"}
    del form["user_country"]
    text = text_of(submit(root, form).text)
    assert "user_country missing" in text
    assert "user_nickname Ron not a key of a credit request" in text


def test_an_empty_form_tells_how_browsers_post(root):
    answer = requests.post(f"{root}/hogwarts/", json=signed(), timeout=10)
    assert answer.status_code == 403
    assert "application/x-www-form-urlencoded" in answer.text


@pytest.mark.parametrize("provider_id", ["closed", "nobody"])
def test_without_a_usable_key_nothing_is_trusted(root, provider_id):
    answer = submit(root, signed(key=""), to=f"{provider_id}/")
    assert answer.status_code == 403
    assert "No usable key" in answer.text
    assert "CREDIT_PROVIDER_SECRET_KEYS" in answer.text


@pytest.mark.parametrize("address", ["hogwarts", "hogwarts/"])
def test_the_slash_of_an_address_is_optional(root, address):
    assert submit(root, signed(), to=address).status_code == 303


def test_a_multipart_form_is_read_too(root):
    fields = {key: (None, str(value)) for key, value in signed().items()}
    answer = requests.post(f"{root}/hogwarts/", files=fields, allow_redirects=False, timeout=10)
    assert answer.status_code == 303


@time_machine.travel(1_800_000_000, tick=False)
@pytest.mark.parametrize("status", ["approved", "rejected"])
def test_a_decision_is_posted_signed_with_the_first_key(root, service, status):
    submit(root, signed(key="old"))
    answer = submit(root, {"status": status}, to="hogwarts/1/decision/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hogwarts/1/")
    [(path, callback)] = service.received
    made = callback.pop("signature")
    assert path == "/hogwarts/callback"
    assert callback == {"request_uuid": REQUEST["request_uuid"], "status": status, "timestamp": 1_800_000_000}
    assert is_signed_with(callback, made, [KEY])


@pytest.mark.parametrize(
    ("status", "body", "shown"),
    [
        pytest.param(200, b"", "HTTP 200 The service has taken the decision. The body is empty.", id="taken"),
        pytest.param(
            409, b'{"code": "stale"}', 'HTTP 409 The service has not taken the decision. {"code": "stale"}', id="late"
        ),
        pytest.param(500, MARKUP.encode(), f"HTTP 500 The service has not taken the decision. {MARKUP}", id="markup"),
        pytest.param(403, b"\xff\0", "HTTP 403 The service has not taken the decision. \ufffd\0", id="no text"),
    ],
)
def test_the_answer_to_a_decision_is_shown(root, service, status, body, shown):
    service.status, service.body = status, body
    submit(root, signed())
    submit(root, {"status": "approved"}, to="hogwarts/1/decision/")
    html = page(f"{root}/hogwarts/1/")
    assert MARKUP not in html
    assert shown in text_of(html)


def test_a_redirect_is_shown_and_not_followed(root, service):
    service.status, service.headers = 301, {"Location": f"{service.root}/elsewhere"}
    submit(root, signed())
    submit(root, {"status": "approved"}, to="hogwarts/1/decision/")
    assert "HTTP 301" in page(f"{root}/hogwarts/1/")
    assert len(service.received) == 1


def test_a_silent_service_is_reported():
    with recording_service() as stopped:
        pass
    with open_university(stopped.callback_url) as root:
        submit(root, signed())
        assert submit(root, {"status": "approved"}, to="hogwarts/1/decision/").status_code == 303
        assert "No answer" in page(f"{root}/hogwarts/1/")
        assert "to be decided" in page(f"{root}/hogwarts/")


def test_a_decision_can_be_sent_again(root, service):
    submit(root, signed())
    for status in ("approved", "rejected"):
        submit(root, {"status": status}, to="hogwarts/1/decision/")
    assert [callback["status"] for _, callback in service.received] == ["approved", "rejected"]
    assert "Decide again" in page(f"{root}/hogwarts/1/")
    assert "rejected" in page(f"{root}/hogwarts/")


@pytest.mark.parametrize(
    ("form", "headers", "address", "status"),
    [
        pytest.param({"status": "pending"}, {}, "hogwarts/1/decision/", 400, id="no decision"),
        pytest.param({}, {}, "hogwarts/1/decision/", 400, id="nothing"),
        pytest.param({"status": "approved"}, {}, "hogwarts/2/decision/", 404, id="unknown form"),
        pytest.param({"status": "approved"}, {}, "durmstrang/1/decision/", 404, id="another university's form"),
        pytest.param(
            {"status": "approved"}, {"Origin": "http://evil.example"}, "hogwarts/1/decision/", 403, id="another site"
        ),
        pytest.param(
            {"status": "approved"}, {"Origin": "http://[::1"}, "hogwarts/1/decision/", 403, id="no site's address"
        ),
        pytest.param({"status": "approved"}, {"Origin": "null"}, "hogwarts/1/decision/", 403, id="a hidden site"),
    ],
)
def test_other_decisions_are_refused(root, service, form, headers, address, status):
    submit(root, signed())
    assert requests.post(f"{root}/{address}", form, headers=headers, timeout=10).status_code == status
    assert service.received == []


def test_a_form_without_a_request_is_not_decided_on(root, service):
    unaddressed = {key: value for key, value in REQUEST.items() if key != "request_uuid"}
    assert submit(root, signed(unaddressed)).status_code == 303
    assert "Approve" not in page(f"{root}/hogwarts/1/")
    assert submit(root, {"status": "approved"}, to="hogwarts/1/decision/").status_code == 409


def test_everything_is_escaped(root):
    submit(root, signed(**dict.fromkeys(REQUEST, MARKUP), **{MARKUP: MARKUP}))
    for address in ("", "hogwarts/", "hogwarts/1/"):
        html = page(f"{root}/{address}")
        assert "<script" not in html
    assert "alert" in html


@pytest.mark.parametrize("address", ["", "hogwarts/", "hogwarts/1/", "hogwarts/9/", "sandbox.css", "no such/page"])
def test_every_answer_forbids_scripts_and_frames(root, address):
    submit(root, signed())
    headers = requests.get(f"{root}/{address}", timeout=10).headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "hogwarts/9/", 404),
        ("GET", "hogwarts/x/", 404),
        ("GET", "bad_id/", 404),
        ("GET", "%ff%00/", 404),
        ("GET", "hogwarts/1/decision/", 405),
        ("POST", "", 405),
        ("DELETE", "hogwarts/", 405),
    ],
)
def test_other_addresses_and_methods_are_refused(root, method, address, status):
    assert requests.request(method, f"{root}/{address}", timeout=10).status_code == status


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        pytest.param({}, b"a=" + b"x" * 70_000, 413, id="long"),
        pytest.param({"Content-Type": "multipart/form-data"}, b"--", 400, id="multipart without a boundary"),
        pytest.param({"Content-Type": "application/x-www-form-urlencoded; charset=utf-7"}, b"a=b", 400, id="charset"),
        pytest.param({"Content-Type": "text/plain; x*=no-codec''y"}, b"a=b", 400, id="unreadable content type"),
        pytest.param({"Content-Type": "text/plain; charset=a\0b"}, b"a=b", 400, id="charset with NUL"),
        pytest.param({}, b"&".join(b"k%d=1" % n for n in range(1500)), 400, id="many fields"),
        pytest.param({}, b"%ff=%fe&a=%00", 403, id="no text"),
    ],
)
def test_a_bad_body_is_refused(root, headers, body, status):
    headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    assert requests.post(f"{root}/hogwarts/", body, headers=headers, timeout=10).status_code == status


def test_overview_lists_universities_and_forms(root):
    submit(root, signed())
    submit(root, signed(key="norse"), to="durmstrang/")
    submit(root, signed(key="guessed"), to="durmstrang/")
    html = page(f"{root}/")
    assert f"{root}/hogwarts/" in html
    assert "closed" not in html
    assert re.findall(r"Form (\d)", html) == ["3", "2", "1"]
    assert [text for text in ("refused", "to be decided") if text in html] == ["refused", "to be decided"]
    assert re.findall(r"Form (\d)", page(f"{root}/durmstrang/")) == ["3", "2"]


def test_overview_without_any_key_says_what_to_set(root, settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {}
    assert "CREDIT_PROVIDER_SECRET_KEYS" in page(f"{root}/")


def test_only_the_latest_forms_are_kept(settings):
    archive = university.Archive()
    for _ in range(university.KEPT_FORMS + 1):
        archive.add("hogwarts", {})
    assert archive.get("hogwarts", 1) is None
    assert archive.forms()[0].number == university.KEPT_FORMS + 1
    assert len(archive.forms("hogwarts")) == university.KEPT_FORMS


@pytest.mark.parametrize("value", ["", "soon", "-1", "9" * 30, "٣", "²"])
def test_a_timestamp_that_is_no_time_is_shown_as_it_is(root, value):
    submit(root, signed(timestamp=value))
    assert f"timestamp {value or 'empty'} user_country" in text_of(page(f"{root}/hogwarts/1/"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "localhost:8090", "LOCALHOST", "[::1]:8090", "a.example"])
def test_it_answers_under_its_own_names(service, host):
    with open_university(service.callback_url, hosts=[*LOCAL_HOSTS, "a.example"]) as root:
        assert requests.get(f"{root}/", headers={"Host": host}, timeout=10).status_code == 200


def test_the_address_that_a_connection_came_to_is_its_own(service):
    with open_university(service.callback_url, hosts=[]) as root:
        assert requests.get(f"{root}/", timeout=10).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.2", "localhost.evil.example", "", "a b", "[", "127.0.0.1:x"])
@pytest.mark.parametrize("address", ["", "sandbox.css", "hogwarts/1/decision/", "check_message/", "no/page"])
def test_it_does_not_answer_under_a_foreign_name(root, service, host, address):
    submit(root, signed())
    answer = requests.post(f"{root}/{address}", {"status": "approved"}, headers={"Host": host}, timeout=10)
    assert (answer.status_code, service.received) == (421, [])
    assert "--allowed-host" in answer.text
    assert "evil" not in answer.text


def test_a_key_in_a_form_or_an_answer_is_hidden(root, service):
    service.status, service.body = 400, f'"{KEY}"'.encode()
    submit(root, signed(user_full_name=f"my key is {KEY}"))
    submit(root, {"status": "approved"}, to="hogwarts/1/decision/")
    html = page(f"{root}/hogwarts/1/")
    assert KEY not in html
    assert html.count("[a shared key]") == 3
