"""Staff at enrollment's pages in a real browser, dark and light, under the security policy of the site."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings as site
from playwright.sync_api import expect

from enrollment import api
from enrollment.models import CourseAccessRole, CourseEnrollment, ManualEnrollmentAudit
from tests.credit.browser import DESKTOP, WCAG, browse, expect_accessible
from tests.enrollment.factories import CourseEnrollmentFactory, CourseFactory, CourseModeFactory, UserFactory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),  # a browser sees the same pages on each; other tests ask each database
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("enrollment.admin.browser"),
]

POTIONS = "course-v1:HogwartsX+Potions101+1T2026"


@pytest.fixture
def school(client, live_server):
    """A course of two modes with thirty learners, and the cookies of a member of staff."""
    course = CourseFactory(id=POTIONS, display_name="Potions")
    for slug in ("audit", "verified"):
        CourseModeFactory(course=course, mode_slug=slug)
    for n in range(30):
        user = UserFactory(username=f"learner{n:02}")
        CourseEnrollmentFactory(user=user, course=course, is_active=n % 7 != 3, mode=("audit", "verified")[n % 3 // 2])
    attributes = [{"namespace": "order", "name": "order_number", "value": "EDX-1000"}]
    api.set_enrollment_attributes("learner04", POTIONS, attributes)
    client.force_login(UserFactory(username="mcgonagall", is_staff=True, is_superuser=True))
    return [{"name": site.SESSION_COOKIE_NAME, "value": client.cookies["sessionid"].value, "url": live_server.url}]


def keep(page, name):
    """Keep a picture in the folder that `SCREENSHOTS` names, if it names one."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"enrollment-{name}.png"), full_page=True)


def choose(page, username, action):
    page.get_by_role("row").filter(has_text=username).get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name="Go", exact=True).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_enrollment_is_found_changed_and_looked_at(school, live_server, scheme):
    def journey(page):
        page.goto(f"{live_server.url}/admin/enrollment/courseenrollment/")
        expect(page.get_by_text("30 course enrollments")).to_be_visible()
        keep(page, f"list-{scheme}")

        page.locator("#searchbar").fill("learner04 potions")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("row").filter(has_text="learner04")).to_have_count(1)
        choose(page, "learner04", "Move to another mode…")
        page.get_by_role("button", name="Move the chosen enrollments").click()
        expect(page.get_by_text("This field is required.")).to_have_count(2)
        page.get_by_label("New mode").select_option(label="Verified")
        page.get_by_label("Reason").fill("The fee has been paid.")
        keep(page, f"action-{scheme}")
        page.get_by_role("button", name="Move the chosen enrollments").click()
        expect(page.get_by_text("1 row was changed.")).to_be_visible()

        page.get_by_role("row").filter(has_text="learner04").get_by_role("link").first.click()
        expect(page.get_by_text("EDX-1000")).to_be_visible()
        expect(page.get_by_text("The fee has been paid.")).to_be_visible()
        expect(page.get_by_text("mode: audit → verified")).to_be_visible()
        keep(page, f"enrollment-{scheme}")

        page.goto(f"{live_server.url}/admin/enrollment/course/{POTIONS.replace('+', '%2B')}/change/")
        expect(page.get_by_label("Mode slug").first).to_have_value("audit")
        keep(page, f"course-{scheme}")
        page.locator("#id_modes-1-min_price").fill("0")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("The price of this mode is at least 1.")).to_be_visible()

    assert browse(journey, cookies=school, color_scheme=scheme, viewport=DESKTOP) == []
    row = CourseEnrollment.objects.get(user__username="learner04")
    assert (row.mode, row.is_active) == ("verified", True)
    assert ManualEnrollmentAudit.objects.get().enrolled_by.username == "mcgonagall"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_used_by_everybody(school, live_server, scheme):
    def journey(page):
        for address in (
            "courseenrollment/",
            f"courseenrollment/{row}/change/",
            f"course/{POTIONS.replace('+', '%2B')}/change/",
            "courseaccessrole/add/",
        ):
            page.goto(f"{live_server.url}/admin/enrollment/{address}")
            expect_accessible(page, rules=WCAG, within="#content")  # what is around it is the stock admin's
        page.goto(f"{live_server.url}/admin/enrollment/courseenrollment/?q=learner04")
        choose(page, "learner04", "Unenroll the chosen learners…")
        expect(page.get_by_label("Reason")).to_be_visible()
        expect_accessible(page, rules=WCAG, within="#content")

    row = CourseEnrollment.objects.get(user__username="learner04").pk
    # What axe-core does to a page is against the policy: here it does not count.
    browse(journey, cookies=school, color_scheme=scheme, viewport=DESKTOP, bypass_csp=True)


def test_a_role_is_given_and_taken_back(school, live_server):
    def roles():
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: list(CourseAccessRole.objects.values_list("role", flat=True))).result()

    def journey(page):
        page.goto(f"{live_server.url}/admin/enrollment/courseaccessrole/add/")
        page.get_by_label("Username").fill("learner01")
        page.get_by_label("Role").fill("staff")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("A role needs a name")).to_be_visible()
        page.get_by_label("Course key").fill(POTIONS)
        keep(page, "role")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was added successfully")).to_be_visible()
        assert roles() == ["staff"]
        page.get_by_role("row").filter(has_text="learner01").get_by_role("link").first.click()
        page.get_by_role("link", name="Delete").click()
        page.get_by_role("button", name="Yes, I").click()
        expect(page.get_by_text("was deleted successfully")).to_be_visible()

    assert browse(journey, cookies=school, viewport=DESKTOP) == []
    assert roles() == []
