"""Signatures made per second."""

import hashlib
import hmac
from collections.abc import Iterator

from bench.measure import Row, at_most, compare
from bench.site import Site
from credit.signature import signature, signed_text

SIGNATURES = at_most(20_000, quick=500)  # per round

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


def rows(site: Site) -> Iterator[Row]:
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

    yield compare(
        "signature() of the 13 parameters",
        ours=ours,
        baseline=bare,
        baseline_name="hmac.new(…).hexdigest() of the same bytes",
        target=0.4,
        repeat=SIGNATURES,
    )
