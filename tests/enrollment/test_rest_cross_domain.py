"""Sessions that are used from pages of neighbour sites (enrollment contract 10.2)."""

import pytest

from enrollment.models import CourseEnrollment
from tests.credit.rest import client_of
from tests.enrollment.factories import CourseFactory, UserFactory
from tests.enrollment.rest import COURSE, V1

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.rest.cross-domain")]

SHOP = "https://shop.example.com"
PAGE = f"{SHOP}/basket?step=2"
COOKIE = "shared-csrf"
BODY = {"course_details": {"course_id": COURSE}}


@pytest.fixture(autouse=True)
def configured(settings):
    settings.CROSS_DOMAIN_CSRF_ORIGINS = [SHOP, "https://*.partner.example.org"]
    settings.CROSS_DOMAIN_CSRF_COOKIE_NAME = COOKIE
    settings.CROSS_DOMAIN_CSRF_COOKIE_DOMAIN = ".example.com"
    settings.EDX_API_KEY = None
    CourseFactory(id=COURSE)
    return settings


@pytest.fixture
def browser():
    """A learner's browser, with a session here."""
    return client_of(UserFactory(), enforce_csrf_checks=True)


def visit(browser, path="enrollment", referer=PAGE, secure=True):
    headers = {} if referer is None else {"Referer": referer}
    return browser.get(V1 + path, headers=headers, secure=secure)


def post(browser, token, *, secure=True, **headers):
    sent = {"Referer": PAGE, "X-CSRFToken": token, **headers}
    sent = {name: value for name, value in sent.items() if value is not None}
    return browser.post(f"{V1}enrollment", BODY, format="json", headers=sent, secure=secure)


@pytest.mark.parametrize("path", ["enrollment", "enrollment/", f"enrollment/{COURSE}", f"enrollment/bob,{COURSE}"])
def test_a_neighbours_page_gets_the_token(browser, path):
    response = visit(browser, path)

    cookie = response.cookies[COOKIE]
    assert cookie.value == response.cookies["csrftoken"].value
    assert (cookie["domain"], cookie["secure"], cookie["httponly"], cookie["samesite"]) == (
        ".example.com",
        True,
        "",
        "Lax",
    )
    assert {"Cookie", "Referer"} <= set(response["Vary"].split(", "))


@pytest.mark.parametrize(
    "referer",
    [
        None,
        "",
        "http://shop.example.com/",
        "https://shop.example.com.evil.example/",
        "https://evil.example/?https://shop.example.com/",
        "https://shop.example.com:8443/",
        "https://partner.example.org.evil/",
        "https://[broken",
        "shop.example.com",
    ],
)
def test_nobody_else_does(browser, referer):
    assert COOKIE not in visit(browser, referer=referer).cookies


@pytest.mark.parametrize("referer", ["https://a.partner.example.org/", "https://a.b.partner.example.org"])
def test_neighbours_may_be_named_by_their_domain(browser, referer):
    assert COOKIE in visit(browser, referer=referer).cookies


def test_not_without_tls(browser):
    assert COOKIE not in visit(browser, secure=False).cookies


def test_not_about_courses(browser):
    assert COOKIE not in visit(browser, f"course/{COURSE}").cookies


@pytest.mark.parametrize(
    "missing", ["CROSS_DOMAIN_CSRF_ORIGINS", "CROSS_DOMAIN_CSRF_COOKIE_NAME", "CROSS_DOMAIN_CSRF_COOKIE_DOMAIN"]
)
def test_not_unless_all_is_configured(configured, browser, missing):
    delattr(configured, missing)

    assert visit(browser).cookies.keys() & {COOKIE, ""} == set()


@pytest.mark.parametrize("headers", [{}, {"Origin": SHOP}], ids=["referer", "referer and origin"])
def test_with_the_token_a_neighbours_page_may_enroll(browser, headers):
    token = visit(browser).cookies[COOKIE].value

    assert post(browser, token, **headers).status_code == 200
    assert CourseEnrollment.objects.count() == 1


@pytest.mark.parametrize(
    ("headers", "secure"),
    [
        pytest.param({"X-CSRFToken": None}, True, id="without the token"),
        pytest.param({"X-CSRFToken": "a" * 32}, True, id="with another token"),
        pytest.param({"Referer": "https://evil.example/"}, True, id="from elsewhere"),
        pytest.param({"Referer": None}, True, id="from nowhere"),
        pytest.param({"Origin": "https://evil.example"}, True, id="with an origin elsewhere"),
        pytest.param({"Origin": "null"}, True, id="with an origin that is hidden"),
        pytest.param({"Origin": SHOP}, False, id="without TLS"),
    ],
)
def test_otherwise_it_may_not(browser, headers, secure):
    token = visit(browser).cookies[COOKIE].value

    response = post(browser, token, secure=secure, **headers)

    assert response.status_code == 403
    assert response.json()["message"].startswith("CSRF Failed: ")
    assert not CourseEnrollment.objects.exists()


def test_not_when_it_is_off(configured, browser):
    token = visit(browser).cookies[COOKIE].value
    configured.CROSS_DOMAIN_CSRF_ORIGINS = []

    assert post(browser, token).status_code == 403


def test_our_own_pages_need_nothing_of_it(browser):
    own = "https://testserver/"
    browser.cookies["csrftoken"] = "a" * 32

    assert post(browser, "a" * 32, Referer=own).status_code == 200
