"""Files that are sent to be applied row by row: each that cannot be read is refused as a whole, and told why."""

import json
from io import BytesIO

import pytest

from enrollment.errors import UnreadableJobFile
from enrollment.jobs.reading import LONGEST_RECORD, open_rows

KNOWN = ("username", "course_id", "attributes")
pytestmark = pytest.mark.rule("enrollment.jobs.files")


def rows(content, input_format="csv"):
    octets = content if isinstance(content, bytes) else content.encode()
    return list(open_rows(BytesIO(octets), input_format, KNOWN).rows())


def values(content, input_format="csv"):
    return [(row.number, row.line, dict(row.values)) for row, _place in rows(content, input_format)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("username,course_id\nron,c\n", id="plain"),
        pytest.param("username,course_id\r\nron,c\r\n", id="Windows"),
        pytest.param("username,course_id\nron,c", id="no line end at the end"),
        pytest.param("\ufeffusername,course_id\nron,c\n", id="byte order mark"),
        pytest.param("username;course_id\nron;c\n", id="semicolons"),
        pytest.param("username\tcourse_id\nron\tc\n", id="tabs"),
        pytest.param(' Username ,"COURSE_ID"\n"ron",c\n', id="quotes, case and spaces in the header"),
        pytest.param("username,course_id\nron,c\n\n , \n,\n", id="blank lines"),
    ],
)
def test_tables_are_read_as_spreadsheets_write_them(content):
    assert values(content) == [(1, 2, {"username": "ron", "course_id": "c"})]


def test_cells_may_have_lines_quotes_and_any_script():
    content = 'username,course_id\n"r\no""n",c\n李,д\n'
    assert values(content) == [
        (1, 2, {"username": 'r\no"n', "course_id": "c"}),
        (2, 4, {"username": "李", "course_id": "д"}),
    ]


def test_a_quote_in_the_middle_of_a_cell_is_a_quote():
    assert values('username,course_id\nr"on,c\n') == [(1, 2, {"username": 'r"on', "course_id": "c"})]


def test_the_guard_of_our_own_files_is_taken_off():
    assert values("username,course_id\n'-ron,'=1+1\n") == [(1, 2, {"username": "-ron", "course_id": "=1+1"})]


def test_objects_are_read_line_by_line():
    content = '{"username": "ron", "attributes": [{"name": "n"}]}\n\n{"course_id": null}\n'
    assert values(content, "jsonl") == [
        (1, 1, {"username": "ron", "attributes": [{"name": "n"}]}),
        (2, 3, {"course_id": None}),
    ]


@pytest.mark.parametrize("input_format", ["csv", "jsonl"])
def test_reading_goes_on_from_any_place(input_format):
    lines = [{"username": f"r\n{number}" * number, "course_id": "д"} for number in range(1, 30)]
    if input_format == "csv":
        content = "\ufeff\nusername,course_id\r\n\n" + "".join(
            f'"{line["username"]}",{line["course_id"]}\n' for line in lines
        )
    else:
        content = "\ufeff\n" + "".join(f"{json.dumps(line)}\n \n" for line in lines)
    file = open_rows(BytesIO(content.encode()), input_format, KNOWN)
    whole = list(file.rows())
    assert [dict(row.values) for row, _ in whole] == lines
    for number, (_row, place) in enumerate(whole, start=1):
        assert list(file.rows(after=place)) == whole[number:]
    assert list(file.rows()) == whole


TOO_LONG = "x" * 10 * 2**20


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("", "The file is empty.", id="empty"),
        pytest.param("\n\n \n", "The file is empty.", id="blank"),
        pytest.param(
            "ron,c\nhermione,c\n", "Line 1 names unknown columns: “ron”, “c”. There are: attr", id="no header"
        ),
        pytest.param("username,course\nron,c\n", "Line 1 names unknown columns: “course”.", id="unknown column"),
        pytest.param("username,\nron,c\n", "Line 1 names unknown columns: “”.", id="column without a name"),
        pytest.param("username,Username\nron,c\n", "Line 1 names columns twice: username.", id="column twice"),
        pytest.param("username,course_id\nron\n", "Line 2 has 1 cells instead of 2.", id="too few cells"),
        pytest.param("username,course_id\n\nron,c,d\n", "Line 3 has 3 cells instead of 2.", id="too many cells"),
        pytest.param(b"username,course_id\n\xff,c\n", "Line 2 is not in UTF-8; save", id="Latin-1"),
        pytest.param("username,course_id\nron,c\n".encode("utf-16"), "The file is in UTF-16; save", id="UTF-16"),
        pytest.param(b"PK\x03\x04...\n", "This is no text file; export", id="a spreadsheet"),
        pytest.param("username,course_id\nron,\0\n", "Line 2 has NUL characters", id="NUL"),
        pytest.param("user\0name,course_id\n", "Line 1 has NUL characters", id="NUL in the header"),
        pytest.param('username,course_id\nron,"c\nx,y\n', "Line 2 is no CSV: unexpected end", id="quote never closed"),
        pytest.param('username,course_id\nron,"c"d\n', "Line 2 is no CSV:", id="text behind a quote"),
        pytest.param('username,"course_id\nron,c\n', "Line 1 has to name the columns, but", id="quote in the header"),
        pytest.param("username,course_id\rron,c\r", "Line 1", id="line ends of another age"),
        pytest.param(f"username,course_id\nron,c\nron,{TOO_LONG}\n", "Line 3: a row is longer than", id="a huge cell"),
        pytest.param(f"{TOO_LONG}\n", "Line 1: a row is longer than 128 KB.", id="a huge header"),
        pytest.param(
            'username,course_id\nron,"c\n' + "x,y\n" * LONGEST_RECORD, "a row is longer than 128 KB. Is a quote", id="x"
        ),
    ],
)
def test_tables_that_cannot_be_read(content, told):
    with pytest.raises(UnreadableJobFile) as caught:
        rows(content)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("[]\n", "Line 1 is no JSON object.", id="list"),
        pytest.param('\n"text"\n', "Line 2 is no JSON object.", id="text"),
        pytest.param("{}\nusername,course_id\n", "Line 2 is no JSON: Expecting value.", id="a table"),
        pytest.param('{"username": "r\non"}\n', "Line 1 is no JSON: ", id="over two lines"),
        pytest.param('{"user": 1}\n', "Line 1 names unknown members: “user”. There are: attributes", id="unknown"),
        pytest.param('{"username": 1, "username": 2}\n', "Line 1 has a member twice.", id="twice"),
        pytest.param('{"username": "\\u0000"}\n', "Line 1 has what cannot be stored", id="NUL"),
        pytest.param('{"username": "\\ud800"}\n', "Line 1 has what cannot be stored", id="half a character"),
        pytest.param('{"attributes": [{"\\u0000": 1}]}\n', "Line 1 has what cannot be stored", id="NUL in a name"),
        pytest.param('{"username": NaN}\n', "Line 1 has what cannot be stored", id="no number"),
        pytest.param('{"username": 1e999}\n', "Line 1 has what cannot be stored", id="endless number"),
        pytest.param('{"username": ' + "9" * 5000 + "}\n", "Line 1 has what cannot be stored", id="long number"),
        pytest.param('{"username": ' + "[" * 50 + "]" * 50 + "}\n", "Line 1 has what cannot be stored", id="deep"),
        pytest.param('{"username": ' + "[" * 60000 + "}\n", "Line 1 ", id="deeper than Python goes"),
        pytest.param('{"username": "' + TOO_LONG + '"}\n', "Line 1: a row is longer than", id="a huge member"),
    ],
)
def test_objects_that_cannot_be_read(content, told):
    with pytest.raises(UnreadableJobFile) as caught:
        rows(content, "jsonl")
    assert told in str(caught.value)
