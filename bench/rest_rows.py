"""REST calls against bare views under the same server."""

import itertools
import json
import time
from collections.abc import Iterator
from urllib.parse import urlencode

from bench import seed
from bench.measure import ROUNDS, Row, at_most, compare, repeated
from bench.server import Client
from bench.site import Site
from credit.signature import signature

READS = at_most(150, quick=5)  # requests per round
WRITES = at_most(100, quick=5)
NEEDED_WRITES = WRITES * (ROUNDS + 1)


def rows(site: Site) -> Iterator[Row]:
    """Compare reads, and writes, of which each uses a prepared row once."""
    with site.serve() as client:
        client.authenticate(seed.CLIENT_ID, seed.CLIENT_SECRET)
        yield from _read_rows(client)
        yield from _write_rows(client, site)


def _read_rows(client: Client) -> Iterator[Row]:
    eligibility = "/api/credit/v1/eligibility/?" + urlencode({"username": "learner0", "course_key": seed.COURSE})
    yield compare(
        "GET eligibility",
        ours=repeated(lambda: client.get(eligibility)),
        baseline=repeated(lambda: client.get("/bare/read")),
        baseline_name="bare view",
        target=0.5,
        repeat=READS,
    )
    yield compare(
        "GET provider list",
        ours=repeated(lambda: client.get("/api/credit/v1/providers/")),
        baseline=repeated(lambda: client.get("/bare/read")),
        baseline_name="bare view",
        target=0.5,
        repeat=READS,
    )


def _write_rows(client: Client, site: Site) -> Iterator[Row]:
    learners = itertools.count()
    create = f"/api/credit/v1/providers/{seed.PROVIDER}/request/"
    yield compare(
        "POST first credit request",
        ours=repeated(lambda: client.post(create, _asks(next(learners)))),
        baseline=repeated(lambda: client.post("/bare/write", _asks(0))),
        baseline_name="bare view and one committed INSERT",
        target=0.2,
        repeat=WRITES,
    )
    callbacks = iter([_decision(uuid, site.secret) for uuid in site.pending])
    callback = f"/api/credit/v1/providers/{seed.PROVIDER}/callback"
    yield compare(
        "POST provider callback",
        ours=repeated(lambda: client.post(callback, next(callbacks), authenticated=False)),
        baseline=repeated(lambda: client.post("/bare/anonymous-write", _asks(0), authenticated=False)),
        baseline_name="bare view and one committed INSERT",
        target=0.3,
        repeat=WRITES,
    )


def _asks(number: int) -> str:
    return json.dumps({"username": f"learner{number}", "course_key": seed.COURSE})


def _decision(uuid: str, secret: str) -> str:
    decision = {"request_uuid": uuid, "status": "approved", "timestamp": int(time.time())}
    return json.dumps({**decision, "signature": signature(decision, secret)})
