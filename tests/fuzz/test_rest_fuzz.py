"""Generated requests to every operation of the OpenAPI description.

No input is a server error, every status is declared, and every body has its declared shape. Half of the requests draw
their identifiers from rows that exist, so that the code behind the checks is reached too; a quarter is made by
schemathesis, valid or not, and sent by about four callers; a quarter is of the first kind with something hostile in it.
One in six is sent twice, which is more often than the limits here allow. `FUZZ_CASES` is the number of requests per
operation; with enough of them, success and then every declared status has to be seen, so that nothing passes by never
being reached. A failure names its `FUZZ_SEED`, with which the same requests are made again.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import attrs
import pytest
import schemathesis
from django.conf.global_settings import SESSION_COOKIE_NAME
from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone
from django.utils.crypto import get_random_string
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from oauth2_provider.models import AccessToken
from schemathesis import GenerationMode
from werkzeug.test import Client, TestResponse

from credit.choices import RequestStatus
from enrollment.choices import JobStatus, RetirementState
from enrollment.models import BulkJob, RetirementRequest
from settings import tokens
from settings.wsgi import application
from tests.credit.factories import (
    CreditCourseFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
)
from tests.credit.rest import RESTRICTED_CLIENT, SCOPES, SECRET, bearer_token, client_of, signed
from tests.enrollment.factories import (
    CourseAccessRoleFactory,
    CourseEnrollmentAllowedFactory,
    CourseEnrollmentFactory,
    CourseFactory,
    CourseModeFactory,
    UserFactory,
)
from tests.program_enrollments.factories import ProgramEnrollmentFactory, ProgramFactory

CASES = int(os.environ.get("FUZZ_CASES", "300"))
SEED = os.environ.get("FUZZ_SEED") or str(time.time_ns())
FEWEST_GENERATED = 50
SUCCESS_SEEN_FROM, ALL_SEEN_FROM = 300, 3000
SERVER = "http://testserver"
LONG = 24 * 3600  # seconds, longer than any run
ELSEWHERE = {404, 405}  # an address that was generated may belong to no operation, or to another

COURSE, CLOSED_COURSE = "course-v1:HogwartsX+Potions101+1T2026", "HogwartsX/Charms/2T2026"
FULL_COURSE, NEW_COURSE = "course-v1:HogwartsX+Quidditch+1T2026", "course-v1:HogwartsX+New+1T2026"
COURSES = [COURSE, COURSE, COURSE, CLOSED_COURSE, FULL_COURSE, NEW_COURSE]
PENDING, APPROVED = "0" * 32, "f" * 32
PROGRAM, CURRICULUM = "11111111-2222-3333-4444-555555555555", "66666666-2222-3333-4444-555555555555"
PEOPLE = ["ron", "hermione", "ron", "hermione", "luna", "staff", "nobody"]
ADDRESSES = [f"{name}@example.com" for name in (*PEOPLE, "invited", "draco")]
API_KEY = "of a shop"
FACTS = [  # attributes of enrollments
    [{"namespace": "credit", "name": "provider_id", "value": "university"}],
    [{"namespace": "order", "name": "order_number", "value": "EDX-1"}],
    [{"namespace": "order", "name": "order_number"}],
    [],
    None,
]
WAITING_JOB, FINISHED_JOB = UUID(int=1), UUID(int=2)
ONE_ROW = f"username,course_id\nron,{COURSE}\n"
FILES = [
    ONE_ROW,
    ONE_ROW,
    ONE_ROW + f"luna,{COURSE}\n" * 3,
    f'{{"username": "ron", "course_id": "{COURSE}"}}',
    "",
    "a\n\0",
]
FILE_TYPES = ("text/csv", "application/jsonl", "application/x-ndjson")
SEEDED: dict[str, list[Any]] = {
    "job_id": [WAITING_JOB, FINISHED_JOB, UUID(int=3)],
    "kind": ["enrollments", "enrollments", "nothing"],
    "file": FILES,
    "format": ["csv", "csv", "jsonl", "xlsx"],
    "parameters": ["{}", "{}", '{"invite_unknown": true}', "[]"],
    "dry_run": [True, False, True, "perhaps"],
    "username": PEOPLE,
    "user": PEOPLE,
    "email": ADDRESSES,
    "course_key": [COURSE, COURSE, CLOSED_COURSE, NEW_COURSE],
    "course_id": COURSES,
    "course_ids": [COURSE, f"{COURSE},{CLOSED_COURSE}", "HogwartsX+Potions101,nothing", ","],
    "course_keys": [f"{COURSE},{CLOSED_COURSE}", "HogwartsX+Potions101+1T2026"],
    "course_details": [{"course_id": course_id} for course_id in COURSES],
    "mode": ["audit", "audit", "verified", "verified", "credit", "honor", None],
    "is_active": [True, True, False, None],
    "enrollment_attributes": FACTS,
    "force_enrollment": [True, False, None],
    "cohort": [None, None, None, "", "blue"],
    "email_opt_in": [True, False, None],
    "enterprise_uuid": ["None", "", "2f3c"],
    "linked_enterprise_customer": ["", "2f3c"],
    "auto_enroll": [True, False],
    "include_expired": ["1", ""],
    "include_inactive": ["1", "0"],
    "page": [1, 1, 2],
    "page_size": [1, 1, 10, 100, 101],
    "view": ["minimal", "", "whole"],
    "ordering": ["created", "-id", "mode"],
    "cursor": ["", "cD0yMDI2LTAxLTAx"],
    "provider_id": ["university", "university", "keyless", "closed", "unknown"],
    "provider_ids": ["university", "university,closed", ","],
    "request_uuid": [PENDING, APPROVED, "e" * 32],
    "status": ["approved", "rejected", "enrolled", "ended"],
    "program_uuid": [PROGRAM, PROGRAM, PROGRAM, "f" * 32],
    "curriculum_uuid": [CURRICULUM],
    "student_key": ["s1", "S1 ", "s2", "new", 7],
    "include_unkeyed": ["true", ""],
    "enabled": [True, False],
}
ROWS = [0, 1, 1, 2, 3, 26]  # in a body that is a list
PLAIN = ["", "a", "1", 1, True]  # where no row has such a value
HOSTILE = [
    *("", " ", "\0", "a\0b", "\ud800", "x" * 300, "\u202e", "0x1", "1e9"),
    *("course-v1:a+b", "library-v1:a+b", "a+b+c", "a/b/c", "a/b/c\0"),
    *(None, True, -1, 0, 10**30, -(10**30), 1.5, 1e308, [], {}, ["ron"], {"ron": "ron"}, [[[[]]]]),
]
ODD_TYPES = ["text/plain", "application/json; charset=zlib", "multipart/form-data", "application/xml", "", "/"]
ODD_CREDENTIALS = ["JWT x", "JWT", "Bearer x", "Bearer", "JWT " + "." * 9, "Basic cm9uOnJvbg==", "Bearer \xff", "\0"]


Choose = Callable[[Sequence[Any]], Any]
"""Takes one of several: `random.choice` with a seed of the operation's own, so that `FUZZ_SEED` repeats a run."""


@attrs.frozen
class Operation:
    """One operation: how to make requests to it, and what its description promises."""

    name: str
    generated: Any
    described: dict[str, Any]
    components: dict[str, Any]

    @property
    def responses(self) -> dict[str, Any]:
        return self.described["responses"]

    @property
    def declared(self) -> set[int]:
        return {int(status) for status in self.responses}

    def parameters(self, place: str) -> dict[str, bool]:
        """Return which parameters it takes in the path or query, and whether each is required."""
        described = self.described.get("parameters", [])
        return {each["name"]: each.get("required", False) for each in described if each["in"] == place}

    @property
    def bodies(self) -> dict[str, dict[str, bool]]:
        """Return, for each media type that it takes, the fields of the body and whether each is required.

        Of a body that is a list they are those of each row.
        """
        return {media_type: self._fields(schema.get("items", schema)) for media_type, schema in self._schemas.items()}

    @property
    def lists(self) -> set[str]:
        """Return the media types in which the body is a list of rows."""
        return {media_type for media_type, schema in self._schemas.items() if "items" in schema}

    @property
    def _schemas(self) -> dict[str, dict[str, Any]]:
        content = self.described.get("requestBody", {}).get("content", {})
        return {media_type: described["schema"] for media_type, described in content.items()}

    def _fields(self, schema: dict[str, Any]) -> dict[str, bool]:
        if "$ref" in schema:
            schema = self.components["schemas"][schema["$ref"].rpartition("/")[2]]
        return {name: name in schema.get("required", []) for name in schema.get("properties", ())}

    def complaints(self, response: TestResponse) -> list[str]:
        """Return how a body differs from its declared shape."""
        content = self.responses.get(str(response.status_code), {}).get("content", {})
        media = content.get(response.content_type)
        if media is None:
            return []
        validator = Draft202012Validator({**media["schema"], "components": self.components})
        return [error.message for error in validator.iter_errors(json.loads(response.data))]


@attrs.define
class Sent:
    """One request."""

    method: str
    template: str
    path: dict[str, Any]
    query: dict[str, Any]
    body: Any
    media_type: str
    headers: dict[str, str] = attrs.Factory(dict)
    repeated: bool = False
    address: str = ""

    def by(self, caller: dict[str, str]) -> TestResponse:
        """Send it through the service's WSGI application, with the headers that say who is calling."""
        path = self.template.format(**{name: quote(text(value), safe="/:+") for name, value in self.path.items()})
        query = urlencode({name: text(value) for name, value in self.query.items()})
        data, content_type = encoded(self.body, self.media_type)
        headers = {**caller, **self.headers}
        return Client(application, use_cookies=False).open(
            path,
            SERVER,
            method=self.method,
            query_string=query,
            data=data,
            content_type=content_type,
            headers=headers,
            environ_base={"REMOTE_ADDR": self.address},
            buffered=True,  # and closed, which ends the request
        )


numbers = count()


def fresh_address() -> str:
    """Return an address that has not been used, so that what is limited by address meets no limit."""
    number = next(numbers)
    return f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"


def operations() -> Iterator[Operation]:
    """Yield every operation of the service's own description."""
    description = SchemaGenerator().get_schema(request=None, public=True)
    for result in schemathesis.openapi.from_dict(json.loads(json.dumps(description))).get_all_operations():
        generated = result.ok()
        described = description["paths"][generated.path][generated.method.lower()]
        yield Operation(generated.label, generated, described, description["components"])


def text(value: Any) -> str:
    """Return a value as it stands in an address; what UTF-8 cannot express is left out."""
    return str(value).encode(errors="ignore").decode()


def encoded(body: Any, media_type: str) -> tuple[bytes, str]:
    """Return a body as bytes with its content type; an object may be a form, everything else is JSON."""
    if isinstance(body, dict) and media_type == "application/x-www-form-urlencoded":
        return urlencode({text(name): text(value) for name, value in body.items()}).encode(), media_type
    if isinstance(body, dict) and media_type == "multipart/form-data":
        return encode_multipart(BOUNDARY, {text(name): part(name, body[name]) for name in body}), MULTIPART_CONTENT
    if isinstance(body, str) and media_type in FILE_TYPES:
        return text(body).encode(), media_type
    return json.dumps(body, default=str).encode(), media_type or "application/json"


def part(name: str, value: Any) -> Any:
    """Return a part of a form: a file, where there may be one."""
    return SimpleUploadedFile("rows.csv", text(value).encode()) if name == "file" else text(value)


def requests(operation: Operation, choose: Choose) -> Iterator[Sent]:
    """Yield requests: with identifiers of rows, with something hostile besides, or as schemathesis makes them."""
    made_by_schemathesis = generated_requests(operation)
    for _ in range(CASES):
        kind = choose(["seeded", "seeded", "hostile", "generated"])
        sent = (
            seeded_request(choose, operation)
            if kind != "generated"
            else attrs.evolve(choose(made_by_schemathesis), headers={})
        )
        if kind == "hostile":
            make_hostile(choose, sent)
        sent.repeated, sent.address = choose([False] * 5 + [True]), fresh_address()
        yield sent


def generated_requests(operation: Operation) -> list[Sent]:
    """Return requests that schemathesis makes; each is sent by several callers, because making one takes longest."""
    made: list[Sent] = []

    @settings(max_examples=max(FEWEST_GENERATED, CASES // 16), suppress_health_check=list(HealthCheck), database=None)
    @seed(f"{SEED} {operation.name}")
    @given(generated_request(operation))
    def collect(sent: Sent) -> None:
        made.append(sent)

    collect()
    return made


@st.composite
def generated_request(draw: st.DrawFn, operation: Operation) -> Sent:
    """Draw a request from the description alone, valid or not."""
    case = draw(operation.generated.as_strategy(generation_mode=draw(st.sampled_from(GenerationMode))))
    return Sent(
        method=case.method,
        template=case.path,
        path=dict(case.path_parameters or {}),
        query=dict(case.query or {}),
        body=case.body if isinstance(case.body, dict | list | str | int | float | None) else {},
        media_type=case.media_type or "application/json",
    )


def seeded_request(choose: Choose, operation: Operation) -> Sent:
    """Draw a request of the described shape about rows that exist, signed if a provider signs it."""
    media_type = choose([*operation.bodies]) if operation.bodies else "application/json"
    sent = Sent(
        method=operation.generated.method,
        template=operation.generated.path,
        path=seeded_values(choose, operation.parameters("path")),
        query=seeded_values(choose, operation.parameters("query")),
        body=seeded_body(choose, operation, media_type) if operation.bodies else None,
        media_type=media_type,
    )
    if isinstance(sent.body, dict) and "course_key" in sent.body and "course_key" in sent.path:
        sent.body["course_key"] = sent.path["course_key"]
    if isinstance(sent.body, dict) and "signature" in sent.body:
        sent.body = signed_decision(choose, sent.body)
    return sent


def seeded_body(choose: Choose, operation: Operation, media_type: str) -> Any:
    """Draw a body: an object, or a list of rows, sometimes of too many."""
    fields = operation.bodies[media_type]
    if media_type in FILE_TYPES:
        return choose(FILES)
    if media_type not in operation.lists:
        return seeded_values(choose, fields)
    return [seeded_values(choose, fields) for _ in range(choose(ROWS))]


def seeded_values(choose: Choose, names: dict[str, bool]) -> dict[str, Any]:
    """Draw a value for each required name and for some of the others."""
    return {
        name: choose(SEEDED.get(name, PLAIN))
        for name, required in names.items()
        if required or choose([True, True, False])
    }


def signed_decision(choose: Choose, body: dict[str, Any]) -> dict[str, Any]:
    """Give a callback a time, mostly a recent one, and a signature, mostly the right one."""
    now = int(time.time())
    message = {name: body.get(name) for name in ("request_uuid", "status")}
    message["timestamp"] = choose([now, str(now), now - 60, now + 60, now - 10_000, 10**14])
    return signed(message, secret=choose([SECRET, SECRET, SECRET, "guessed"]))


def parts(sent: Sent) -> list[dict[str, Any]]:
    """Return what holds a request's values by name."""
    rows = sent.body if isinstance(sent.body, list) else [sent.body]
    return [part for part in (sent.path, sent.query, *rows) if isinstance(part, dict)]


def make_hostile(choose: Choose, sent: Sent) -> None:
    """Spoil one value, the whole body, the query or a header."""
    places = [(part, name) for part in parts(sent) for name in part]
    spoil = choose(["value", "value", "value", "body", "query", "type", "accept", "credentials"])
    if spoil == "value" and places:
        part, name = choose(places)
        part[name] = choose(HOSTILE)
    elif spoil == "body":
        sent.body = choose(HOSTILE)
    elif spoil == "type":
        sent.media_type = choose(ODD_TYPES)
    elif spoil == "accept":
        sent.headers["Accept"] = choose(["text/nothing", "image/png", "\xff", "*/*;q=x"])
    elif spoil == "credentials":
        sent.headers["Authorization"] = choose(ODD_CREDENTIALS)
    else:
        sent.query["unknown"] = choose(HOSTILE)


def by_session(user: AbstractBaseUser) -> dict[str, str]:
    client, token = client_of(user), get_random_string(32)
    session = client.cookies[SESSION_COOKIE_NAME].value
    return {"Cookie": f"{SESSION_COOKIE_NAME}={session}; csrftoken={token}", "X-CSRFToken": token}


def by_jwt(user: AbstractBaseUser, *, restricted: bool = False) -> dict[str, str]:
    token = tokens.issue(user, scopes=SCOPES, lifetime=LONG, restricted=restricted)
    return {"Authorization": f"JWT {token}"}


def by_bearer(user: AbstractBaseUser) -> dict[str, str]:
    token = bearer_token(user)
    AccessToken.objects.filter(token=token).update(expires=timezone.now() + timedelta(seconds=LONG))
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(autouse=True)
def _open_connection() -> Iterator[None]:
    """Keep requests from closing the connection, and with it the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def callers(db, settings) -> list[dict[str, str]]:
    """Return the headers of each kind of caller, in a database that has a row of every kind."""
    settings.OAUTH2_RESTRICTED_CLIENTS = {RESTRICTED_CLIENT: list(SCOPES)}
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"university": ["not this one", SECRET], "closed": SECRET, "keyless": ""}
    settings.CREDIT_REFUSED_CALLBACKS_PER_ADDRESS, settings.CREDIT_REFUSED_CALLBACKS_PER_PROVIDER = 1, 0
    settings.ENROLLMENT_THROTTLE_RATES = {"user": "1/day", "staff": "1/day"}
    settings.ENROLLMENT_COURSE_DETAIL_RATE = "1/day"
    settings.EDX_API_KEY = API_KEY
    settings.ENROLLMENT_JOB_MAX_ROWS = 3
    names = ("ron", "hermione", "luna", "staff", "filch")
    users = {name: UserFactory(username=name, is_staff=name in ("staff", "filch")) for name in names}
    course = CreditCourseFactory(course_key=COURSE)
    closed_course = CreditCourseFactory(course_key=CLOSED_COURSE, enabled=False)
    grade = CreditRequirementFactory(course=course)
    university = CreditProviderFactory(provider_id="university")
    CreditProviderFactory(provider_id="keyless")
    CreditProviderFactory(provider_id="closed", active=False)
    for name in ("ron", "hermione"):
        CreditEligibilityFactory(username=name, course=course)
        CreditRequirementStatusFactory(username=name, requirement=grade)
    CreditRequestFactory(uuid=PENDING, username="hermione", course=course, provider=university)
    CreditRequestFactory(
        uuid=APPROVED,
        username="hermione",
        course=closed_course,
        provider=university,
        status=RequestStatus.APPROVED,
        last_callback_timestamp=int(time.time()),
    )
    seed_enrollments(users)
    seed_programs(users)
    for job_id, status in ((WAITING_JOB, JobStatus.QUEUED), (FINISHED_JOB, JobStatus.FINISHED)):
        BulkJob.objects.create(id=job_id, kind="enrollments", input_name="gone.csv", input_format="csv", status=status)
    return [
        by_session(users["staff"]),
        by_session(users["ron"]),
        by_jwt(users["luna"]),
        by_session(users["filch"]),
        by_jwt(users["filch"]),
        {"X-Edx-Api-Key": API_KEY},
        by_bearer(users["staff"]),
        by_jwt(users["hermione"]),
        by_jwt(users["hermione"], restricted=True),
        {},
    ]


def seed_enrollments(users: dict[str, Any]) -> None:
    """Make courses of every kind, enrollments of both states, invitations, a role and retirements."""
    course = CourseFactory(id=COURSE)
    closed_course = CourseFactory(id=CLOSED_COURSE, enrollment_end=timezone.now() - timedelta(days=1))
    CourseFactory(id=FULL_COURSE, max_student_enrollments_allowed=0)
    for slug in ("audit", "verified", "credit"):
        CourseModeFactory(course=course, mode_slug=slug)
    CourseEnrollmentFactory(user=users["ron"], course=course)
    CourseEnrollmentFactory(user=users["hermione"], course=course, mode="verified")
    CourseEnrollmentFactory(user=users["hermione"], course=closed_course, is_active=False)
    for email, course_ids in (
        ("ron@example.com", [COURSE]),  # where he is enrolled
        ("invited@example.com", [COURSE, CLOSED_COURSE, FULL_COURSE]),
        ("nobody@example.com", [COURSE, CLOSED_COURSE, FULL_COURSE]),
    ):
        for course_id in course_ids:
            CourseEnrollmentAllowedFactory(email=email, course_id=course_id)
    CourseAccessRoleFactory(user=users["luna"], org="HogwartsX", course_id=COURSE)
    users["filch"].is_superuser = True
    users["filch"].save()
    RetirementRequest.objects.create(username="ron", state="RETIRING_ENROLLMENTS")
    RetirementRequest.objects.create(username="luna", state="RETIRING_ENROLLMENTS")
    RetirementRequest.objects.create(username="hermione", state=RetirementState.PENDING)
    UserFactory(username="draco", email="draco@example.com")
    UserFactory(username="another draco", email="draco@example.com")


def seed_programs(users: dict[str, Any]) -> None:
    """Make a program with a student who waits and one who has an account."""
    ProgramFactory(uuid=PROGRAM)
    ProgramEnrollmentFactory(program_uuid=PROGRAM, external_user_key="s1")
    ProgramEnrollmentFactory(program_uuid=PROGRAM, external_user_key="s2", user=users["ron"])


@pytest.mark.fuzz
@pytest.mark.rule("input.never-a-server-error")
@pytest.mark.parametrize("operation", [pytest.param(operation, id=operation.name) for operation in operations()])
def test_no_input_is_a_server_error(operation, callers):
    seen: Counter[int] = Counter()
    choose = Random(f"{SEED} {operation.name}").choice
    for sent in requests(operation, choose):
        caller = choose(callers)
        cache.clear()  # every request meets the same limits …
        with transaction.atomic():  # … and the same rows
            if sent.repeated:
                sent.by(caller)
            response = sent.by(caller)
            transaction.set_rollback(True)
        seen[response.status_code] += 1
        told = f"FUZZ_SEED={SEED}, case {seen.total()}: {sent} by {[*caller]} got {response.status_code}"
        assert response.status_code in operation.declared | ELSEWHERE, f"{told}: {response.data!r}"
        assert operation.complaints(response) == [], told

    missing = sorted(operation.declared - set(seen))
    print(f"\n{operation.name}: {dict(sorted(seen.items()))}, declared and not seen: {missing or 'none'}")
    if CASES >= SUCCESS_SEEN_FROM:
        assert min(seen) < 300
    if CASES >= ALL_SEEN_FROM:
        assert missing == []
