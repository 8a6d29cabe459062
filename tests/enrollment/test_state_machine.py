"""What a request for an enrollment means: the rows of enrollment contract 6.2, one by one. No database."""

import pytest

from enrollment.errors import EnrollmentAttributesMissingError, EnrollmentModeMismatchError
from enrollment.state_machine import Action, Decision, ModeCheck, Stored, decide

NONE, OUT, IN = None, Stored("audit", is_active=False), Stored("audit", is_active=True)
LEARNER, STAFF, SERVER = {"privileged": False}, {"privileged": True}, {"privileged": True, "server_request": True}
ANY, OFFERED, EXPIRED_TOO = ModeCheck.ANY, ModeCheck.OFFERED, ModeCheck.EXPIRED_TOO
PROVIDER = {"namespace": "credit", "name": "provider_id", "value": "hogwarts"}
OTHER = {"namespace": "credit", "name": "invalid", "value": "hogwarts"}


def add(mode, check, *, is_active=True, requires_open=True, requires_seat=True):
    return Decision(Action.ADD, mode, is_active, check, True, requires_open, requires_seat)


def stay_out(mode):
    return add(mode, EXPIRED_TOO, is_active=False, requires_open=False, requires_seat=False)


def update(mode, is_active, check):
    return Decision(Action.UPDATE, mode, is_active, check, takes_extras=True)


def keep(check=ANY, *, takes_extras):
    return Decision(Action.KEEP, None, None, check, takes_extras)


@pytest.mark.rule("enrollment.outcomes")
@pytest.mark.parametrize(
    ("stored", "who", "mode", "is_active", "decision"),
    [
        pytest.param(NONE, LEARNER, None, None, add(None, OFFERED), id="new, nothing said"),
        pytest.param(NONE, LEARNER, "audit", True, add("audit", OFFERED), id="new, all said"),
        pytest.param(NONE, SERVER, "verified", None, add("verified", OFFERED), id="new, by a server"),
        pytest.param(NONE, STAFF, "audit", False, add("audit", EXPIRED_TOO, is_active=False), id="new, ends inactive"),
        pytest.param(OUT, LEARNER, None, None, add(None, OFFERED), id="back, default mode"),
        pytest.param(OUT, LEARNER, "honor", True, add("honor", OFFERED), id="back, mode named"),
        pytest.param(OUT, LEARNER, None, False, stay_out(None), id="stays out, default mode"),
        pytest.param(OUT, LEARNER, "honor", False, stay_out("honor"), id="stays out, mode named"),
        pytest.param(OUT, LEARNER, "audit", False, keep(takes_extras=True), id="stays out, same mode"),
        pytest.param(OUT, STAFF, "verified", None, update("verified", None, OFFERED), id="out, mode changes"),
        pytest.param(OUT, SERVER, "verified", None, update("verified", None, EXPIRED_TOO), id="out, server changes it"),
        pytest.param(OUT, STAFF, "verified", False, update("verified", False, EXPIRED_TOO), id="out, stays so, mode"),
        pytest.param(OUT, STAFF, None, True, update(None, True, ANY), id="back by staff, mode as it was"),
        pytest.param(OUT, STAFF, "audit", True, update("audit", True, OFFERED), id="back by staff, same mode"),
        pytest.param(OUT, SERVER, "verified", True, update("verified", True, EXPIRED_TOO), id="back by a server"),
        pytest.param(OUT, STAFF, None, None, add(None, OFFERED), id="out, staff say nothing"),
        pytest.param(OUT, STAFF, "audit", None, add("audit", OFFERED), id="out, staff name the same mode"),
        pytest.param(OUT, STAFF, "audit", False, keep(takes_extras=True), id="out, staff repeat it"),
        pytest.param(OUT, STAFF, None, False, keep(takes_extras=True), id="out, staff repeat it without a mode"),
        pytest.param(IN, LEARNER, None, None, keep(takes_extras=False), id="in, nothing said"),
        pytest.param(IN, LEARNER, "audit", True, keep(takes_extras=False), id="in, repeated"),
        pytest.param(IN, LEARNER, "honor", None, keep(OFFERED, takes_extras=False), id="in, other mode is not taken"),
        pytest.param(IN, LEARNER, None, False, keep(takes_extras=False), id="in, does not leave this way"),
        pytest.param(IN, LEARNER, "honor", False, keep(EXPIRED_TOO, takes_extras=False), id="in, nor in another mode"),
        pytest.param(IN, STAFF, "verified", None, update("verified", None, OFFERED), id="in, mode changes"),
        pytest.param(IN, SERVER, "verified", True, update("verified", True, EXPIRED_TOO), id="in, server changes it"),
        pytest.param(IN, STAFF, "audit", False, update("audit", False, EXPIRED_TOO), id="leaves, mode named"),
        pytest.param(IN, STAFF, None, False, update(None, False, ANY), id="leaves"),
        pytest.param(IN, STAFF, None, True, keep(takes_extras=True), id="in, staff repeat it"),
        pytest.param(IN, SERVER, "audit", None, keep(takes_extras=True), id="in, a server repeats it"),
    ],
)
def test_every_row_of_the_contract(stored, who, mode, is_active, decision):
    assert decide(stored, mode=mode, is_active=is_active, **who) == decision


@pytest.mark.parametrize(
    ("stored", "mode", "decision"),
    [
        pytest.param(NONE, "audit", add("audit", EXPIRED_TOO, requires_open=False), id="new"),
        pytest.param(OUT, None, add(None, EXPIRED_TOO, requires_open=False), id="back"),
        pytest.param(IN, "verified", update("verified", None, EXPIRED_TOO), id="mode changes"),
    ],
)
def test_force_passes_over_closed_enrollment_and_expired_modes(stored, mode, decision):
    assert decide(stored, mode=mode, is_active=None, force=True, **STAFF) == decision


@pytest.mark.parametrize("who", [STAFF, SERVER])
def test_nobody_leaves_and_moves_in_one_step(who):
    with pytest.raises(EnrollmentModeMismatchError, match=r"^Enrollment mode mismatch"):
        decide(IN, mode="verified", is_active=False, attributes=[OTHER], **who)


@pytest.mark.parametrize(
    ("stored", "mode", "attributes", "strict", "missing"),
    [
        pytest.param(IN, "credit", [OTHER], False, True, id="others only"),
        pytest.param(IN, "credit", [OTHER, PROVIDER], False, False, id="among others"),
        pytest.param(IN, "credit", [], False, False, id="none"),
        pytest.param(IN, "credit", None, False, False, id="not given"),
        pytest.param(IN, "verified", [OTHER], True, False, id="mode without requirements"),
        pytest.param(IN, None, [OTHER], True, False, id="no mode named"),
        pytest.param(NONE, "credit", [OTHER], False, False, id="new"),
        pytest.param(IN, "credit", [], True, True, id="strict, none"),
        pytest.param(IN, "credit", None, True, True, id="strict, not given"),
        pytest.param(NONE, "credit", None, True, True, id="strict, new"),
        pytest.param(NONE, "credit", [PROVIDER], True, False, id="strict, new, given"),
        pytest.param(Stored("credit", is_active=True), "credit", None, True, False, id="strict, repeated"),
    ],
)
def test_attributes_that_a_mode_requires(stored, mode, attributes, strict, missing):
    def ask():
        return decide(stored, mode=mode, is_active=None, attributes=attributes, strict_attributes=strict, **SERVER)

    if missing:
        with pytest.raises(EnrollmentAttributesMissingError, match=r"credit mode .* credit:provider_id"):
            ask()
    else:
        assert ask().action is not None
