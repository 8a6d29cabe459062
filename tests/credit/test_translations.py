"""The eligibility mail and the learners' pages speak Spanish and Arabic: all of it, and what was meant."""

import re

import pytest
from django.utils import translation

from credit.choices import RequestStatus
from credit.email_utils import make_providers_strings
from credit.learner_pages.requirements import percent
from credit.learner_pages.shapes import Badge, Card, Rank, Requirement
from tests.credit.catalogues import (
    ROOT,
    Text,
    forms,
    placeholders,
    read_mo,
    read_po,
    texts_of_code,
    texts_of_template,
)

pytestmark = pytest.mark.rule("credit.translations")

LANGUAGES = {"es": 3, "ar": 6}
"""How many forms a counted thing has."""
CODE = [ROOT / "email_utils.py", ROOT / "mail_parts.py", *sorted((ROOT / "learner_pages").rglob("*.py"))]
TEMPLATES = sorted(
    path for folder in ("email", "learner") for path in (ROOT / "templates" / "credit" / folder).glob("*.*")
)
FORMS_FOR_ONE_NUMBER = 3
"""Arabic's forms for none, one and two may say the number in words."""


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    found = [text for path in CODE for text in texts_of_code(path)]
    found += [text for path in TEMPLATES for text in texts_of_template(path)]
    return [*found, *texts_of_code(ROOT / "choices.py", only_class="RequestStatus")]


@pytest.fixture(params=LANGUAGES)
def language(request) -> str:
    return request.param


@pytest.fixture
def catalogue(language) -> dict[str, str | list[str]]:
    return read_po(ROOT / "locale" / language / "LC_MESSAGES" / "django.po")


def test_the_texts_are_found(texts):
    assert len({text.key for text in texts}) > 90
    assert Text(", ", context="between names in a list") in texts
    assert Text("Pending") in texts
    assert Text("Hello %(full_name)s,") in texts
    assert Text("{met} of {total} requirement met", "{met} of {total} requirements met") in texts


def test_every_text_is_translated_and_no_other(texts, catalogue):
    assert sorted({text.key for text in texts}) == sorted(catalogue.keys() - {""})
    assert [key for key, entry in catalogue.items() if not all([entry] if isinstance(entry, str) else entry)] == []


def test_counted_things_have_all_forms(texts, catalogue, language):
    for text in texts:
        entry = catalogue[text.key]
        assert isinstance(entry, list) == (text.plural is not None), text
        assert isinstance(entry, str) or len(entry) == LANGUAGES[language], text


def test_placeholders_and_elements_stay(texts, catalogue, language):
    for text in texts:
        for number, (original, translated) in enumerate(forms(text, catalogue[text.key])):
            wanted, given = placeholders(original), placeholders(translated)
            if text.plural and language == "ar" and number < FORMS_FOR_ONE_NUMBER:
                assert set(given) <= set(wanted), translated
            else:
                assert given == wanted, translated


def test_nothing_is_left_in_english(texts, catalogue, language):
    same = {text.singular for text in texts if catalogue[text.key] == text.singular}
    assert same <= {"{number}%", ", "}
    if language == "ar":
        latin = re.compile(r"[A-Za-z]{2,}")
        for entry in (entry for key, entry in catalogue.items() if key):
            for translated in [entry] if isinstance(entry, str) else entry:
                assert not latin.search(re.sub(r"%\(\w+\)s|\{\w+\}|</?bdi>", "", translated)), translated


def test_what_is_compiled_is_what_was_written(catalogue, language):
    assert read_mo(ROOT / "locale" / language / "LC_MESSAGES" / "django.mo") == catalogue


@pytest.mark.parametrize(
    ("language", "names", "listed"),
    [
        pytest.param("es", ["A", "B"], "A y B", id="Spanish, two"),
        pytest.param("es", ["A", "B", "C"], "A, B y C", id="Spanish, three"),
        pytest.param("ar", ["أ", "ب"], "أ وب", id="Arabic, two"),
        pytest.param("ar", ["أ", "ب", "ج"], "أ، ب، وج", id="Arabic, three"),
    ],
)
def test_names_are_listed_as_people_do(language, names, listed):
    with translation.override(language):
        assert make_providers_strings(names) == listed


def card(met, total):
    done = [
        Requirement(title="", condition="", badge=Badge("", ""), note="", moment=None, is_met=number < met)
        for number in range(total)
    ]
    return Card(
        name="", key="", badge=Badge("", ""), message="", deadline=None, requirements=done, requests=[], rank=Rank.OVER
    )


@pytest.mark.parametrize(
    ("language", "total", "shown"),
    [
        ("en", 1, "1 of 1 requirement met"),
        ("en", 2, "1 of 2 requirements met"),
        ("es", 1, "1 de 1 requisito cumplido"),
        ("es", 2, "1 de 2 requisitos cumplidos"),
        ("ar", 1, "استُوفي 1 من أصل شرط واحد"),
        ("ar", 2, "استُوفي 1 من أصل شرطين"),
        ("ar", 3, "استُوفي 1 من أصل 3 شروط"),
        ("ar", 11, "استُوفي 1 من أصل 11 شرطًا"),
        ("ar", 100, "استُوفي 1 من أصل 100 شرط"),
    ],
)
def test_requirements_are_counted_as_people_do(language, total, shown):
    with translation.override(language):
        assert card(1, total).progress == shown


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "55.5%"), ("es", "55,5 %"), ("ar", "55,5%")], ids=["English", "Spanish", "Arabic"]
)
def test_percentages_are_written_as_people_do(language, shown):
    with translation.override(language):
        assert percent(0.555) == shown


def test_labels_of_requests_are_translated():
    with translation.override("es"):
        assert [str(status.label) for status in RequestStatus] == ["Pendiente", "Aprobada", "Rechazada"]
