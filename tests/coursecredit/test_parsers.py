"""Bodies: either data that every database can store, or a 400."""

import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from coursecredit.parsers import MAX_DEPTH, PARSERS, StrictJSONParser, refuse_unstorable

factory = APIRequestFactory()

STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
UNSTORABLE = st.builds("{}{}{}".format, STORABLE, st.one_of(st.just("\0"), st.characters(categories=["Cs"])), STORABLE)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | STORABLE
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STORABLE, inner, max_size=4), max_leaves=20
)


def parse_json(body: bytes):
    return StrictJSONParser().parse(io.BytesIO(body), "application/json", {})


def parse(body: bytes | str, content_type: str):
    return Request(factory.generic("POST", "/", body, content_type=content_type), parsers=[p() for p in PARSERS]).data


def multipart(name: str, value: str) -> tuple[str, str]:
    disposition = f'Content-Disposition: form-data; name="{name}"'
    return f"--edge\r\n{disposition}\r\n\r\n{value}\r\n--edge--\r\n", "multipart/form-data; boundary=edge"


@st.composite
def planted(draw: st.DrawFn, bad: st.SearchStrategy[object]) -> object:
    """Draw a document that holds a bad value somewhere: as an item, a value or a key."""
    document: object = draw(bad)
    for _ in range(draw(st.integers(0, 5))):
        if isinstance(document, str) and draw(st.booleans()):
            document = {document: draw(SCALARS)}
        elif draw(st.booleans()):
            document = {draw(STORABLE): document}
        else:
            document = [*draw(st.lists(DOCUMENTS, max_size=2)), document]
    return document


@given(DOCUMENTS)
def test_what_every_database_can_store_is_read_as_it_is(document):
    assert parse_json(json.dumps(document).encode()) == document


@given(planted(UNSTORABLE))
def test_text_that_no_database_can_store_is_refused_wherever_it_stands(document):
    with pytest.raises(ParseError, match="not allowed in the body"):
        parse_json(json.dumps(document).encode())


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5000])
def test_numbers_are_finite(number):
    with pytest.raises(ParseError):
        parse_json(f'{{"a": [{number}]}}'.encode())


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_bodies_nest_only_so_deep(opening, closing):
    def nested(depth: int) -> bytes:
        return (opening * (depth - 1) + "1" + closing * (depth - 1)).encode()

    parse_json(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(ParseError, match="nested"):
            parse_json(nested(depth))


@given(st.binary())
def test_any_bytes_are_data_or_a_bad_request(body):
    with suppress(ParseError):
        refuse_unstorable(parse_json(body))


def test_a_form_is_read_as_it_is():
    assert parse("name=Ron+Weasley&name=Ed+Xav%C3%ADer", "application/x-www-form-urlencoded").getlist("name") == [
        "Ron Weasley",
        "Ed Xavíer",
    ]


@pytest.mark.parametrize("body", ["name=a%00b", "a%00b=name", "name=ok&name=%00"])
def test_a_form_holds_no_nul(body):
    with pytest.raises(ParseError, match="NUL"):
        parse(body, "application/x-www-form-urlencoded")


def test_a_multipart_form_is_read_as_it_is():
    assert parse(*multipart("name", "Ed Xavíer")).dict() == {"name": "Ed Xavíer"}


@pytest.mark.parametrize(("name", "value"), [("name", "a\0b"), ("a\0b", "name")])
def test_a_multipart_form_holds_no_nul(name, value):
    with pytest.raises(ParseError, match="NUL"):
        parse(*multipart(name, value))


@given(st.binary(), st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=edge"]))
def test_any_bytes_are_a_form_or_a_bad_request(body, content_type):
    with suppress(ParseError):
        refuse_unstorable(dict(parse(body, content_type).lists()))
