"""Which modes a course offers, and which is taken when nobody names one."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from coursecredit.request_cache import request_scope
from enrollment.choices import (
    ALL_MODES,
    AUDIT_MODES,
    CREDIT_ELIGIBLE_MODES,
    NON_VERIFIED_MODES,
    PROFESSIONAL_MODES,
    SELF_SERVICE_MODES,
    VERIFIED_MODES,
)
from enrollment.modes import (
    Mode,
    all_and_unexpired_modes_for_courses,
    default_mode,
    mode_if_none_named,
    modes_for_course,
)
from tests.enrollment.factories import CourseFactory, CourseModeFactory
from tests.support import statements

AUDIT = Mode("audit", "Audit", 0, "", "usd", None, None, None, None, None, None)
YESTERDAY = timezone.now() - timedelta(days=1)
TOMORROW = timezone.now() + timedelta(days=1)


def course_offering(*slugs, expired=()):
    course = CourseFactory()
    for slug in slugs:
        CourseModeFactory(course=course, mode_slug=slug)
    for slug in expired:
        CourseModeFactory(course=course, mode_slug=slug, expiration_datetime=YESTERDAY)
    return course


def slugs_of(modes):
    return [mode.slug for mode in modes]


def test_groups_of_modes():
    assert len(ALL_MODES) == 12
    assert {"audit", "honor", "unpaid-executive-education", "unpaid-bootcamp"} == AUDIT_MODES
    assert {"honor", "audit", "no-id-professional"} == NON_VERIFIED_MODES
    assert {"professional", "no-id-professional"} == PROFESSIONAL_MODES
    assert {"audit", "honor"} == SELF_SERVICE_MODES
    assert VERIFIED_MODES - CREDIT_ELIGIBLE_MODES == {"masters"}
    assert CREDIT_ELIGIBLE_MODES - VERIFIED_MODES == {"no-id-professional"}
    assert all(type(slug) is str or slug == slug.value for slug in ALL_MODES | VERIFIED_MODES)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("slugs", "expired", "options", "offered"),
    [
        pytest.param([], [], {}, ["audit"], id="no modes: the default"),
        pytest.param(["verified", "audit"], [], {}, ["verified", "audit"], id="by insertion"),
        pytest.param(["audit"], ["verified"], {}, ["audit"], id="expired ones are left out"),
        pytest.param(["audit"], ["verified"], {"include_expired": True}, ["audit", "verified"], id="unless asked for"),
        pytest.param([], ["verified"], {}, ["audit"], id="all expired: the default"),
        pytest.param(["credit", "honor"], [], {}, ["honor"], id="credit cannot be selected"),
        pytest.param(["credit"], [], {}, ["audit"], id="credit alone: the default"),
        pytest.param(
            ["credit", "honor"], [], {"only_selectable": False}, ["credit", "honor"], id="unless asked for it"
        ),
    ],
)
def test_modes_for_course(slugs, expired, options, offered):
    course = course_offering(*slugs, expired=expired)
    assert slugs_of(modes_for_course(course.id, **options)) == offered


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("slugs", "expired", "offered"), [([], [], ["audit"]), ([], ["verified"], []), (["credit"], [], [])]
)
def test_default_mode_may_be_kept_for_courses_without_any(settings, slugs, expired, offered):
    settings.ENROLLMENT_DEFAULT_MODE_WHEN_ALL_EXPIRED = False
    course = course_offering(*slugs, expired=expired)
    assert slugs_of(modes_for_course(course.id)) == offered


@pytest.mark.django_db
def test_mode_is_open_at_its_last_moment(time_machine):
    moment = timezone.now().replace(microsecond=0)
    mode = CourseModeFactory(mode_slug="verified", expiration_datetime=moment)

    time_machine.move_to(moment, tick=False)
    assert slugs_of(modes_for_course(mode.course_id)) == ["verified"]
    time_machine.move_to(moment + timedelta(microseconds=1), tick=False)
    assert slugs_of(modes_for_course(mode.course_id)) == ["audit"]


def test_default_mode_comes_from_settings(settings):
    assert default_mode() == AUDIT
    settings.COURSE_MODE_DEFAULTS = {"slug": "honor", "name": "Honor"}
    assert default_mode() == AUDIT._replace(slug="honor", name="Honor")


@pytest.mark.parametrize(
    ("default", "available", "chosen"),
    [
        pytest.param("honor", {"honor", "audit"}, "honor", id="the default first"),
        pytest.param("honor", {"audit", "verified"}, "audit", id="then audit"),
        pytest.param("audit", {"honor", "verified"}, "honor", id="then honor"),
        pytest.param("audit", {"verified", "professional"}, "audit", id="never a paid one"),
        pytest.param("audit", set(), "audit", id="none offered"),
    ],
)
def test_mode_for_somebody_who_names_none(settings, default, available, chosen):
    settings.COURSE_MODE_DEFAULTS = {"slug": default}
    assert mode_if_none_named(available) == chosen


@pytest.mark.django_db(transaction=True)  # a transaction that changed a mode remembers nothing
def test_one_request_asks_once_until_a_mode_changes():
    course = course_offering("audit")
    with request_scope():
        modes_for_course(course.id)
        with statements() as run:
            modes_for_course(course.id).clear()
            assert slugs_of(modes_for_course(course.id)) == ["audit"]
        assert len(run) == 0, run

        added = CourseModeFactory(course=course, mode_slug="honor")
        assert slugs_of(modes_for_course(course.id)) == ["audit", "honor"]
        added.delete()
        assert slugs_of(modes_for_course(course.id)) == ["audit"]


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_not_remembered():
    course = course_offering("audit")

    @transaction.atomic
    def add_and_fail():
        CourseModeFactory(course=course, mode_slug="honor")
        assert slugs_of(modes_for_course(course.id)) == ["audit", "honor"]
        raise RuntimeError

    with request_scope():
        with pytest.raises(RuntimeError):
            add_and_fail()
        assert slugs_of(modes_for_course(course.id)) == ["audit"]


@pytest.mark.django_db
def test_modes_of_many_courses_in_one_statement():
    bare, mixed, expired = (
        CourseFactory(),
        course_offering("audit", expired=["verified"]),
        course_offering(expired=["honor"]),
    )

    with statements() as run:
        every, unexpired = all_and_unexpired_modes_for_courses([bare.id, mixed.id, expired.id])

    assert len(run) == 1, run
    assert {key: slugs_of(modes) for key, modes in every.items()} == {
        bare.id: ["audit"],
        mixed.id: ["audit", "verified"],
        expired.id: ["honor"],
    }
    assert {key: slugs_of(modes) for key, modes in unexpired.items()} == {
        bare.id: ["audit"],
        mixed.id: ["audit"],
        expired.id: [],
    }
