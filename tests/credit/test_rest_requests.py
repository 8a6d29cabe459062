"""Asking a provider for credit over REST (credit contract 5.3)."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from credit.choices import RequestStatus
from credit.models import CreditAudit, CreditRequest
from tests.credit.factories import (
    CreditCourseFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementStatusFactory,
)
from tests.credit.rest import SECRET, client_of, exact_about_trailing_spaces, signed
from tests.enrollment.factories import LearnerProfileFactory, UserFactory

pytestmark = pytest.mark.django_db

KEY = "course-v1:HogwartsX+Potions101+1T2026"
LEGACY_KEY = "HogwartsX/Potions101/1T2026"
REQUEST = "/api/credit/v1/providers/HogwartsX/request/"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
PROVIDER_URL = "https://credit.example.com/request"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"HogwartsX": SECRET}


@pytest.fixture
def provider():
    return CreditProviderFactory(provider_id="HogwartsX")


@pytest.fixture
def ron():
    ron = UserFactory(username="ron", email="ron@example.com")
    LearnerProfileFactory(user=ron, name="Ron Weasley", country="GB")
    return ron


@pytest.fixture
def staff():
    return UserFactory(username="minerva", is_staff=True)


@pytest.fixture
def course():
    return CreditCourseFactory(course_key=KEY)


@pytest.fixture
def eligible(ron, course):
    CreditRequirementStatusFactory(username="ron", requirement__course=course)
    return CreditEligibilityFactory(username="ron", course=course)


def form(request, key=KEY):
    """Return the answer for Ron's request, as it is issued at noon."""
    return {
        "url": PROVIDER_URL,
        "method": "POST",
        "parameters": signed(
            {
                "request_uuid": request.uuid,
                "timestamp": int(NOW.timestamp()),
                "course_org": "HogwartsX",
                "course_num": "Potions101",
                "course_run": "1T2026",
                "enrollment_timestamp": "",
                "course_completion_timestamp": "",
                "final_grade": "0.95",
                "user_username": "ron",
                "user_email": "ron@example.com",
                "user_full_name": "Ron Weasley",
                "user_mailing_address": "",
                "user_country": "GB",
            }
        ),
    }


@pytest.mark.usefixtures("provider", "eligible")
@pytest.mark.parametrize("body_format", ["json", "multipart"])
@pytest.mark.parametrize("asked_by", ["ron", "staff"])
def test_a_request_is_signed(request, ron, asked_by, body_format):
    client = client_of(request.getfixturevalue(asked_by))

    response = client.post(REQUEST, {"username": "ron", "course_key": KEY}, format=body_format)

    assert response.status_code == 200
    row = CreditRequest.objects.get()
    assert (row.username, str(row.course.course_key), row.status) == ("ron", KEY, RequestStatus.PENDING)
    assert response.json() == form(row)


@pytest.mark.usefixtures("provider")
def test_a_course_may_have_a_key_of_the_old_form(ron):
    legacy = CreditCourseFactory(course_key=LEGACY_KEY)
    CreditRequirementStatusFactory(username="ron", requirement__course=legacy)
    CreditEligibilityFactory(username="ron", course=legacy)

    response = client_of(ron).post(REQUEST, {"username": "ron", "course_key": LEGACY_KEY})

    assert response.status_code == 200
    assert response.json() == form(CreditRequest.objects.get())


@pytest.mark.usefixtures("provider", "eligible")
def test_a_repeated_request_is_the_same_request(ron):
    client = client_of(ron)
    answers = [client.post(REQUEST, {"username": "ron", "course_key": KEY}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json() == form(CreditRequest.objects.get())


@pytest.mark.rule("D30")
@pytest.mark.usefixtures("provider", "eligible")
@pytest.mark.parametrize(("asked_by", "source"), [("ron", "learner"), ("staff", "staff")])
def test_the_audit_tells_who_asked(request, asked_by, source):
    caller = request.getfixturevalue(asked_by)

    client_of(caller).post(REQUEST, {"username": "ron", "course_key": KEY})

    row = CreditAudit.objects.get()
    assert (row.username, row.source, row.actor) == ("ron", source, str(caller.pk))


@pytest.mark.usefixtures("eligible")
def test_without_integration_it_is_a_link(ron):
    CreditProviderFactory(provider_id="HogwartsX", enable_integration=False)

    response = client_of(ron).post(REQUEST, {"username": "ron", "course_key": KEY})

    assert response.status_code == 200
    assert response.json() == {"url": PROVIDER_URL, "method": "GET", "parameters": {}}
    assert not CreditRequest.objects.exists()


NO_PROVIDER = {"detail": "There is no credit provider with this id.", "code": "not_found"}


@pytest.mark.usefixtures("eligible")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"username": "ron", "course_key": KEY}, id="all else is right"),
        pytest.param({"username": "ron", "course_key": "a+b+c"}, id="the key is wrong too"),
        pytest.param({}, id="there is nothing"),
        pytest.param([], id="the body is no object"),
    ],
)
def test_an_unknown_provider_is_told_first(staff, body):
    response = client_of(staff).post(REQUEST, body)

    assert response.status_code == 404
    assert response.json() == NO_PROVIDER


@pytest.mark.rule("D12")
@pytest.mark.usefixtures("provider", "eligible")
@pytest.mark.parametrize("username", ["ron", "", None])
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, "None"),
        ({"course_key": None}, "None"),
        ({"course_key": ""}, ""),
        ({"course_key": "a+b+c"}, "a+b+c"),
        ({"course_key": 7}, "7"),
        ({"course_key": [KEY]}, f"['{KEY}']"),
        ({"course_key": {"key": KEY}}, f"{{'key': '{KEY}'}}"),
        ({"course_key": True}, "True"),
    ],
)
def test_the_course_key_has_to_be_one(staff, username, given, shown):
    response = client_of(staff).post(REQUEST, {"username": username, **given})

    assert response.status_code == 400
    assert response.json() == {"detail": f"[{shown}] is not a valid course key.", "code": "invalid_course_key"}


@pytest.mark.usefixtures("provider", "eligible")
@pytest.mark.parametrize("given", [{}, *[{"username": value} for value in (None, "", 7, ["ron"], {"ron": 1}, True)]])
def test_staff_have_to_say_for_whom(staff, given):
    response = client_of(staff).post(REQUEST, {**given, "course_key": KEY})

    assert response.status_code == 400
    assert response.json() == {"detail": "`username` is required, as text.", "code": "invalid_credit_request"}


DENIED = {"detail": "You do not have permission to perform this action.", "code": "permission_denied"}


@pytest.mark.rule("D10")
@pytest.mark.usefixtures("provider", "eligible", "ron")
@pytest.mark.parametrize(
    ("query", "body"),
    [
        pytest.param("", {"username": "ron"}, id="somebody else"),
        pytest.param("?username=draco", {"username": "ron"}, id="own name in the query"),
        pytest.param("", {"username": "ron", "user": "draco"}, id="own name in another field"),
        pytest.param("?username=draco", {}, id="own name in the query only"),
        pytest.param("", {"user": "draco"}, id="own name in another field only"),
        pytest.param("", {"username": "Draco"}, id="own name in other letters"),
        pytest.param("", {"username": " draco"}, id="own name with a space"),
        pytest.param("", {"username": "draco\n"}, id="own name with a line feed"),
        pytest.param("", {"username": ["draco"]}, id="own name in a list"),
        pytest.param("", {"username": ""}, id="nobody"),
        pytest.param("", {}, id="nothing"),
    ],
)
@pytest.mark.parametrize("method", ["post", "put", "get", "delete"])
def test_learners_ask_for_themselves_only(method, query, body):
    draco = client_of(UserFactory(username="draco"))

    body_text = json.dumps({**body, "course_key": KEY})
    response = draco.generic(method.upper(), REQUEST + query, body_text, content_type="application/json")

    assert response.status_code == 403
    assert response.json() == DENIED
    assert not CreditRequest.objects.exists()


@pytest.mark.usefixtures("provider", "eligible")
def test_of_repeated_names_in_a_form_the_last_one_counts(ron):
    draco = client_of(UserFactory(username="draco"))
    other_last = f"username=draco&username=ron&course_key={KEY.replace('+', '%2B')}"
    own_last = f"username=ron&username=draco&course_key={KEY.replace('+', '%2B')}"
    kind = "application/x-www-form-urlencoded"

    assert draco.post(REQUEST, other_last, content_type=kind).status_code == 403
    assert draco.post(REQUEST, own_last, content_type=kind).json() == not_eligible("draco")


def not_eligible(username, key=KEY):
    return {"detail": f"[{username}] is not eligible for credit for [{key}].", "code": "user_not_eligible"}


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"username": "ginny"}, id="only another learner is"),
        pytest.param({"course__course_key": LEGACY_KEY}, id="only in another course"),
        pytest.param({"deadline": NOW}, id="the deadline is now"),
        pytest.param({"deadline": NOW - timedelta(days=1)}, id="the deadline has passed"),
        pytest.param({"course__enabled": False}, id="the course is disabled"),
    ],
)
@pytest.mark.parametrize("integration", [True, False])
def test_there_has_to_be_a_valid_eligibility(provider, ron, changes, integration):
    provider.enable_integration = integration
    provider.active = False  # told later
    provider.save()
    eligibility = CreditEligibilityFactory(**{"username": "ron", "course__course_key": KEY, **changes})
    CreditRequirementStatusFactory(username="ron", requirement__course=eligibility.course)

    response = client_of(ron).post(REQUEST, {"username": "ron", "course_key": KEY})

    assert response.status_code == 400
    assert response.json() == not_eligible("ron")
    assert not CreditRequest.objects.exists()


@pytest.mark.usefixtures("provider", "eligible")
@pytest.mark.parametrize(
    "username", ["nobody", "Ron", " ron", pytest.param("ron ", marks=exact_about_trailing_spaces), "r" * 300]
)
def test_staff_may_ask_for_eligible_learners_only(staff, username):
    response = client_of(staff).post(REQUEST, {"username": username, "course_key": KEY})

    assert response.status_code == 400
    assert response.json() == not_eligible(username)


@pytest.mark.rule("D11")
@pytest.mark.usefixtures("provider")
def test_a_learner_without_account_gets_no_credit(staff, course):
    CreditEligibilityFactory(username="left", course=course)
    CreditRequirementStatusFactory(username="left", requirement__course=course)

    response = client_of(staff).post(REQUEST, {"username": "left", "course_key": KEY})

    assert response.status_code == 400
    assert response.json()["code"] == "user_not_eligible"
    assert not CreditRequest.objects.exists()


@pytest.mark.rule("D19")
@pytest.mark.usefixtures("eligible")
@pytest.mark.parametrize("integration", [True, False])
@pytest.mark.parametrize("secret", [SECRET, None])
def test_an_inactive_provider_takes_no_requests(settings, ron, integration, secret):
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"HogwartsX": secret}
    CreditProviderFactory(provider_id="HogwartsX", enable_integration=integration, active=False)

    response = client_of(ron).post(REQUEST, {"username": "ron", "course_key": KEY})

    assert response.status_code == 400
    assert response.json() == {
        "detail": "There is no active credit provider [HogwartsX].",
        "code": "credit_provider_not_configured",
    }


@pytest.mark.rule("D7")
@pytest.mark.usefixtures("provider", "eligible")
@pytest.mark.parametrize(
    "keys",
    [
        {},
        *[
            {"HogwartsX": value}
            for value in (None, "", " ", "\u4567", [], [None], ["", "\t"], b"secret", 7, {"a": "b"})
        ],
    ],
)
def test_a_provider_without_usable_key_takes_no_requests(settings, ron, keys):
    settings.CREDIT_PROVIDER_SECRET_KEYS = keys

    response = client_of(ron).post(REQUEST, {"username": "ron", "course_key": KEY})

    assert response.status_code == 400
    assert response.json() == {
        "detail": "Credit provider [HogwartsX] has no usable shared secret.",
        "code": "credit_provider_not_configured",
    }
    assert not CreditRequest.objects.exists()


@pytest.mark.rule("D29")
@pytest.mark.usefixtures("eligible")
@pytest.mark.parametrize("status", [RequestStatus.APPROVED, RequestStatus.REJECTED])
def test_a_completed_request_stays_as_it_is(ron, provider, course, status):
    request = CreditRequestFactory(username="ron", course=course, provider=provider, status=status)

    response = client_of(ron).post(REQUEST, {"username": "ron", "course_key": KEY})

    assert response.status_code == 400
    assert response.json() == {
        "detail": "The credit provider has already decided on this request.",
        "code": "request_already_completed",
    }
    before = (request.status, request.parameters, request.modified)
    request.refresh_from_db()
    assert (request.status, request.parameters, request.modified) == before


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("reason", [None, {}, [], {"final_grade": None}, {"final_grade": "n/a"}])
def test_there_has_to_be_a_final_grade(ron, course, reason):
    CreditEligibilityFactory(username="ron", course=course)
    CreditRequirementStatusFactory(username="ron", requirement__course=course, reason=reason)

    response = client_of(ron).post(REQUEST, {"username": "ron", "course_key": KEY})

    assert response.status_code == 400
    assert response.json() == {
        "detail": "The learner has no final grade in this course.",
        "code": "user_not_eligible",
    }
    assert not CreditRequest.objects.exists()


@pytest.mark.usefixtures("provider")
def test_nobody_gets_it_with_get(ron, staff):
    denied, not_allowed = client_of(ron).get(REQUEST), client_of(staff).get(REQUEST)

    assert (denied.status_code, denied.json()) == (403, DENIED)
    assert not_allowed.status_code == 405
    assert not_allowed.json() == {"detail": 'Method "GET" not allowed.', "code": "method_not_allowed"}
