"""Jobs on staff pages: sent, watched, ended, fetched; each by those who may, and told in the log without names."""

from uuid import UUID, uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from enrollment import api
from enrollment.jobs import runner
from enrollment.models import BulkJob
from tests.enrollment.admin import boss, clerk, told, url
from tests.enrollment.factories import UserFactory
from tests.enrollment.notes import KIND, numbered, start, written
from tests.enrollment.test_jobs import MINUTE
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.jobs.admin")]


def page(name, job_id):
    return reverse(f"admin:enrollment_bulkjob_{name}", args=[job_id])


def send(client, content=None, name="rows.csv", **fields):
    file = SimpleUploadedFile(name, (numbered(2) if content is None else content).encode())
    return client.post(url("bulkjob", "add"), {"kind": KIND, "file": file, **fields})


def test_a_file_is_sent_and_its_job_shown_until_it_is_over(client):
    staff = clerk(client, "add_bulkjob", "view_bulkjob")
    form = client.get(url("bulkjob", "add"))
    assert "at most 500000 rows and 100 MB" in form.content.decode()
    response = send(client, parameters='{"prefix": "x"}')
    job = BulkJob.objects.get()
    assert (response.status_code, response["Location"]) == (302, page("change", job.pk))
    assert (job.created_by, job.parameters, job.dry_run, job.rows_total) == (staff, {"prefix": "x"}, False, 2)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr) == (staff, f"bulk job {job.pk}")

    waiting = client.get(page("change", job.pk))
    assert waiting["Refresh"] == "3"
    assert "0 of 2 rows done (0%)" in waiting.content.decode()
    assert "Refresh" not in client.get(page("change", job.pk), {"watch": "0"})
    runner.run_due(MINUTE)
    over = client.get(page("change", job.pk))
    assert "Refresh" not in over
    assert "2 of 2 rows done (100%)" in over.content.decode()
    result = client.get(page("result", job.pk))
    assert result["Content-Disposition"] == f'attachment; filename="job-{job.pk}.csv"'
    lines = b"".join(result.streaming_content).decode("utf-8-sig").splitlines()
    assert lines == ["row,line,status,code,message,written", "1,2,ok,written,,1", "2,3,ok,written,,2"]
    assert b"".join(client.get(page("input", job.pk)).streaming_content).decode() == numbered(2)
    assert written() == ["x1", "x2"]


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        pytest.param({"content": "name\nron\n"}, "file", "Line 1 names unknown columns: “name”.", id="columns"),
        pytest.param({"content": "text\n"}, "file", "There are no rows in this file.", id="no rows"),
        pytest.param({"content": ""}, "file", "The submitted file is empty.", id="empty"),
        pytest.param({"content": "{}", "name": "rows.jsonl", "parameters": "{"}, "parameters", "Enter a", id="no JSON"),
        pytest.param({"parameters": "[1]"}, "parameters", "Enter a JSON object.", id="no object"),
        pytest.param({"parameters": '{"a": 1}'}, "file", "Unknown parameters: a.", id="unknown parameter"),
        pytest.param({"kind": "nothing"}, "kind", "Select a valid choice.", id="kind"),
    ],
)
def test_what_is_refused_says_what_to_change(client, change, field, told):
    response = send(boss(client), **change)
    assert response.status_code == 200
    assert response.context["form"].errors[field][0].startswith(told)
    assert not BulkJob.objects.exists()


def test_json_lines_are_known_by_their_name(client):
    send(boss(client), '{"text": "1"}\n', name="rows.JSONL", dry_run="on")
    job = BulkJob.objects.get()
    assert (job.input_format, job.dry_run) == ("jsonl", True)


def test_a_job_is_ended(client):
    clerk(client, "change_bulkjob", "view_bulkjob")
    job_id = start(numbered(2))
    assert "End the job" in client.get(page("change", job_id)).content.decode()
    assert client.get(page("cancel", job_id)).status_code == 405
    assert client.post(page("cancel", job_id))["Location"] == page("change", job_id)
    assert api.get_job(UUID(job_id))["status"] == "cancelled"
    assert LogEntry.objects.count() == 1
    over = start(numbered(2))
    runner.run_due(MINUTE)
    assert told(client.post(page("cancel", over))) == [("warning", "The job is over already.")]
    assert LogEntry.objects.count() == 1


def test_files_that_are_not_there_are_told(client):
    boss(client)
    job_id = start(numbered(2))
    assert told(client.get(page("result", job_id)))[-1][1].startswith("The job has no result yet")
    BulkJob.objects.update(purged_at=timezone.now(), status="finished")
    assert "The files of this job have been deleted." in client.get(page("change", job_id)).content.decode()
    for name in "result", "input":
        assert told(client.get(page(name, job_id)))[-1] == ("warning", "The job's files have been deleted.")
    assert told(client.get(page("input", uuid4())))[-1] == ("warning", "There is no such job.")
    assert client.get(page("change", uuid4())).status_code == 404


@pytest.mark.rule("enrollment.jobs.permissions")
@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        ([], set()),
        (["view_bulkjob"], {"list", "change", "result", "input"}),
        (["add_bulkjob"], {"add", "send"}),
        (["change_bulkjob"], {"list", "change", "result", "input", "cancel"}),
        (["delete_bulkjob"], set()),
    ],
)
def test_each_page_asks_for_a_permission(client, permissions, allowed):
    clerk(client, *permissions)
    job_id = start(numbered(2))
    runner.run_due(MINUTE)
    answers = {
        "list": client.get(url("bulkjob")),
        "add": client.get(url("bulkjob", "add")),
        "send": send(client),
        "change": client.get(page("change", job_id)),
        "result": client.get(page("result", job_id)),
        "input": client.get(page("input", job_id)),
        "cancel": client.post(page("cancel", job_id)),
        "delete": client.post(page("delete", job_id), {"post": "yes"}),
    }
    assert {name for name, answer in answers.items() if answer.status_code != 403} == allowed
    assert BulkJob.objects.count() == (2 if "send" in allowed else 1)


def test_learners_are_sent_to_the_log_in(client):
    client.force_login(UserFactory())
    job_id = start(numbered(2))
    for name in "change", "result", "input":
        assert "/login/" in client.get(page(name, job_id))["Location"]
    assert "/login/" in client.post(page("cancel", job_id))["Location"]
    assert api.get_job(UUID(job_id))["status"] == "queued"


def test_lists_ask_the_database_the_same_for_any_number(client):
    boss(client)
    counts = []
    for _ in range(2):
        for _ in range(3):
            start(numbered(1), created_by=UserFactory().pk)
        with statements() as ran:
            assert client.get(url("bulkjob")).status_code == 200
        counts.append(len(ran))
    assert counts[0] == counts[1]
