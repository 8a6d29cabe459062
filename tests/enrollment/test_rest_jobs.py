"""Jobs over REST: staff send a file, watch it being applied, and fetch what became of each row."""

import json
from io import BytesIO
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from enrollment import api
from enrollment.jobs import runner
from enrollment.models import BulkJob
from tests.credit.rest import client_of
from tests.enrollment.factories import UserFactory
from tests.enrollment.notes import KIND, numbered, start, written
from tests.enrollment.rest import V1, callers
from tests.enrollment.test_jobs import MINUTE
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("enrollment.jobs.rest")]

JOBS = f"{V1}jobs/"


@pytest.fixture
def staff():
    return client_of(UserFactory(username="minerva", is_staff=True), by="jwt")


def file(content=None, name="rows.csv"):
    octets = content if isinstance(content, bytes) else (content or numbered(2)).encode()
    return SimpleUploadedFile(name, octets)


def send(client, content=None, **fields):
    """Send a file as a form."""
    return client.post(JOBS, {"kind": KIND, "file": file(content), **fields}, format="multipart")


def send_raw(client, content, content_type="text/csv", **query):
    return client.generic(
        "POST", JOBS, content, content_type=content_type, QUERY_STRING=urlencode({"kind": KIND, **query})
    )


def download(response):
    return b"".join(response.streaming_content).decode()


def test_a_file_is_sent_watched_and_its_result_fetched(staff):
    response = send(staff, "text,do\nron,\nluna,refuse\n", parameters=json.dumps({"prefix": "x"}))
    assert response.status_code == 202
    address = response["Location"]
    job_id = response.data["id"]
    assert address == f"http://testserver{JOBS}{job_id}/"
    assert response.json() == {
        "id": job_id,
        "kind": KIND,
        "status": "queued",
        "dry_run": False,
        "parameters": {"prefix": "x"},
        "input_format": "csv",
        "created_by": "minerva",
        "created": response.json()["created"],
        "started_at": None,
        "finished_at": None,
        "cancel_requested": False,
        "position": 0,
        "rows_total": 2,
        "progress": 0.0,
        "rows_succeeded": 0,
        "rows_failed": 0,
        "failures": {},
        "error": "",
        "files_purged": False,
        "links": {"self": address, "cancel": f"{address}cancel/", "result": None},
    }
    assert staff.get(address).json() == response.json()
    early = staff.get(f"{address}result/")
    assert (early.status_code, early.json()["error_code"]) == (409, "job_not_over")

    runner.run_due(MINUTE)
    job = staff.get(address).json()
    assert (job["status"], job["progress"], job["rows_succeeded"], job["rows_failed"]) == ("finished", 1.0, 1, 1)
    assert job["failures"] == {"not_wanted": 1}
    assert job["links"] == {"self": address, "cancel": None, "result": f"{address}result/"}
    result = staff.get(job["links"]["result"])
    assert result["Content-Type"] == "text/csv; charset=utf-8"
    assert result["Content-Disposition"] == f'attachment; filename="job-{job_id}.csv"'
    assert download(result) == (
        "row,line,status,code,message,written\r\n"
        "1,2,ok,written,,ron\r\n2,3,failed,not_wanted,“luna” is not wanted.,\r\n"
    )
    assert written() == ["xron"]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        pytest.param("text\nron\n", "text/csv", id="CSV"),
        pytest.param("\ufefftext\nron\n", "text/csv; charset=utf-8", id="CSV with a mark"),
        pytest.param('{"text": "ron"}\n', "application/jsonl", id="JSON lines"),
        pytest.param('{"text": "ron"}', "application/x-ndjson", id="JSON lines, an older name"),
    ],
)
@pytest.mark.parametrize("by", ["session", "jwt", "bearer"])
def test_the_body_may_be_the_file_itself(content, content_type, by):
    staff = client_of(UserFactory(is_staff=True), by=by)
    response = send_raw(staff, content.encode(), content_type, dry_run="true", parameters='{"prefix": "x"}')
    assert response.status_code == 202, response.content
    job = BulkJob.objects.get()
    assert (job.rows_total, job.dry_run, job.parameters) == (1, True, {"prefix": "x"})


@pytest.mark.parametrize(
    ("name", "fields", "input_format"),
    [
        ("rows.csv", {}, "csv"),
        ("rows", {}, "csv"),
        ("rows.JSONL", {}, "jsonl"),
        ("rows.ndjson", {}, "jsonl"),
        ("rows.txt", {"format": "jsonl"}, "jsonl"),
    ],
)
@pytest.mark.parametrize("by", ["session", "jwt"])
def test_the_format_is_said_or_told_by_the_name(name, fields, input_format, by):
    staff = client_of(UserFactory(is_staff=True), by=by)
    content = numbered(1) if input_format == "csv" else '{"text": "1"}'
    response = send(staff, **fields, file=file(content, name))
    assert (response.status_code, response.json()["input_format"]) == (202, input_format)


@pytest.mark.rule("enrollment.jobs.limits")
@pytest.mark.parametrize(
    ("change", "status", "code", "told"),
    [
        pytest.param({"kind": "nothing"}, 400, "unknown_job_kind", "There are no jobs of this kind.", id="kind"),
        pytest.param({"kind": ""}, 400, "unknown_job_kind", "There are no jobs of this kind.", id="no kind"),
        pytest.param({"parameters": "[]"}, 400, "malformed_body", "`parameters` must be", id="parameters a list"),
        pytest.param({"parameters": "{"}, 400, "malformed_body", "`parameters` must be", id="parameters no JSON"),
        pytest.param({"parameters": '{"a": "\\u0000"}'}, 400, "malformed_body", "NUL", id="parameters with NUL"),
        pytest.param({"parameters": "{%s}" % (" " * 20_000)}, 400, "malformed_body", "at most", id="long parameters"),
        pytest.param({"parameters": '{"a": 1}'}, 400, "invalid_job", "Unknown parameters: a.", id="parameter"),
        pytest.param({"dry_run": "perhaps"}, 400, "malformed_body", "`dry_run` must be", id="dry run"),
        pytest.param({"format": "xlsx"}, 400, "invalid_job", "The format is one of: csv, jsonl.", id="format"),
        pytest.param({"file": "text"}, 400, "file_missing", "There is no file", id="text for a file"),
        pytest.param({"content": b"text\n\xff\n"}, 400, "unreadable_file", "Line 2 is not in UTF-8", id="encoding"),
        pytest.param({"content": "name\nron\n"}, 400, "unreadable_file", "Line 1 names unknown", id="columns"),
        pytest.param({"content": numbered(4)}, 413, "file_too_large", "A file has at most 3 rows; split", id="rows"),
        pytest.param({"content": "text\n" + "x" * 2000}, 413, "file_too_large", "at most 0.0009", id="bytes"),
    ],
)
def test_what_is_refused_says_what_to_change(staff, settings, change, status, code, told):
    settings.ENROLLMENT_JOB_MAX_ROWS, settings.ENROLLMENT_JOB_MAX_BYTES = 3, 1000
    content = change.pop("content", "text\n1\n") if "content" in change else "text\n1\n"
    response = send(staff, content, **change)
    assert response.status_code == status, response.content
    assert response.json()["error_code"] == code
    assert told in response.json()["message"]
    assert not BulkJob.objects.exists()


def test_a_form_without_file_and_an_empty_body_are_refused(staff):
    assert staff.post(JOBS, {"kind": KIND}, format="multipart").json()["error_code"] == "file_missing"
    assert send_raw(staff, b"").json()["error_code"] == "file_missing"


def test_other_bodies_are_refused(staff):
    assert staff.post(JOBS, {"kind": KIND}, format="json").status_code == 415


@pytest.mark.rule("enrollment.jobs.limits")
def test_a_body_that_is_announced_as_too_large_is_not_read(staff, settings):
    settings.ENROLLMENT_JOB_MAX_BYTES = 1000

    class Unread(BytesIO):
        def read(self, *args):
            raise AssertionError("it was read")

    response = staff.generic(
        "POST",
        f"{JOBS}?kind={KIND}",
        b"x",
        content_type="text/csv",
        CONTENT_LENGTH="3000000",
        **{"wsgi.input": Unread()},
    )
    assert (response.status_code, response.json()["error_code"]) == (413, "file_too_large")


@pytest.mark.parametrize("form", [False, True], ids=["raw", "form"])
def test_a_body_that_was_cut_off_is_no_file(staff, form):
    content, content_type = numbered(3).encode(), "text/csv"
    if form:
        content_type = "multipart/form-data; boundary=x"
        content = (
            b'--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\nnotes\r\n'
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + content + b"\r\n--x--\r\n"
        )
    whole = send_raw(staff, content, content_type)
    assert whole.status_code == 202
    for missing in (1, 10, 20) if form else (1, 4):
        response = staff.generic(
            "POST",
            f"{JOBS}?kind={KIND}",
            content,
            content_type=content_type,
            **{"wsgi.input": BytesIO(content[:-missing])},
        )
        assert (response.status_code, response.json()["error_code"]) == (400, "malformed_body")
    assert BulkJob.objects.count() == 1


def test_a_job_is_cancelled(staff):
    job_id = start(numbered(2))
    first, second = (staff.post(f"{JOBS}{job_id}/cancel/") for _ in range(2))
    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert second.json() == first.json()
    assert download(staff.get(first.json()["links"]["result"])) == "row,line,status,code,message,written\r\n"


def test_what_is_over_is_not_cancelled(staff):
    job_id = start(numbered(2))
    runner.run_due(MINUTE)
    response = staff.post(f"{JOBS}{job_id}/cancel/")
    assert (response.status_code, response.json()["error_code"]) == (409, "job_over")


@pytest.mark.parametrize("job_id", ["0" * 32, "1", "x" * 300, "%00"], ids=["unknown", "number", "long", "NUL"])
@pytest.mark.parametrize(("method", "path"), [("get", ""), ("post", "cancel/"), ("get", "result/")])
def test_there_is_no_such_job(staff, method, path, job_id):
    response = getattr(staff, method)(f"{JOBS}{job_id}/{path}")
    assert response.status_code == (400 if job_id == "%00" else 404)


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "*/*", "text/*, */*;q=0.1"])
def test_callers_may_ask_for_csv_and_read_errors_in_json(staff, accept):
    job_id = start(numbered(1))
    early = staff.get(f"{JOBS}{job_id}/result/", HTTP_ACCEPT=accept)
    assert (early.status_code, early["Content-Type"]) == (409, "application/json")
    assert json.loads(early.content)["error_code"] == "job_not_over"
    runner.run_due(MINUTE)
    assert staff.get(f"{JOBS}{job_id}/result/", HTTP_ACCEPT=accept).status_code == 200


def test_the_result_is_gone_with_its_file(staff):
    job_id = start(numbered(1))
    runner.run_due(MINUTE)
    BulkJob.objects.update(created="2020-01-01T00:00:00Z")
    api.purge_jobs()
    response = staff.get(f"{JOBS}{job_id}/result/")
    assert (response.status_code, response.json()["error_code"]) == (404, "file_purged")
    assert staff.get(f"{JOBS}{job_id}/").json()["links"]["result"] is None


def test_jobs_are_paged_newest_first_with_constant_statements(staff):
    ids = [start(numbered(1), created_by=UserFactory().pk) for _ in range(3)]
    with statements() as one:
        first = staff.get(JOBS, {"page_size": 1})
    with statements() as three:
        page = staff.get(JOBS)
    assert len(one) == len(three)
    assert [job["id"] for job in page.json()["results"]] == ids[::-1]
    assert (first.json()["count"], first.json()["num_pages"]) == (3, 3)
    assert [job["id"] for job in staff.get(first.json()["next"]).json()["results"]] == [ids[1]]
    assert staff.get(JOBS, {"page": 9}).status_code == 404


@pytest.mark.rule("enrollment.jobs.permissions")
@pytest.mark.parametrize(("caller", "status"), [("learner", 403), ("server", 401), ("nobody", 401), ("superuser", 403)])
def test_jobs_are_for_staff(settings, caller, status):
    settings.EDX_API_KEY = "a key that shop and site share"
    job_id = start(numbered(2))
    clients = {
        **callers(),
        "nobody": client_of(None),
        "superuser": client_of(UserFactory(is_superuser=True)),
    }
    client = clients[caller]
    answers = [
        client.get(JOBS),
        send(client),
        send_raw(client, b"text\n1\n"),
        client.get(f"{JOBS}{job_id}/"),
        client.post(f"{JOBS}{job_id}/cancel/"),
        client.get(f"{JOBS}{job_id}/result/"),
    ]
    assert {answer.status_code for answer in answers} == {status}
    assert api.get_job(UUID(job_id))["status"] == "queued"
    assert BulkJob.objects.count() == 1


def test_addresses_end_with_or_without_a_slash(staff):
    job_id = start(numbered(2))
    for path in "jobs", f"jobs/{job_id}":
        assert staff.get(f"{V1}{path}").status_code == staff.get(f"{V1}{path}/").status_code == 200
