"""A member of staff sends a large file in a real browser, watches it being applied, and fetches the result."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect

from enrollment.jobs import runner
from tests.credit.browser import browse
from tests.enrollment.factories import UserFactory
from tests.enrollment.notes import KIND, numbered, written

pytestmark = [
    pytest.mark.slow,
    pytest.mark.database("sqlite"),  # a browser sees the same pages on each; other tests ask each database
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("enrollment.jobs.browser"),
]


def keep(page, name):
    """Keep a picture in the folder that `SCREENSHOTS` names, if it names one."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def work():
    """Work on a job as a worker would: in another thread, and not to its end."""

    def work_for_a_moment():
        runner.work(runner.claim_next(), until=0)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(work_for_a_moment).result()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_file_is_sent_watched_and_its_result_fetched(live_server, settings, tmp_path, scheme):
    settings.ENROLLMENT_JOB_CHUNK_ROWS = 300
    UserFactory(username="mcgonagall", password="expecto", is_staff=True, is_superuser=True)
    results = []

    def upload(page, content):
        path = tmp_path / "rows.csv"
        path.write_text(content)
        page.get_by_label("Kind:").select_option(KIND)
        page.get_by_label("File:").set_input_files(path)
        page.get_by_role("button", name="Start").click()

    def journey(page):
        page.goto(f"{live_server.url}/admin/enrollment/bulkjob/")
        page.get_by_label("Username").fill("mcgonagall")
        page.get_by_label("Password").fill("expecto")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("link", name="Add bulk job").click()
        upload(page, "name\nron\n")
        expect(page.get_by_text("Line 1 names unknown columns: “name”.")).to_be_visible()
        keep(page, f"job-start-{scheme}")

        upload(page, numbered(500) + "luna\n")
        expect(page.get_by_text("0 of 501 rows done (0%)")).to_be_visible()
        work()
        expect(page.get_by_text("300 of 501 rows done (59%)")).to_be_visible()  # without a click
        keep(page, f"job-running-{scheme}")
        page.get_by_role("link", name="Stop that").click()
        expect(page.get_by_role("link", name="Watch: load this page")).to_be_visible()
        page.get_by_role("link", name="Watch: load this page").click()
        expect(page.get_by_role("link", name="Stop that")).to_be_visible()
        work()
        expect(page.get_by_text("501 of 501 rows done (100%)")).to_be_visible()
        work()
        expect(page.get_by_role("heading", name="Finished")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the result").click()
        results.append(Path(download.value.path()).read_text(encoding="utf-8-sig"))
        keep(page, f"job-finished-{scheme}")
        page.get_by_role("link", name="All jobs").click()
        expect(page.get_by_role("row").filter(has_text="501 / 501")).to_have_count(1)
        keep(page, f"job-list-{scheme}")

    assert browse(journey, color_scheme=scheme, accept_downloads=True) == []
    assert len(written()) == 501
    assert results[0].splitlines()[-1] == "501,502,ok,written,,luna"
