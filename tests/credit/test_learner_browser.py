"""The learner's way to credit in a real browser, with the practice university at the other end."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from credit import api
from credit.models import CreditRequest
from tests.credit.browser import DESKTOP, PHONE, browse, expect_accessible
from tests.credit.conftest import SECRET
from tests.credit.factories import (
    CreditCourseFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
    enroll,
)
from tests.credit.universities import open_university
from tests.enrollment.factories import CourseFactory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),  # a browser sees the same pages on each; other tests ask each database
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("credit.learner-pages.browser"),
]

PASSWORD = "expelliarmus"
SHOTS = os.environ.get("SCREENSHOTS")  # a folder, for who wants to look at the pages


@pytest.fixture(autouse=True)
def _feature_is_on(settings):
    settings.FEATURES = {"ENABLE_CREDIT_ELIGIBILITY": True}


@pytest.fixture
def university(live_server, settings):
    """Hogwarts, which sends its decisions to the running service."""
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": SECRET}

    def callback_url(provider_id):
        return live_server.url + reverse("credit:provider_callback", kwargs={"provider_id": provider_id})

    with open_university(callback_url) as root:
        yield CreditProviderFactory(
            provider_id="hogwarts",
            display_name="Hogwarts School of Witchcraft and Wizardry",
            provider_url=f"{root}/hogwarts/",
            provider_status_url=f"{root}/hogwarts/",
            provider_description="<p>Founded by <b>four</b> witches and wizards. <a href='https://example.com/'>More</a></p>",
            fulfillment_instructions="Bring your owl.\nCome to platform 9¾.",
            thumbnail_url=f"{root}/crest.svg",
        )


@pytest.fixture
def session(client, ron, live_server):
    """The cookies of the learner's browser."""
    ron.set_password(PASSWORD)
    ron.save()
    client.force_login(ron)
    return [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]


def look_at(page, name):
    """Check a page as a whole, and keep a picture of it if somebody wants to look."""
    expect_accessible(page)
    if SHOTS:
        scheme = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
        width = page.viewport_size["width"]
        language = page.evaluate("document.documentElement.lang")
        page.screenshot(path=Path(SHOTS) / f"{name}-{language}-{width}-{scheme}.png", full_page=True)


LOOKS = [
    pytest.param({"viewport": PHONE, "color_scheme": "light"}, "Approve", "Approved", id="phone, light"),
    pytest.param({"viewport": PHONE, "color_scheme": "dark"}, "Reject", "Rejected", id="phone, dark"),
    pytest.param({"viewport": DESKTOP, "color_scheme": "light"}, "Reject", "Rejected", id="desktop, light"),
    pytest.param({"viewport": DESKTOP, "color_scheme": "dark"}, "Approve", "Approved", id="desktop, dark"),
]


@pytest.mark.parametrize(("looks", "button", "decision"), LOOKS)
def test_from_the_first_requirement_to_the_decision(
    live_server, session, university, ron, potions, grade, exam, looks, button, decision
):
    ask = "Ask Hogwarts School of Witchcraft and Wizardry for credit"

    def satisfy(requirement, **reason):
        api.set_credit_requirement_status(
            ron, potions.course_key, requirement.namespace, requirement.name, reason=reason
        )

    def on_the_way(page):
        page.goto(f"{live_server.url}/credit/")
        expect(page.get_by_text("Final Exam")).to_be_visible()
        look_at(page, "1-list-on-the-way")
        page.get_by_role("link", name="Demonstration").click()
        expect(page.get_by_role("heading", name="Universities that give credit")).to_be_visible()
        expect(page.get_by_role("button", name=ask)).to_have_count(0)
        look_at(page, "2-course-on-the-way")

    def eligible(page):
        page.goto(f"{live_server.url}/credit/")
        expect(page.get_by_text("Eligible", exact=True)).to_be_visible()
        look_at(page, "3-list-eligible")
        page.get_by_role("link", name="Demonstration").click()
        look_at(page, "4-course-eligible")
        page.get_by_role("button", name=ask).click()
        expect(page.get_by_text("ron@example.com")).to_be_visible()
        look_at(page, "5-hand-over")
        page.get_by_role("button", name=re.compile("Continue to Hogwarts")).click()
        expect(page.get_by_role("heading", name="The signature is right.")).to_be_visible()
        page.goto(f"{live_server.url}/credit/")
        expect(page.get_by_text("waiting for the decision")).to_be_visible()
        page.get_by_role("link", name="Demonstration").click()
        look_at(page, "6-course-asked")
        page.get_by_role("link", name="Status at").click()
        page.get_by_role("link", name="Form 1").click()
        page.get_by_role("button", name=button).click()
        expect(page.get_by_text("HTTP 200")).to_be_visible()
        page.goto(f"{live_server.url}/credit/")
        expect(page.get_by_text(decision, exact=True)).to_be_visible()
        look_at(page, "7-list-decided")
        page.get_by_role("link", name="Demonstration").click()
        expect(page.get_by_role("button", name=ask)).to_have_count(0)
        look_at(page, "8-course-decided")

    satisfy(grade, final_grade=0.95)
    assert browse(on_the_way, cookies=session, **looks) == []
    satisfy(exam)
    assert browse(eligible, cookies=session, **looks) == []
    assert CreditRequest.objects.get().status == decision.lower()


def test_it_works_without_javascript(live_server, session, university, eligible_ron):
    def journey(page):
        page.goto(f"{live_server.url}/credit/")
        page.get_by_role("link", name="Demonstration").click()
        page.get_by_role("button", name=re.compile("^Ask")).click()
        page.get_by_role("button", name=re.compile("^Continue")).click()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("HTTP 200")).to_be_visible()

    assert browse(journey, cookies=session, java_script_enabled=False) == []
    assert CreditRequest.objects.get().status == "approved"


def test_a_form_that_goes_elsewhere_is_stopped_by_the_browser(live_server, session, university, eligible_ron):
    def journey(page):
        page.goto(f"{live_server.url}/credit/")
        page.get_by_role("link", name="Demonstration").click()
        page.get_by_role("button", name=re.compile("^Ask")).click()
        with page.expect_console_message():
            page.evaluate(
                "const form = document.querySelector('main form');"
                "form.action = 'https://elsewhere.example/'; form.requestSubmit()"
            )

    [complaint] = browse(journey, cookies=session)
    assert "form-action" in complaint
    assert "https://elsewhere.example" in complaint


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_that_a_learner_rather_does_not_see(live_server, session, university, potions, ron, viewport, scheme):
    def journey(page):
        page.goto(f"{live_server.url}/credit/courses/course-v1:a+b+c/")
        expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
        look_at(page, "9-not-found")
        page.context.clear_cookies()
        page.goto(f"{live_server.url}/credit/")
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        look_at(page, "10-log-in")
        page.get_by_label("Username").fill("ron")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        look_at(page, "11-log-in-refused")
        page.get_by_label("Username").fill("ron")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="My credit")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name="Log in")).to_be_visible()

    complaints = browse(journey, cookies=session, viewport=viewport, color_scheme=scheme)
    assert [complaint for complaint in complaints if "404 (Not Found)" not in complaint] == []


@pytest.fixture
def crowded(ron, potions, settings):
    """A learner with courses in every state, long names, names of both directions."""
    settings.CREDIT_HELP_LINK_URL = "https://help.example.com/"
    ron.first_name, ron.last_name = "رون", "Weasley-Prewett of Ottery St Catchpole"
    ron.save()
    long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft and its History"
    states = {
        "Soon": ("مقدمة في علم الفلك 101", {"deadline": timezone.now() + timedelta(days=3, hours=1)}, None),
        "Later": (long, {}, None),
        "Asked": ("Charms: Theory & Practice", {}, "pending"),
        "Granted": ("תולדות הקסם", {}, "approved"),  # a name in its own script
        "Refused": ("Arithmancy", {"deadline": timezone.now() - timedelta(days=3)}, "rejected"),
        "Over": ("Herbology", {"deadline": timezone.now() - timedelta(days=400)}, None),
        "Failed": ("Divination", None, None),
        "New": ("Care of Magical Creatures", None, None),
    }
    provider = CreditProviderFactory(provider_id="cairo", display_name="جامعة القاهرة", thumbnail_url="")
    CreditProviderFactory(
        provider_id="plain",
        display_name=long,
        enable_integration=False,
        thumbnail_url="",
        provider_description="https://example.com/" + "a-very-long-address-without-spaces/" * 4,
        fulfillment_instructions="<ul><li>One</li><li>Two</li></ul>",
    )
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"cairo": SECRET}
    for code, (name, eligibility, request) in states.items():
        key = f"course-v1:HogwartsX+{code}+1T2026"
        CourseFactory(id=key, display_name=name)
        course = CreditCourseFactory(course_key=key)
        enroll(ron, course)
        if code != "New":
            for number, status in enumerate(["failed" if code == "Failed" else "satisfied", "submitted"]):
                requirement = CreditRequirementFactory(
                    course=course,
                    **({} if number == 0 else {"namespace": "proctored_exam", "name": "final", "criteria": {}}),
                    display_name="الاختبار النهائي" if number else "Minimum Grade",
                    sort_value=number,
                )
                CreditRequirementStatusFactory(requirement=requirement, status=status)
        if eligibility is not None:
            CreditEligibilityFactory(course=course, **eligibility)
        if request:
            CreditRequestFactory(course=course, provider=provider, status=request)


@pytest.mark.parametrize(
    ("locale", "viewport", "scheme"),
    [
        pytest.param("en", PHONE, "light", id="English, phone, light"),
        pytest.param("en", DESKTOP, "dark", id="English, desktop, dark"),
        pytest.param("es", PHONE, "dark", id="Spanish, phone, dark"),
        pytest.param("ar", PHONE, "light", id="Arabic, phone, light"),
        pytest.param("ar", DESKTOP, "dark", id="Arabic, desktop, dark"),
    ],
)
def test_every_state_in_every_language_fits_and_is_accessible(live_server, session, crowded, locale, viewport, scheme):
    def journey(page):
        page.goto(f"{live_server.url}/credit/")
        assert page.evaluate("document.documentElement.dir") == ("rtl" if locale == "ar" else "ltr")
        look_at(page, "20-list")
        for code in ("Soon", "Asked", "Failed"):
            page.goto(f"{live_server.url}/credit/courses/course-v1:HogwartsX+{code}+1T2026/")
            look_at(page, f"21-{code.lower()}")
        page.goto(f"{live_server.url}/credit/courses/course-v1:HogwartsX+Soon+1T2026/")
        page.locator("main form button").first.click()
        look_at(page, "22-hand-over")

    complaints = browse(journey, cookies=session, locale=locale, viewport=viewport, color_scheme=scheme)
    assert complaints == []
