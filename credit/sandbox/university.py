"""What a university does with a learner's form: verify it, keep it, answer it with a signed decision."""

import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from itertools import count
from typing import Any

import attrs
from django.db import models
from django.utils import timezone

from credit.choices import RequestStatus
from credit.sandbox.callbacks import Answer, post_json
from credit.sandbox.messages import REQUEST_KEYS, Pair, fingerprint, pairs_of
from credit.signature import is_signed_with, signature, signed_text, usable_keys

KEPT_FORMS = 200


class Verdict(models.TextChoices):
    """What verification found; the label is what integrators read."""

    RIGHT = "right", "The signature is right."
    WRONG = "wrong", "The signature is wrong."
    MISSING = "missing", "The message has no signature."
    NO_KEY = "no key", "No usable key is configured for this university."


@attrs.frozen
class SentDecision:
    """A decision as it was posted to the service, and what the service answered."""

    moment: datetime
    url: str
    params: Mapping[str, str | int]
    answer: Answer

    @property
    def status(self) -> str:
        return str(self.params["status"])

    @property
    def signed_text(self) -> str:
        return signed_text(self.params)


@attrs.define
class ReceivedForm:
    """A learner's form and everything that was done with it."""

    number: int
    provider_id: str
    moment: datetime
    params: Mapping[str, str]
    verdict: Verdict
    decisions: list[SentDecision] = attrs.Factory(list)

    @property
    def is_trusted(self) -> bool:
        return self.verdict is Verdict.RIGHT

    @property
    def can_be_decided(self) -> bool:
        return self.is_trusted and "request_uuid" in self.params

    @property
    def latest_decisions(self) -> list[SentDecision]:
        return self.decisions[::-1]

    @property
    def accepted_decision(self) -> SentDecision | None:
        """The latest decision that the service has taken."""
        return next((decision for decision in self.latest_decisions if decision.answer.is_accepted), None)

    @property
    def pairs(self) -> list[Pair]:
        return pairs_of(self.params, REQUEST_KEYS)

    @property
    def signed_text(self) -> str:
        return signed_text(self.params)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.params)


class Archive:
    """The forms received so far, newest first; only the last `KEPT_FORMS` are kept."""

    def __init__(self) -> None:
        self._forms: deque[ReceivedForm] = deque(maxlen=KEPT_FORMS)
        self._numbers = count(1)
        self._lock = threading.Lock()

    def add(self, provider_id: str, params: Mapping[str, str]) -> ReceivedForm:
        """Verify a form and keep it, trusted or not."""
        with self._lock:
            form = ReceivedForm(next(self._numbers), provider_id, timezone.now(), params, verify(provider_id, params))
            self._forms.appendleft(form)
        return form

    def get(self, provider_id: str, number: int) -> ReceivedForm | None:
        return next((form for form in self.forms(provider_id) if form.number == number), None)

    def forms(self, provider_id: str | None = None) -> list[ReceivedForm]:
        """Return one university's forms, or everybody's."""
        with self._lock:
            return [form for form in self._forms if provider_id in (None, form.provider_id)]


def verify(provider_id: str, params: Mapping[str, Any]) -> Verdict:
    """Check a message's signature with every usable key of a university."""
    keys = usable_keys(provider_id)
    claimed = params.get("signature", "")
    if not keys:
        return Verdict.NO_KEY
    if not isinstance(claimed, str) or not claimed.strip():
        return Verdict.MISSING
    return Verdict.RIGHT if is_signed_with(params, claimed, keys) else Verdict.WRONG


def decide(form: ReceivedForm, status: RequestStatus, *, callback_url: str) -> SentDecision:
    """Post a signed decision on a trusted form and keep the answer. Each call sends anew, as a clerk's click would."""
    moment = timezone.now()
    params: dict[str, str | int] = {
        "request_uuid": form.params["request_uuid"],
        "status": status.value,
        "timestamp": int(moment.timestamp()),
    }
    params["signature"] = signature(params, usable_keys(form.provider_id)[0])
    decision = SentDecision(moment, callback_url, params, post_json(callback_url, params))
    form.decisions.append(decision)
    return decision
