"""Which texts are course keys."""

import pytest
from opaque_keys.edx.keys import CourseKey

from enrollment.errors import InvalidCourseKeyError
from enrollment.keys import course_id_of, parse_course_key


@pytest.mark.rule("enrollment.course_key")
@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("course-v1:edX+DemoX+2026_T1", ("edX", "DemoX", "2026_T1"), id="current"),
        pytest.param("course-v1:e-d.X~+Dé:mo+2026", ("e-d.X~", "Dé:mo", "2026"), id="every kind of character"),
        pytest.param("edX/DemoX/2014T2", ("edX", "DemoX", "2014T2"), id="legacy"),
        pytest.param("e.d%X/De-moX/2014_T2", ("e.d%X", "De-moX", "2014_T2"), id="every kind of legacy character"),
    ],
)
def test_course_key_has_parts_and_round_trips(text, parts):
    key = parse_course_key(text)

    assert (key.org, key.course, key.run) == parts
    assert str(key) == text
    assert parse_course_key(key) == key
    assert course_id_of(CourseKey.from_string(text)) == text


@pytest.mark.rule("enrollment.course_key")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("1", id="number as text"),
        pytest.param("invalidcourse", id="word"),
        pytest.param("", id="nothing"),
        pytest.param("course-v1:org+course", id="no run"),
        pytest.param("course-v1:org+course+", id="empty run"),
        pytest.param("course-v1:org++run", id="empty course"),
        pytest.param("course-v1:org+course+run+branch@draft", id="branch"),
        pytest.param("a+b+c", id="no prefix"),
        pytest.param("course-v1:edX+DemoX+2026_T1\n", id="newline at the end"),
        pytest.param("edX/DemoX/2014T2\n", id="newline at the end of a legacy key"),
        pytest.param("course-v1:edX+Demo X+2026", id="space"),
        pytest.param("course-v1:edX+Demo\0+2026", id="NUL"),
        pytest.param("course-v1:edX+\ud800+2026", id="lone surrogate"),
        pytest.param("edX/DemoX", id="one slash"),
        pytest.param("edX/DemoX/2014/T2", id="three slashes"),
        pytest.param("library-v1:edX+lib", id="library"),
        pytest.param("course-v1:edX+DemoX+" + "x" * 240, id="longer than the column"),
        pytest.param(1, id="number"),
        pytest.param(None, id="none"),
        pytest.param(b"course-v1:edX+DemoX+2026_T1", id="bytes"),
        pytest.param(["course-v1:edX+DemoX+2026_T1"], id="list"),
    ],
)
def test_anything_else_is_refused(value):
    with pytest.raises(InvalidCourseKeyError) as refusal:
        parse_course_key(value)
    assert isinstance(refusal.value, ValueError)
