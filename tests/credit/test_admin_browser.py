"""A day of a member of staff in a real browser, dark and light, under the security policy of the site."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from credit.choices import CallbackOutcome
from credit.models import CreditCourse, CreditEligibility, CreditRequest
from credit.models.callbacks import CallbackLog
from tests.credit.factories import (
    CreditCourseFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
)
from tests.enrollment.factories import UserFactory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),  # a browser sees the same pages on each; other tests ask each database
    pytest.mark.django_db(transaction=True),
]

expect.set_options(timeout=30_000)  # milliseconds; a busy machine is no failure


@pytest.fixture
def chromium():
    """Path of the browser; where CI runs, it must be there."""
    path = shutil.which("chromium")
    if path is None and not os.environ.get("CI"):
        pytest.skip("Chromium is not installed.")
    return path


@pytest.fixture
def school():
    """Two universities, a course, and a year of requests."""
    UserFactory(username="mcgonagall", password="expecto", is_staff=True, is_superuser=True)
    course = CreditCourseFactory(course_key="course-v1:HogwartsX+Potions101+1T2026")
    requirement = CreditRequirementFactory(course=course)
    providers = [
        CreditProviderFactory(provider_id="hogwarts", display_name="Hogwarts School"),
        CreditProviderFactory(provider_id="durmstrang", display_name="Durmstrang Institute"),
    ]
    for n in range(60):
        asked = timezone.now() - timedelta(days=(n * n) % 340 + 8)
        status = ("pending", "approved", "approved", "rejected")[n % 4]
        row = CreditRequestFactory(
            username=f"learner{n:02}", course=course, provider=providers[n % 3 // 2], status=status
        )
        CreditRequest.objects.filter(pk=row.pk).update(created=asked, modified=asked + timedelta(days=5))
        CreditRequirementStatusFactory(username=f"learner{n:02}", requirement=requirement)
        eligibility = CreditEligibilityFactory(username=f"learner{n:02}", course=course, notified_at=asked)
        CreditEligibility.objects.filter(pk=eligibility.pk).update(created=asked - timedelta(days=n))
    CallbackLog.objects.create(
        provider_id="hogwarts", outcome=CallbackOutcome.REFUSED, reason="permission_denied", times=12
    )
    return course


def complaints_during(journey, chromium, url, **context):
    """Play a journey as somebody who has just logged in; return what the browser complains of."""

    def play():
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
            page = browser.new_context(accept_downloads=True, **context).new_page()
            complaints = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{url}/admin/")
            page.get_by_label("Username").fill("mcgonagall")
            page.get_by_label("Password").fill("expecto")
            page.get_by_role("button", name="Log in").click()
            journey(page)
            browser.close()
            return complaints

    with ThreadPoolExecutor(1) as thread:  # Playwright's event loop would keep Django from its database
        return thread.submit(play).result()


def keep(page, name):
    """Keep a picture in the folder that `SCREENSHOTS` names, if it names one."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def choose(page, username, action):
    row = page.get_by_role("row").filter(has_text=username)
    row.get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name="Go", exact=True).click()


@pytest.mark.rule("credit.admin.browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_requests_are_found_and_decided(chromium, school, live_server, scheme):
    def journey(page):
        expect(page.get_by_role("link", name="Requests pending longer than a week")).to_be_visible()
        keep(page, f"index-{scheme}")
        page.get_by_text("As a table").first.click()
        expect(page.get_by_role("columnheader", name="eligible")).to_be_visible()
        page.get_by_role("link", name="Requests pending longer than a week").click()
        expect(page.get_by_text("15 credit requests")).to_be_visible()
        keep(page, f"list-{scheme}")

        page.locator("#searchbar").fill("learner04")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("row").filter(has_text="learner04")).to_have_count(1)
        choose(page, "learner04", "Approve the chosen requests")
        expect(page.get_by_text("1 row was changed.")).to_be_visible()

        page.goto(f"{live_server.url}/admin/credit/creditrequest/?q=learner08")
        choose(page, "learner08", "Reject the chosen requests…")
        expect(page.get_by_role("heading", name="Reject the chosen requests")).to_be_visible()
        page.get_by_role("button", name="Reject the chosen requests").click()
        expect(page.get_by_text("This field is required.")).to_be_visible()
        keep(page, f"reject-{scheme}")
        page.get_by_label("Reason").fill("The name does not match the passport.")
        page.get_by_role("button", name="Reject the chosen requests").click()
        expect(page.get_by_text("1 row was changed.")).to_be_visible()

        page.get_by_role("row").filter(has_text="learner08").get_by_role("link").first.click()
        expect(page.get_by_text("pending → rejected")).to_be_visible()
        expect(page.get_by_text("The name does not match the passport.")).to_be_visible()
        keep(page, f"request-{scheme}")
        page.goto(f"{live_server.url}/admin/credit/creditrequest/figures/")
        keep(page, f"figures-{scheme}")

    assert complaints_during(journey, chromium, live_server.url, color_scheme=scheme) == []
    decided = CreditRequest.objects.filter(username__in=["learner04", "learner08"]).order_by("username")
    assert list(decided.values_list("status", flat=True)) == ["approved", "rejected"]


@pytest.mark.rule("credit.admin.browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_files_go_out_and_come_in(chromium, school, live_server, scheme, tmp_path):
    def upload(page, content):
        path = tmp_path / "courses.csv"
        path.write_text(content)
        page.get_by_label("File to import").set_input_files(path)
        page.get_by_role("button", name="Import", exact=True).click()

    def journey(page):
        page.goto(f"{live_server.url}/admin/credit/creditcourse/")
        with page.expect_download() as download:
            page.get_by_role("link", name="Export").click()
        content = Path(download.value.path()).read_text(encoding="utf-8-sig")
        page.get_by_role("link", name="Import").click()
        upload(page, content + "course-v1:HogwartsX+Charms202+1T2026,true\nCharms,true\n")
        expect(page.get_by_text("Line 4: This is not the key of a course")).to_be_visible()
        keep(page, f"import-{scheme}")
        upload(page, content + "course-v1:HogwartsX+Charms202+1T2026,true\n")
        expect(page.get_by_text("Imported: 1 new, 0 changed, 1 the same.")).to_be_visible()
        page.get_by_role("link", name="course-v1:HogwartsX+Charms202+1T2026").click()
        expect(page.get_by_role("button", name="Save", exact=True)).to_be_visible()
        keep(page, f"course-{scheme}")

    assert complaints_during(journey, chromium, live_server.url, color_scheme=scheme) == []
    assert CreditCourse.objects.count() == 2


@pytest.mark.rule("credit.admin.browser")
def test_an_eligibility_is_given_moved_and_taken_back(chromium, school, live_server):
    UserFactory(username="neville")

    def journey(page):
        page.goto(f"{live_server.url}/admin/credit/crediteligibility/add/")
        page.get_by_label("Username").fill("neville")
        page.locator(".select2-selection").first.click()
        page.locator(".select2-search__field").fill("potions")
        page.get_by_role("option", name="course-v1:HogwartsX+Potions101+1T2026").click()
        page.get_by_label("Reason").fill("Transferred")
        keep(page, "eligibility-add")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was added successfully")).to_be_visible()

        page.goto(f"{live_server.url}/admin/credit/crediteligibility/?q=neville")
        choose(page, "neville", "Move the deadline…")
        page.locator("#id_deadline_0").fill("2031-05-01")
        page.locator("#id_deadline_1").fill("12:00:00")
        page.get_by_label("Reason").fill("Illness")
        keep(page, "deadline")
        page.get_by_role("button", name="Move the deadline").click()
        expect(page.get_by_text("1 row was changed.")).to_be_visible()

        page.get_by_role("row").filter(has_text="neville").get_by_role("link").first.click()
        expect(page.get_by_text("Illness")).to_be_visible()
        keep(page, "eligibility")
        assert CreditEligibility_deadline() == datetime(2031, 5, 1, 12, tzinfo=UTC)
        page.get_by_role("link", name="Delete").click()
        page.get_by_label("Reason").fill("Left")
        page.get_by_role("button", name="Delete the chosen eligibilities").click()
        expect(page.get_by_text("1 row was changed.")).to_be_visible()

    def CreditEligibility_deadline():
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: CreditEligibility.objects.get(username="neville").deadline).result()

    assert complaints_during(journey, chromium, live_server.url) == []
    assert not CreditEligibility.objects.filter(username="neville").exists()
