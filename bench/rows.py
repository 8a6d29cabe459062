"""What is measured, each against the baseline that it names."""

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from bench import seed
from bench.measure import ROUNDS, Row, Work, compare
from bench.server import Client
from credit.signature import signature, signed_text

READS = 150  # requests per round
WRITES = 100
SIGNATURES = 20_000
NEEDED_WRITES = WRITES * (ROUNDS + 1)

PARAMETERS: dict[str, object] = {
    "request_uuid": "557168d0f7664fe59097106c67c3f847",
    "timestamp": 1434631630,
    "course_org": "HogwartsX",
    "course_num": "Potions101",
    "course_run": "1T2015",
    "enrollment_timestamp": 1420070400,
    "course_completion_timestamp": "",
    "final_grade": "0.95",
    "user_username": "ron",
    "user_email": "ron@example.com",
    "user_full_name": "Ron Weasley",
    "user_mailing_address": "",
    "user_country": "US",
}


def http_rows(client: Client, *, pending: list[str], secret: str) -> Iterator[Row]:
    """Compare REST calls with bare views under the same server; writes use each prepared row once."""
    eligibility = "/api/credit/v1/eligibility/?" + urlencode({"username": "learner0", "course_key": seed.COURSE})
    yield compare(
        "GET eligibility",
        ours=_repeated(lambda: client.get(eligibility)),
        baseline=_repeated(lambda: client.get("/bare/read")),
        baseline_name="bare view",
        target=0.5,
        repeat=READS,
    )
    yield compare(
        "GET provider list",
        ours=_repeated(lambda: client.get("/api/credit/v1/providers/")),
        baseline=_repeated(lambda: client.get("/bare/read")),
        baseline_name="bare view",
        target=0.5,
        repeat=READS,
    )
    learners = itertools.count()
    create = f"/api/credit/v1/providers/{seed.PROVIDER}/request/"
    yield compare(
        "POST first credit request",
        ours=_repeated(lambda: client.post(create, _asks(next(learners)))),
        baseline=_repeated(lambda: client.post("/bare/write", _asks(0))),
        baseline_name="bare view and one committed INSERT",
        target=0.2,
        repeat=WRITES,
    )
    callbacks = iter([_decision(uuid, secret) for uuid in pending])
    callback = f"/api/credit/v1/providers/{seed.PROVIDER}/callback"
    yield compare(
        "POST provider callback",
        ours=_repeated(lambda: client.post(callback, next(callbacks), authenticated=False)),
        baseline=_repeated(lambda: client.post("/bare/anonymous-write", _asks(0), authenticated=False)),
        baseline_name="bare view and one committed INSERT",
        target=0.3,
        repeat=WRITES,
    )


def signature_row() -> Row:
    """Compare signing with the bare HMAC of bytes that are ready."""
    secret = "931433d583c84ca7ba41784bad3232e6"
    text, key = signed_text(PARAMETERS).encode(), secret.encode()
    assert signature(PARAMETERS, secret) == hmac.new(key, text, hashlib.sha256).hexdigest()

    def ours(times: int) -> None:
        for _ in range(times):
            signature(PARAMETERS, secret)

    def bare(times: int) -> None:
        for _ in range(times):
            hmac.new(key, text, hashlib.sha256).hexdigest()

    return compare(
        "signature() of the 13 parameters",
        ours=ours,
        baseline=bare,
        baseline_name="hmac.new(…).hexdigest() of the same bytes",
        target=0.4,
        repeat=SIGNATURES,
    )


def _repeated(call: Callable[[], Any]) -> Work:
    def work(times: int) -> None:
        for _ in range(times):
            call()

    return work


def _asks(number: int) -> str:
    return json.dumps({"username": f"learner{number}", "course_key": seed.COURSE})


def _decision(uuid: str, secret: str) -> str:
    decision = {"request_uuid": uuid, "status": "approved", "timestamp": int(time.time())}
    return json.dumps({**decision, "signature": signature(decision, secret)})
