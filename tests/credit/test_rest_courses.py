"""Courses over REST: what staff see and change (credit contract 5.1)."""

import pytest
from django.core.exceptions import ValidationError
from django.db.models.signals import pre_save

from credit.models import CreditCourse
from tests.credit.factories import CreditCourseFactory
from tests.credit.rest import KEYS_OF_OTHER_THINGS, staff_client

pytestmark = pytest.mark.django_db

COURSES = "/api/credit/v1/courses/"
KEY = "course-v1:HogwartsX+Potions101+1T2026"
LEGACY_KEY = "HogwartsX/Potions101/1T2015"
BOTH_FORMS = pytest.mark.parametrize("key", [KEY, LEGACY_KEY])

NO_COURSE = {"detail": "There is no credit course with this key.", "code": "credit_course_not_found"}


@pytest.fixture
def staff():
    return staff_client()


def rows():
    return {str(course.course_key): course.enabled for course in CreditCourse.objects.all()}


def test_list_shows_every_course_by_key(staff):
    CreditCourseFactory(course_key=KEY, enabled=False)
    CreditCourseFactory(course_key=LEGACY_KEY, enabled=True)

    response = staff.get(COURSES)

    assert response.status_code == 200
    assert response.json() == [
        {"course_key": LEGACY_KEY, "enabled": True},
        {"course_key": KEY, "enabled": False},
    ]


@BOTH_FORMS
def test_detail_shows_a_course(staff, key):
    CreditCourseFactory(course_key=key, enabled=False)

    response = staff.get(f"{COURSES}{key}/")

    assert response.status_code == 200
    assert response.json() == {"course_key": key, "enabled": False}


@pytest.mark.rule("D12")
@pytest.mark.rule("D14")
@pytest.mark.parametrize("method", ["get", "patch"])
@pytest.mark.parametrize("key", [KEY, LEGACY_KEY, "a+b+c", "a/b+c", "course-v1:a+b+c d", "ä/ö/ü"])
def test_unknown_courses_and_what_is_no_key_are_not_found(staff, method, key):
    response = getattr(staff, method)(f"{COURSES}{key}/", {"course_key": KEY})

    assert response.status_code == 404
    assert response.json() == NO_COURSE
    assert rows() == {}


@pytest.mark.parametrize("key", KEYS_OF_OTHER_THINGS.values(), ids=KEYS_OF_OTHER_THINGS)
def test_keys_of_parts_and_drafts_of_a_course_are_not_its_address(staff, key):
    CreditCourseFactory(course_key=KEY)
    assert staff.get(f"{COURSES}{key}/").status_code == 404


def test_put_finds_no_course_at_an_address_that_is_no_key(staff):
    response = staff.put(f"{COURSES}a+b+c/", {"course_key": "a+b+c"})

    assert response.status_code == 404
    assert response.json() == NO_COURSE


@BOTH_FORMS
@pytest.mark.parametrize(
    ("given", "enabled"),
    [
        ({}, False),
        ({"enabled": False}, False),
        ({"enabled": True}, True),
        ({"enabled": "true"}, True),
        ({"id": 7}, False),
    ],
)
@pytest.mark.parametrize("form", ["json", "multipart"])
def test_post_adds_a_course(staff, key, given, enabled, form):
    response = staff.post(COURSES, {"course_key": key, **given}, format=form)

    assert response.status_code == 201
    assert response.json() == {"course_key": key, "enabled": enabled}
    assert rows() == {key: enabled}


BAD_KEYS = [
    pytest.param({}, "This field is required.", id="missing"),
    pytest.param({"course_key": None}, "This field may not be null.", id="null"),
    pytest.param({"course_key": ""}, "[] is not a valid course key.", id="empty"),
    pytest.param({"course_key": "a+b+c"}, "[a+b+c] is not a valid course key.", id="unparsable"),
    pytest.param({"course_key": 7}, "[7] is not a valid course key.", id="number"),
    pytest.param({"course_key": True}, "[True] is not a valid course key.", id="truth value"),
    pytest.param({"course_key": [KEY]}, f"[['{KEY}']] is not a valid course key.", id="list"),
    pytest.param({"course_key": {"key": KEY}}, f"[{{'key': '{KEY}'}}] is not a valid course key.", id="object"),
    pytest.param(
        {"course_key": "library-v1:HogwartsX+Lib"},
        "[library-v1:HogwartsX+Lib] is not the key of a course.",
        id="library",
        marks=pytest.mark.rule("D15"),
    ),
    pytest.param({"course_key": KEY + "x" * 255}, "A course key has at most 255 characters.", id="too long"),
    *[
        pytest.param({"course_key": key}, f"[{key}] is not a valid course key.", id=label)
        for label, key in KEYS_OF_OTHER_THINGS.items()
    ],
    pytest.param({"course_key": f"{KEY}\n"}, f"[{KEY}\n] is not a valid course key.", id="line feed"),
]


@pytest.mark.rule("D12")
@pytest.mark.parametrize(("body", "error"), BAD_KEYS)
def test_post_refuses_what_is_no_course_key(staff, body, error):
    response = staff.post(COURSES, body)

    assert response.status_code == 400
    assert response.json() == {"course_key": [error]}
    assert rows() == {}


@pytest.mark.rule("D12")
@BOTH_FORMS
def test_post_refuses_a_key_that_exists(staff, key):
    CreditCourseFactory(course_key=key, enabled=False)

    response = staff.post(COURSES, {"course_key": key, "enabled": True})

    assert response.status_code == 400
    assert response.json() == {"course_key": ["There is a credit course with this key already."]}
    assert rows() == {key: False}


@pytest.mark.parametrize(
    ("enabled", "error"),
    [(None, "This field may not be null."), *[(value, "Must be a valid boolean.") for value in ("maybe", 2, [], {})]],
)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_enabled_is_a_truth_value(staff, method, enabled, error):
    CreditCourseFactory(course_key=KEY, enabled=False)
    address = COURSES if method == "post" else f"{COURSES}{KEY}/"

    response = getattr(staff, method)(address, {"course_key": KEY, "enabled": enabled})

    assert response.status_code == 400
    assert response.json() == {"enabled": [error]}
    assert rows() == {KEY: False}


@BOTH_FORMS
@pytest.mark.parametrize("body", [{"enabled": True}, {"enabled": False}, {}])
def test_put_adds_an_absent_course(staff, key, body):
    response = staff.put(f"{COURSES}{key}/", {"course_key": key, **body})

    assert response.status_code == 201
    assert response.json() == {"course_key": key, "enabled": body.get("enabled", False)}
    assert rows() == {key: body.get("enabled", False)}


@BOTH_FORMS
@pytest.mark.parametrize(
    ("form", "body", "enabled"),
    [
        pytest.param("json", {"enabled": False}, False, id="switched off"),
        pytest.param("json", {"enabled": True}, True, id="left on"),
        pytest.param("json", {}, True, id="what JSON omits stays"),
        pytest.param("multipart", {}, False, id="what a form omits is off"),
        pytest.param("multipart", {"enabled": "true"}, True, id="a form says it"),
    ],
)
def test_put_writes_a_course(staff, key, form, body, enabled):
    CreditCourseFactory(course_key=key, enabled=True)

    response = staff.put(f"{COURSES}{key}/", {"course_key": key, **body}, format=form)

    assert response.status_code == 200
    assert response.json() == {"course_key": key, "enabled": enabled}
    assert rows() == {key: enabled}


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(("body", "error"), BAD_KEYS)
def test_put_needs_the_key_in_its_body(staff, exists, body, error):
    if exists:
        CreditCourseFactory(course_key=KEY, enabled=False)
    before = rows()

    response = staff.put(f"{COURSES}{KEY}/", {**body, "enabled": True})

    assert response.status_code == 400
    assert response.json() == {"course_key": [error]}
    assert rows() == before


@pytest.mark.rule("D13")
@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("other", [LEGACY_KEY, KEY.lower()])
def test_put_refuses_another_key_than_that_of_the_address(staff, exists, other):
    if exists:
        CreditCourseFactory(course_key=KEY, enabled=False)
    before = rows()

    response = staff.put(f"{COURSES}{KEY}/", {"course_key": other, "enabled": True})

    assert response.status_code == 400
    assert response.json() == {"course_key": [f"The address names another course: [{KEY}]."]}
    assert rows() == before


def test_put_shows_what_the_model_refuses(staff):
    def refuse(**kwargs):
        raise ValidationError(["Potions is full.", "Try Herbology."])

    pre_save.connect(refuse, sender=CreditCourse)
    try:
        response = staff.put(f"{COURSES}{KEY}/", {"course_key": KEY})
    finally:
        pre_save.disconnect(refuse, sender=CreditCourse)

    assert response.status_code == 400
    assert response.json() == ["Potions is full.", "Try Herbology."]
    assert rows() == {}


@BOTH_FORMS
@pytest.mark.parametrize("form", ["json", "multipart"])
@pytest.mark.parametrize(
    ("body", "enabled"),
    [({}, True), ({"enabled": False}, False), ({"enabled": True}, True)],
)
def test_patch_changes_what_it_names(staff, key, form, body, enabled):
    CreditCourseFactory(course_key=key, enabled=True)

    for named in ({}, {"course_key": key}):
        response = staff.patch(f"{COURSES}{key}/", {**named, **body}, format=form)

        assert response.status_code == 200
        assert response.json() == {"course_key": key, "enabled": enabled}
        assert rows() == {key: enabled}


def test_patch_renames_no_course(staff):
    CreditCourseFactory(course_key=KEY, enabled=False)

    response = staff.patch(f"{COURSES}{KEY}/", {"course_key": LEGACY_KEY, "enabled": True})

    assert response.status_code == 400
    assert response.json() == {"course_key": [f"The address names another course: [{KEY}]."]}
    assert rows() == {KEY: False}


def test_nothing_is_deleted(staff):
    CreditCourseFactory(course_key=KEY)

    response = staff.delete(f"{COURSES}{KEY}/")

    assert response.status_code == 405
    assert response.json() == {"detail": 'Method "DELETE" not allowed.', "code": "method_not_allowed"}
    assert rows() == {KEY: True}


@pytest.mark.parametrize(
    "address",
    [f"{COURSES}a+b/", f"{COURSES}course-v1:HogwartsX/", f"{COURSES}library-v1:HogwartsX+Lib/", f"{COURSES}a/b/c/d/"],
)
def test_other_addresses_do_not_exist(staff, address):
    assert staff.get(address).status_code == 404
