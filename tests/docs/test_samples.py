"""The universities of `docs/samples`, as their readers run them: against the vectors, the service and the sandbox."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import attrs
import pytest
import requests
from django.urls import reverse

from credit.choices import RequestStatus
from credit.models import CreditRequest
from credit.sandbox.messages import REQUEST_KEYS
from credit.signature import is_signed_with, signature, signed_text
from tests.credit.factories import (
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
)
from tests.credit.test_signature import REQUEST, VECTORS
from tests.credit.universities import open_university, serving
from tests.enrollment.factories import LearnerProfileFactory, UserFactory

pytestmark = [
    pytest.mark.database("sqlite"),  # what a sample says depends on no database
    pytest.mark.xdist_group("samples"),  # which are compiled once
]

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = DOCS / "provider-integration.md"
PUBLISHED = json.loads((DOCS / "samples" / "vectors.json").read_text())
KEY = "931433d583c84ca7ba41784bad3232e6"
UUID = REQUEST["request_uuid"]
NAME = "Zoë <b>Weasley</b> & 李小龍 🎓"
START_WITHIN = 60  # seconds, on a busy machine


@attrs.frozen
class Language:
    """How a sample is run, and which programs that takes."""

    path: str
    programs: tuple[str, ...]
    run: tuple[str, ...]
    serve: tuple[str, ...] = ()  # where that is another command

    @property
    def file(self) -> Path:
        return DOCS / "samples" / self.path

    def sections(self) -> dict[str, str]:
        """Return the parts of the program by the titles of the comments that begin them."""
        titled = re.split(r"^ *(?:#|//) === (.*)\n", self.file.read_text(), flags=re.MULTILINE)[1:]
        return dict(zip(titled[::2], titled[1::2], strict=True))


LANGUAGES = {
    "python": Language("python/university.py", (), (sys.executable, "{file}")),
    "php": Language("php/university.php", ("php",), ("php", "{file}"), ("php", "-S", "127.0.0.1:{port}", "{file}")),
    "java": Language("java/University.java", ("java", "javac"), ("java", "{file}")),
    "javascript": Language("javascript/university.mjs", ("node",), ("node", "{file}")),
}


@attrs.frozen
class Sample:
    """A sample with a runtime to run it."""

    language: Language
    run: tuple[str, ...]

    def command(self, *arguments: str) -> list[str]:
        return self.filled((*self.run, *arguments))

    def filled(self, command: tuple[str, ...], **values: object) -> list[str]:
        return [part.format(file=self.language.file, **values) for part in command]

    def sign(self, messages: list[dict[str, str]], key: str = KEY) -> list[str]:
        """Return the signatures that it gives."""
        lines = "".join(f"{urlencode(message)}\n" for message in messages)
        done = subprocess.run(
            self.command("sign"), input=lines, env=environment(key), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split("\n")[:-1]

    def decide(self, callback_url: str, status: str) -> "subprocess.CompletedProcess[str]":
        """Have it tell a decision, until it ends."""
        variables = environment(KEY, CALLBACK_URL=callback_url)
        return subprocess.run(
            self.command("decide", UUID, status), env=variables, capture_output=True, text=True, check=False
        )

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Have it receive forms; give its address."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        command = self.filled(self.language.serve or (*self.run, "serve", "{port}"), port=port)
        output = subprocess.DEVNULL
        with subprocess.Popen(command, env=environment(KEY), stdout=output, stderr=output) as process:
            try:
                wait_until_it_answers(port, process)
                yield f"http://127.0.0.1:{port}/"
            finally:
                process.kill()


def environment(key: str, **variables: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "SHARED_SECRET": key, **variables}


def wait_until_it_answers(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("The sample does not answer.")


def missing(programs: tuple[str, ...]) -> list[str]:
    return [program for program in programs if shutil.which(program) is None]


@pytest.fixture(scope="module")
def compiled_java(tmp_path_factory) -> tuple[str, ...]:
    """The command that runs the Java sample; compiled once, because `java University.java` compiles each time."""
    folder = tmp_path_factory.mktemp("java")
    subprocess.run(["javac", "-Xlint:all", "-Werror", "-d", folder, LANGUAGES["java"].file], check=True)
    return ("java", "-cp", str(folder), "University")


@pytest.fixture(params=LANGUAGES)
def sample(request) -> Sample:
    """Each sample in turn. One whose runtime is missing is left out; on CI it fails."""
    language = LANGUAGES[request.param]
    if absent := missing(language.programs):
        reason = f"Not installed: {', '.join(absent)}."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return Sample(language, request.getfixturevalue("compiled_java") if request.param == "java" else language.run)


def signed(form: dict[str, object], **changes: object) -> dict[str, object]:
    """Return a form with changes, signed."""
    params = {key: value for key, value in {**form, **changes}.items() if value is not None}
    return {**params, "signature": signature(params, KEY)}


def shown(answer: requests.Response) -> str:
    """Return the text on a sample's page."""
    return unescape(re.search("<pre>(.*)</pre>", answer.content.decode(), re.DOTALL)[1])


@contextmanager
def service_that_answers(*statuses: int | None) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Play a service that answers so in turn, with None not at all; give its address and what it receives."""
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status = statuses[len(received)]
            received.append(dict(parse_qsl(body, keep_blank_values=True)))
            if status is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as root:
        yield f"{root}/callback", received


# --- the vectors


def test_the_published_vectors_are_those_of_the_scheme():
    """With every value as the text that it is on the wire."""
    assert PUBLISHED == [
        {
            "name": vector.id,
            "secret": vector.values[1],
            "message": {key: str(value) for key, value in vector.values[0].items()},
            "text": signed_text(vector.values[0]),
            "signature": vector.values[2],
        }
        for vector in VECTORS
    ]


@pytest.mark.rule("credit.signature.vectors")
def test_a_sample_gives_the_published_digests(sample):
    given = {}
    for secret, vectors in groupby(sorted(PUBLISHED, key=itemgetter("secret")), key=itemgetter("secret")):
        group = [*vectors]
        digests = sample.sign([vector["message"] for vector in group], secret)
        given |= dict(zip([vector["name"] for vector in group], digests, strict=True))
    assert given == {vector["name"]: vector["signature"] for vector in PUBLISHED}


@pytest.mark.slow
def test_a_sample_runs_as_its_head_says(sample):
    as_said = attrs.evolve(sample, run=sample.language.run)
    assert as_said.sign([REQUEST]) == [signature(REQUEST, KEY)]


def test_a_sample_orders_keys_by_code_point(sample):
    """Beyond the vectors: UTF-16 would put the last of these in the middle."""
    message = dict.fromkeys(["a", "\ufb01", "🎓"], "1")
    assert sample.sign([message]) == [signature(message, KEY)]


# --- the forward direction


@pytest.fixture
def form(client, db, settings) -> dict[str, object]:
    """The parameters that the service gives a learner for the sample's university."""
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": KEY}
    learner = UserFactory(username="zoe")
    LearnerProfileFactory(user=learner, name=NAME, country="GB")
    requirement = CreditRequirementFactory()
    CreditRequirementStatusFactory(username="zoe", requirement=requirement)
    CreditEligibilityFactory(username="zoe", course=requirement.course)
    CreditProviderFactory(provider_id="hogwarts")
    client.force_login(learner)
    response = client.post(
        reverse("credit:create_request", kwargs={"provider_id": "hogwarts"}),
        {"username": "zoe", "course_key": str(requirement.course)},
        content_type="application/json",
    )
    assert response.status_code == 200, response.content
    return response.json()["parameters"]


@pytest.mark.slow
def test_a_sample_takes_forms_of_the_service_and_no_others(sample, form):
    unsigned = {key: value for key, value in form.items() if key != "signature"}
    now = int(time.time())
    refused = {
        "a better grade": ({**form, "final_grade": "1.0"}, "The signature is wrong."),
        "no signature": (unsigned, "The signature is wrong."),
        "upper case": ({**form, "signature": str(form["signature"]).upper()}, "The signature is wrong."),
        "not ASCII": ({**form, "signature": "ünsigned"}, "The signature is wrong."),
        "nothing": ({}, "The signature is wrong."),
        "a further key": (signed(unsigned, note="hi"), "These are not the keys"),
        "a key less": (signed(unsigned, user_country=None), "These are not the keys"),
        "a callback": (signed({"request_uuid": "0" * 32, "status": "approved", "timestamp": now}), "not the keys"),
        "old": (signed(unsigned, timestamp=now - 1000), "The form is too old."),
        "of the future": (signed(unsigned, timestamp=now + 1000), "The form is too old."),
    }
    with sample.serving() as address:
        taken = requests.post(address, form, timeout=30)
        answers = {name: requests.post(address, message, timeout=30) for name, (message, _) in refused.items()}
        long = requests.post(address, {"a": "x" * 70_000}, timeout=30)
    assert (taken.status_code, shown(taken)) == (
        200,
        f"Thank you, {form['user_full_name']}. We will decide on {form['request_uuid']}.",
    )
    assert form["user_full_name"] == NAME
    assert "<b>" not in taken.text
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(refused, 403)
    for name, (message, reason) in refused.items():
        text = shown(answers[name])
        assert reason in text
        assert ("This is the text that was signed here" in text) is (reason == "The signature is wrong.")
        assert signed_text(message) in text or reason != "The signature is wrong."
        assert KEY not in text
        assert str(form["signature"]) not in text
    assert long.status_code == 413


# --- the back direction


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_service_takes_decisions_of_a_sample(sample, form, live_server):
    CreditRequest.objects.update(uuid=UUID)
    url = live_server.url + reverse("credit:provider_callback", kwargs={"provider_id": "hogwarts"})
    approved = sample.decide(url, "approved")
    assert (approved.returncode, approved.stdout.strip()) == (0, "200"), approved
    assert CreditRequest.objects.get().status == RequestStatus.APPROVED

    CreditRequest.objects.all().delete()
    unknown = sample.decide(url, "approved")
    assert (unknown.returncode, unknown.stdout[:3]) == (1, "404"), unknown
    assert "credit_request_not_found" in unknown.stdout


@pytest.mark.slow
def test_a_sample_repeats_what_was_not_answered_and_signs_it_anew(sample):
    with service_that_answers(None, 429, 200) as (address, received):
        done = sample.decide(address, "rejected")
    assert done.returncode == 0, done
    assert [message["status"] for message in received] == ["rejected"] * 3
    assert all(is_signed_with(message, message["signature"], [KEY]) for message in received)
    assert len({message["timestamp"] for message in received}) == 3


@pytest.mark.parametrize("status", [400, 403, 409])
def test_a_sample_does_not_repeat_what_was_refused(sample, status):
    with service_that_answers(status) as (address, received):
        done = sample.decide(address, "approved")
    assert (done.returncode, len(received)) == (1, 1)
    assert done.stdout.startswith(str(status))


@pytest.mark.parametrize("key", ["", " "])
def test_a_sample_does_not_run_without_a_key(sample, key):
    done = subprocess.run(
        sample.command("decide", UUID, "approved"), env=environment(key), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "SHARED_SECRET" in done.stderr


# --- the sandbox


def test_the_sandbox_trusts_what_a_sample_signs(sample, settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": KEY}
    callback = {"request_uuid": UUID, "status": "approved", "timestamp": str(int(time.time()))}
    request = {**{key: str(value) for key, value in REQUEST.items()}, "user_full_name": NAME}
    messages = [callback, request]
    digests = sample.sign(messages)
    with open_university(lambda _: "http://127.0.0.1:9/") as root:
        for message, digest in zip(messages, digests, strict=True):
            pasted = {"provider": "hogwarts", "message": urlencode({**message, "signature": digest})}
            assert "The signature is right." in requests.post(f"{root}/check_message/", pasted, timeout=10).text
        form = {**request, "signature": digests[1]}
        assert requests.post(f"{root}/hogwarts/", form, allow_redirects=False, timeout=10).status_code == 303


# --- the guide


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_guide_shows_how_each_sample_signs(name):
    language = LANGUAGES[name]
    excerpt = language.sections()["Signing"].strip("\n")
    indent = re.match(" *", excerpt)[0]
    text = "\n".join(line.removeprefix(indent) for line in excerpt.splitlines())
    link = re.escape(f"samples/{language.path}")
    [shown] = re.findall(rf"\]\({link}\):\n\n```{name}\n(.*?)\n```", GUIDE.read_text(), re.DOTALL)
    assert shown == text


def test_the_guide_explains_every_key():
    told = re.search("## The form that arrives\n(.*?)\n## ", GUIDE.read_text(), re.DOTALL)[1]
    assert re.findall(r"^\| `(\w+)`", told, re.MULTILINE) == [*REQUEST_KEYS, "signature"]


def test_the_guides_callback_is_signed_with_the_key_of_its_vectors():
    [example] = re.findall("```json\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    message = json.loads(example)
    assert is_signed_with(message, message["signature"], [KEY])
    assert signed_text(message) in GUIDE.read_text()


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_samples_have_the_same_parts(language):
    assert [*language.sections()] == ["Signing", "Receiving", "Telling the decision", "Starting"]
