"""Providers over REST (credit contract 5.2)."""

import pytest

from tests.credit.factories import CreditProviderFactory
from tests.credit.rest import exact_about_trailing_spaces, learner_client
from tests.support import statements

pytestmark = pytest.mark.django_db

PROVIDERS = "/api/credit/v1/providers/"

HOGWARTS = {
    "id": "HogwartsX",
    "display_name": "Hogwarts School",
    "url": "https://credit.example.com/request",
    "status_url": "https://credit.example.com/status",
    "description": "A very good university.",
    "enable_integration": True,
    "fulfillment_instructions": "<p>Send an <b>owl</b>.</p>",
    "thumbnail_url": "https://credit.example.com/logo.png",
}
ASU = {
    **HOGWARTS,
    "id": "asu",
    "display_name": "Arizona",
    "enable_integration": False,
    "fulfillment_instructions": None,
}
BARE = {
    "id": "bare",
    "display_name": "Bare",
    "url": "",
    "status_url": "",
    "description": "",
    "enable_integration": False,
    "fulfillment_instructions": None,
    "thumbnail_url": "",
}


@pytest.fixture
def learner():
    return learner_client()


@pytest.fixture
def _providers(db):
    CreditProviderFactory(
        provider_id="HogwartsX",
        display_name="Hogwarts School",
        fulfillment_instructions="<p>Send an <b>owl</b>.</p>",
        active=False,
    )
    CreditProviderFactory(provider_id="asu", display_name="Arizona", enable_integration=False)
    CreditProviderFactory(
        provider_id="bare",
        display_name="Bare",
        enable_integration=False,
        provider_url="",
        provider_status_url="",
        provider_description="",
        thumbnail_url="",
    )


@pytest.mark.usefixtures("_providers")
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param({}, [HOGWARTS, ASU, BARE], id="all, the inactive one too, by id"),
        pytest.param({"provider_ids": ""}, [HOGWARTS, ASU, BARE], id="an empty value is no filter"),
        pytest.param({"provider_ids": "bare,HogwartsX"}, [HOGWARTS, BARE], id="some, still by id"),
        pytest.param({"provider_ids": "asu"}, [ASU], id="one"),
        pytest.param({"provider_ids": "asu,asu"}, [ASU], id="one, named twice"),
        pytest.param({"provider_ids": "asu,durmstrang"}, [ASU], id="unknown ids are ignored"),
        pytest.param({"provider_ids": "durmstrang"}, [], id="unknown ids only"),
        pytest.param({"provider_ids": "hogwartsx,ASU"}, [], id="case counts"),
        pytest.param({"provider_ids": " asu"}, [], id="nothing is trimmed"),
        pytest.param({"provider_ids": "asu "}, [], id="neither at the end", marks=exact_about_trailing_spaces),
        pytest.param({"provider_ids": ","}, [], id="empty ids are ids"),
    ],
)
def test_list(learner, query, shown):
    response = learner.get(PROVIDERS, query)

    assert response.status_code == 200
    assert response.json() == shown


def test_list_without_providers_is_empty(learner):
    response = learner.get(PROVIDERS)

    assert response.status_code == 200
    assert response.json() == []


@pytest.mark.database("postgresql")
@pytest.mark.parametrize("query", [{}, {"provider_ids": "university-1,university-2"}])
def test_list_takes_one_statement_however_long_it_is(learner, query):
    for number in range(5):
        CreditProviderFactory(provider_id=f"university-{number}")
    with statements(without=("django_session", "auth_user")) as run:
        learner.get(PROVIDERS, query)
    assert len(run) == 1, run


def test_list_is_not_cached(learner):
    provider = CreditProviderFactory()
    learner.get(PROVIDERS)
    type(provider).objects.update(display_name="Renamed")

    assert [shown["display_name"] for shown in learner.get(PROVIDERS).json()] == ["Renamed"]


@pytest.mark.usefixtures("_providers")
@pytest.mark.parametrize("query", [{}, {"provider_ids": ""}, {"provider_ids": "asu,HogwartsX"}])
@pytest.mark.parametrize("shown", [HOGWARTS, ASU])
def test_detail(learner, shown, query):
    response = learner.get(f"{PROVIDERS}{shown['id']}/", query)

    assert response.status_code == 200
    assert response.json() == shown


@pytest.mark.usefixtures("_providers")
@pytest.mark.parametrize("provider_id", ["durmstrang", "hogwartsx", "ASU"])
def test_unknown_ids_are_not_found(learner, provider_id):
    response = learner.get(f"{PROVIDERS}{provider_id}/")

    assert response.status_code == 404
    assert response.json() == {"detail": "There is no credit provider with this id.", "code": "not_found"}


@pytest.mark.usefixtures("_providers")
def test_the_filter_narrows_the_detail_too(learner):
    response = learner.get(f"{PROVIDERS}asu/", {"provider_ids": "bare"})

    assert response.status_code == 404
    assert response.json() == {"detail": "This provider is not among `provider_ids`.", "code": "not_found"}


@pytest.mark.rule("D17")
@pytest.mark.parametrize("provider_id", ["a,b", "a_b", "a.b", "a b", "ä", "a%0A"])
def test_what_is_no_id_is_no_address(learner, provider_id):
    for address in ("", "request/", "callback", "callback/"):
        assert learner.post(f"{PROVIDERS}{provider_id}/{address}").status_code == 404
