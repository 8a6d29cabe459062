"""A signed text means one thing only, whatever learners put into it (credit contract 3.3)."""

from itertools import product

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from credit import api
from credit.choices import RequestStatus
from credit.models import CreditRequest
from credit.signature import is_signed_with, signed_text
from tests.credit.factories import (
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
)
from tests.credit.recutting import CALLBACK_KEYS, REQUEST_KEYS, is_well_formed_callback, readings
from tests.enrollment.factories import LearnerProfileFactory, UserFactory

UUID = "557168d0f7664fe59097106c67c3f847"
FRAGMENTS = ("", "a", "1", ":", "approved", "rejected", *(f"{key}:" for key in (*CALLBACK_KEYS, *REQUEST_KEYS)))
REQUEST = {
    "request_uuid": UUID,
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
adversarial = st.one_of(
    st.lists(st.sampled_from([*FRAGMENTS, *REQUEST_KEYS, "status"]), max_size=6).map("".join),
    st.text(st.characters(codec="utf-8"), max_size=20),
)


def as_text(params):
    return {key: str(value) for key, value in params.items()}


def decisions(text):
    return [reading for reading in readings(text, CALLBACK_KEYS) if is_well_formed_callback(reading)]


@pytest.mark.rule("credit.signature.one_reading")
def test_a_value_with_colons_has_several_readings():
    """Without the two rules the text is ambiguous, and the enumeration sees it."""
    name = "Ronuser_mailing_address:user_username:harry"
    text = signed_text({**REQUEST, "user_full_name": name})
    assert sorted(reading["user_full_name"] for reading in readings(text, REQUEST_KEYS)) == ["Ron", "Ron", name]
    text = signed_text({"request_uuid": f"{UUID}status:approvedtimestamp:1", "status": "rejected", "timestamp": 2})
    assert sorted(reading["status"] for reading in readings(text, CALLBACK_KEYS)) == [
        "approved",
        "approvedtimestamp:1status:rejected",
        "rejected",
    ]


@pytest.mark.rule("credit.signature.one_reading")
def test_the_enumeration_misses_no_reading():
    for letters in product("ab:", repeat=7):
        text = "a:" + "".join(letters)
        ends = range(len(text) + 1)
        pairs = [{"a": text[2:end], "ab": text[start:]} for end, start in product(ends, ends)]
        every = {tuple(pair.values()) for pair in pairs if signed_text(pair) == text}
        assert {tuple(reading.values()) for reading in readings(text, ["ab", "a"])} == every


@pytest.mark.rule("credit.signature.one_reading")
@pytest.mark.parametrize("status", ["approved", "rejected"])
@pytest.mark.parametrize("timestamp", ["0", "1434631630"])
def test_a_callback_has_one_reading_whatever_its_uuid(status, timestamp):
    for fragments in product(FRAGMENTS, repeat=3):
        callback = {"request_uuid": "x" + "".join(fragments), "status": status, "timestamp": timestamp}
        assert decisions(signed_text(callback)) == [callback]


@pytest.mark.rule("credit.signature.one_reading")
@given(adversarial.filter(str.strip), st.sampled_from(["approved", "rejected"]), st.integers(0, 10**15 - 1))
def test_a_callback_has_one_reading(request_uuid, status, timestamp):
    callback = {"request_uuid": request_uuid, "status": status, "timestamp": timestamp}
    assert decisions(signed_text(callback)) == [as_text(callback)]
    assert not list(readings(signed_text(callback), REQUEST_KEYS))


@pytest.mark.rule("credit.signature.one_reading")
@given(st.fixed_dictionaries(dict.fromkeys(REQUEST_KEYS, adversarial)))
def test_a_request_never_reads_as_a_callback(params):
    """Not even with the colons that the builder takes out."""
    assert not list(readings(signed_text(params), CALLBACK_KEYS))


@pytest.mark.rule("credit.signature.one_reading")
@given(st.fixed_dictionaries(dict.fromkeys(REQUEST_KEYS, adversarial.map(lambda text: text.replace(":", " ")))))
def test_a_request_without_colons_has_one_reading(params):
    assert list(readings(signed_text(params), REQUEST_KEYS)) == [params]
    assert "status:" not in signed_text(params), "no key set at all can make a decision of it"


KEY = "931433d583c84ca7ba41784bad3232e6"
TRICKS = {
    "a grade of one's own": "Ronuser_mailing_address:user_username:ron",
    "another grade before the right one": "Ron final_grade:1.0request_uuid:",
    "a decision": f"request_uuid:{UUID}status:approvedtimestamp:1434631630",
    "the rest of the request": signed_text(REQUEST),
    "nothing but colons": ":::::",
    "the name of a key": "status",
    "many bytes to a character": "李小龍 🎓:status:approved",
    "a line feed": "Ron\nstatus:approved\ntimestamp:1",
}


@pytest.fixture
def ask(settings):
    """Return a function by which a learner of any name and address asks for credit."""
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": KEY}
    CreditProviderFactory(provider_id="hogwarts")
    requirement = CreditRequirementFactory()

    def ask(*, username, email, name, country):
        LearnerProfileFactory(user=UserFactory(username=username, email=email), name=name, country=country)
        CreditRequirementStatusFactory(username=username, requirement=requirement)
        CreditEligibilityFactory(username=username, course=requirement.course)
        return api.create_credit_request(requirement.course.course_key, "hogwarts", username)["parameters"]

    return ask


@pytest.mark.django_db
@pytest.mark.rule("credit.signature.one_reading")
@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS.keys())
def test_what_the_service_signs_has_one_reading(ask, trick):
    params = ask(username=trick[:150], email=f"{trick}@example.com"[:254], name=trick[:255], country=":x")
    made = params.pop("signature")
    assert is_signed_with(params, made, [KEY])
    assert set(params) == set(REQUEST_KEYS)
    assert list(readings(signed_text(params), REQUEST_KEYS)) == [as_text(params)]
    assert not list(readings(signed_text(params), CALLBACK_KEYS))


@pytest.mark.django_db
@pytest.mark.rule("credit.callback.exact_keys")
@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS.keys())
def test_what_the_service_signs_is_no_decision(client, ask, trick):
    """Neither as it is nor cut otherwise, although the signature is right each time."""
    params = ask(username="ron", email="ron@example.com", name=trick[:255], country="US")
    made = params.pop("signature")
    text = signed_text(params)
    first = "course_completion_timestamp"
    rest = text.removeprefix(f"{first}:")
    cut = {first: rest[: rest.index("timestamp:")], "timestamp": rest.partition("timestamp:")[2]}
    assert signed_text(cut) == text
    for body in (params, cut):
        response = client.post(
            reverse("credit:provider_callback", kwargs={"provider_id": "hogwarts"}),
            {**body, "signature": made},
            content_type="application/json",
        )
        assert response.status_code == 400
    assert CreditRequest.objects.get().status == RequestStatus.PENDING
