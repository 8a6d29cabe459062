"""The practice university in a real browser, deciding on a real request."""

import json
import time
from html import escape

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from credit.choices import RequestStatus
from credit.models import CreditRequest
from credit.signature import signature
from tests.credit.browser import DESKTOP, PHONE, browse, expect_accessible
from tests.credit.factories import (
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
)
from tests.credit.universities import open_university
from tests.enrollment.factories import UserFactory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),  # a browser sees the same pages on each; other tests ask each database
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def root(live_server, settings):
    """A university that sends its decisions to the running service."""
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": "931433d583c84ca7ba41784bad3232e6"}

    def callback_url(provider_id):
        return live_server.url + reverse("credit:provider_callback", kwargs={"provider_id": provider_id})

    with open_university(callback_url) as root:
        yield root


@pytest.fixture
def form(client, root):
    """The form that the service gives an eligible learner for the university."""
    learner = UserFactory(username="ron")
    requirement = CreditRequirementFactory()
    CreditRequirementStatusFactory(username="ron", requirement=requirement)
    CreditEligibilityFactory(username="ron", course=requirement.course)
    CreditProviderFactory(provider_id="hogwarts", provider_url=f"{root}/hogwarts/")
    client.force_login(learner)
    response = client.post(
        reverse("credit:create_request", kwargs={"provider_id": "hogwarts"}),
        {"username": "ron", "course_key": str(requirement.course)},
        content_type="application/json",
    )
    assert response.status_code == 200, response.content
    return response.json()


def learners_page(form, **changes):
    """Return a page as a client shows it to the learner, with the form behind one button."""
    fields = "".join(
        f'<input type="hidden" name="{escape(key)}" value="{escape(str(value))}">'
        for key, value in {**form["parameters"], **changes}.items()
    )
    return f'<form method="{form["method"]}" action="{form["url"]}">{fields}<button>Ask for credit</button></form>'


def expect_to_fit(page):
    """Wait until nothing has to be scrolled sideways: a page is laid out after its style sheet has come."""
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(
    ("viewport", "scheme", "button", "status"),
    [
        pytest.param(PHONE, "light", "Approve", RequestStatus.APPROVED, id="phone, light, approved"),
        pytest.param(PHONE, "dark", "Reject", RequestStatus.REJECTED, id="phone, dark, rejected"),
        pytest.param(DESKTOP, "light", "Reject", RequestStatus.REJECTED, id="desktop, light, rejected"),
        pytest.param(DESKTOP, "dark", "Approve", RequestStatus.APPROVED, id="desktop, dark, approved"),
    ],
)
def test_a_clerk_decides_on_a_learners_request(form, viewport, scheme, button, status):
    def journey(page):
        page.set_content(learners_page(form))
        page.get_by_role("button", name="Ask for credit").click()
        expect(page.get_by_role("heading", name="The signature is right.")).to_be_visible()
        expect_to_fit(page)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_text("HTTP 200")).to_be_visible()
        page.get_by_text("What was posted").click()
        expect(page.get_by_text(f"status:{status.value}timestamp:")).to_be_visible()
        expect_to_fit(page)
        page.get_by_role("link", name="Practice university").click()
        expect(page.get_by_text(status.value)).to_be_visible()
        expect_to_fit(page)

    assert browse(journey, viewport=viewport, color_scheme=scheme) == []
    assert CreditRequest.objects.get().status == status


def test_a_forged_form_cannot_be_decided_on(form):
    def journey(page):
        page.set_content(learners_page(form, final_grade="1.0"))
        page.get_by_role("button", name="Ask for credit").click()
        expect(page.get_by_role("heading", name="The signature is wrong.")).to_be_visible()
        expect(page.get_by_text("final_grade:1.0")).to_be_visible()
        expect(page.get_by_role("button")).to_have_count(0)
        expect_to_fit(page)

    [complaint] = browse(journey, viewport=PHONE)
    assert "403 (Forbidden)" in complaint
    assert CreditRequest.objects.get().status == RequestStatus.PENDING


def test_it_works_without_javascript(form):
    def journey(page):
        page.set_content(learners_page(form))
        page.get_by_role("button", name="Ask for credit").click()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("HTTP 200")).to_be_visible()

    assert browse(journey, java_script_enabled=False) == []
    assert CreditRequest.objects.get().status == RequestStatus.APPROVED


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [
        pytest.param(PHONE, "light", id="phone, light"),
        pytest.param(PHONE, "dark", id="phone, dark"),
        pytest.param(DESKTOP, "light", id="desktop, light"),
        pytest.param(DESKTOP, "dark", id="desktop, dark"),
    ],
)
@pytest.mark.database("sqlite")  # there is nothing of the database in it
def test_an_integrator_has_a_message_checked(root, viewport, scheme):
    callback = {"request_uuid": "0" * 32, "status": "approved", "timestamp": int(time.time())}
    right = signature(callback, "931433d583c84ca7ba41784bad3232e6")
    attempts = {right.upper(): "The signature is wrong.", right: "The signature is right."}

    def journey(page):
        page.goto(f"{root}/hogwarts/")
        page.get_by_role("link", name="Check a message").click()
        expect(page.get_by_label("University")).to_have_value("hogwarts")
        expect_accessible(page)
        for claimed, verdict in attempts.items():
            page.get_by_label("Message").fill(json.dumps({**callback, "signature": claimed}))
            page.get_by_role("button", name="Check").click()
            expect(page.get_by_role("heading", name=verdict)).to_be_visible()
            expect(page.get_by_text("upper case")).to_have_count(0 if claimed == right else 1)
            expect(page.get_by_label("Message")).to_have_value(json.dumps({**callback, "signature": claimed}))
            expect_accessible(page)

    assert browse(journey, viewport=viewport, color_scheme=scheme) == []
