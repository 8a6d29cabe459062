"""What can be said about a pasted message: whether its signature is right, what was signed, and why it is wrong."""

from itertools import islice

import attrs

from credit.conf import conf
from credit.sandbox.causes import likely_causes
from credit.sandbox.messages import Kind, Message, Pair, fingerprint, pairs_of
from credit.sandbox.secrecy import contains_key
from credit.sandbox.university import Verdict, verify
from credit.serializers import CreditProviderCallbackSerializer
from credit.signature import is_signed_with, usable_keys

OTHER_KEYS = 20  # keys of other universities that are tried
SEARCHED_CHARACTERS, SEARCHED_KEYS = 8_000, 40  # several times a real message; more would take long


@attrs.frozen
class Report:
    """The findings about one message for one university. It holds no key, and the right signature only if claimed."""

    provider_id: str
    message: Message
    verdict: Verdict
    causes: list[str]
    remarks: list[str]

    @property
    def is_right(self) -> bool:
        return self.verdict is Verdict.RIGHT

    @property
    def pairs(self) -> list[Pair]:
        return pairs_of(self.message.params, self.message.expected_keys)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.message.params)


def check(message: Message, provider_id: str) -> Report:
    """Check a message with every usable key of a university, and look for the cause if none fits."""
    keys = usable_keys(provider_id)
    verdict = verify(provider_id, message.params)
    causes = []
    if verdict is Verdict.WRONG and len(message.text) <= SEARCHED_CHARACTERS and len(message.params) <= SEARCHED_KEYS:
        causes = likely_causes(message, provider_id, keys, _keys_of_others(provider_id, keys))
    remarks = [*_about_rotation(message, keys), *_about_form(message), *_about_callback(message)]
    return Report(provider_id, message, verdict, causes, remarks)


def _keys_of_others(provider_id: str, keys: tuple[str, ...]) -> dict[str, str]:
    """Return other universities' keys, each with the id of one."""
    others = ((key, other) for other in conf.CREDIT_PROVIDER_SECRET_KEYS for key in usable_keys(other))
    return dict(islice(((key, other) for key, other in others if key not in keys), OTHER_KEYS))


def _about_rotation(message: Message, keys: tuple[str, ...]) -> list[str]:
    fitting = [number for number, key in enumerate(keys, 1) if is_signed_with(message.params, message.claimed, [key])]
    if not fitting or fitting[0] == 1:
        return []
    return [f"It was made with key {fitting[0]} of {len(keys)}, an old one: from now on, sign with the first."]


def _about_form(message: Message) -> list[str]:
    remarks = [f"“{key}” stands there more than once: the last one counts." for key in message.repeated]
    if contains_key(message.text):
        remarks.append("The message contains a shared key. A key never travels: replace it by a new one.")
    return remarks


def _about_callback(message: Message) -> list[str]:
    """Return what the service would answer to the fields of a callback."""
    if message.kind is not Kind.CALLBACK:
        return []
    form = CreditProviderCallbackSerializer(data=dict(message.params))
    if form.is_valid():
        return []
    return [f"The service refuses {field}: {text}" for field, texts in form.errors.items() for text in texts]
