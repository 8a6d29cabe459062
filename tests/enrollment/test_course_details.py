"""Course details: what they hold, how long the cache may answer for them, and what happens when it cannot."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.db import transaction
from django.utils import timezone

from enrollment import api
from enrollment.errors import CourseNotFoundError
from enrollment.models import Course
from tests.enrollment.factories import CourseFactory, CourseModeFactory
from tests.support import statements

pytestmark = pytest.mark.django_db(transaction=True)  # a transaction that changed a course bypasses the cache

COURSE = "course-v1:edX+DemoX+2026"


class SilentCache(LocMemCache):
    """A cache whose server does not answer."""

    def get(self, *args, **kwargs):
        raise ConnectionError("cache is down")

    set = add = delete = get


class ReadOnlyCache(LocMemCache):
    """A cache that is full."""

    def set(self, *args, **kwargs):
        raise ConnectionError("cache is full")

    add = delete = set


def slugs_of(details):
    return [mode["slug"] for mode in details["course_modes"]]


def test_details_list_unexpired_modes_or_all():
    course = CourseFactory(id=COURSE, display_name="Demonstration", invitation_only=True, self_paced=True)
    for slug in ("audit", "credit"):
        CourseModeFactory(course=course, mode_slug=slug)
    CourseModeFactory(course=course, mode_slug="honor", expiration_datetime=timezone.now() - timedelta(days=1))

    details = api.get_course_enrollment_details(COURSE)

    assert {name: value for name, value in details.items() if name != "course_modes"} == {
        "course_id": COURSE,
        "course_name": "Demonstration",
        "enrollment_start": None,
        "enrollment_end": None,
        "course_start": None,
        "course_end": None,
        "invite_only": True,
        "pacing_type": "Self Paced",
    }
    assert slugs_of(details) == ["audit", "credit"]
    assert slugs_of(api.get_course_enrollment_details(COURSE, include_expired=True)) == ["audit", "credit", "honor"]


def test_course_without_modes_offers_the_default():
    assert slugs_of(api.get_course_enrollment_details(CourseFactory().id)) == ["audit"]


@pytest.mark.rule("enrollment.details.cache")
def test_cache_answers_until_the_time_is_up(settings, time_machine):
    settings.ENROLLMENT_COURSE_DETAILS_CACHE_TIMEOUT = 30
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}  # lives by our clock
    CourseFactory(id=COURSE)
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    first = api.get_course_enrollment_details(COURSE)
    Course.objects.all()._raw_delete("default")  # the backend loses the course, and nobody is told

    with statements() as run:
        assert api.get_course_enrollment_details(COURSE) == first
    assert len(run) == 0, run
    time_machine.move_to(now + timedelta(seconds=31), tick=False)
    with pytest.raises(CourseNotFoundError):
        api.get_course_enrollment_details(COURSE)


def test_unknown_course_is_not_remembered():
    with pytest.raises(CourseNotFoundError):
        api.get_course_enrollment_details(COURSE)
    CourseFactory(id=COURSE)
    assert api.get_course_enrollment_details(COURSE)["course_id"] == COURSE


@pytest.mark.rule("enrollment.details.cache")
class TestChange:
    def test_of_course_or_mode_ends_what_is_cached(self):
        course = CourseFactory(id=COURSE, display_name="Old")
        assert slugs_of(api.get_course_enrollment_details(COURSE, include_expired=True)) == ["audit"]

        mode = CourseModeFactory(course=course, mode_slug="honor")
        assert slugs_of(api.get_course_enrollment_details(COURSE, include_expired=True)) == ["honor"]
        assert slugs_of(api.get_course_enrollment_details(COURSE)) == ["honor"]
        mode.delete()
        assert slugs_of(api.get_course_enrollment_details(COURSE)) == ["audit"]
        course.display_name = "New"
        course.save()
        assert api.get_course_enrollment_details(COURSE)["course_name"] == "New"
        course.delete()
        with pytest.raises(CourseNotFoundError):
            api.get_course_enrollment_details(COURSE)

    def test_counts_for_others_from_the_commit_on(self):
        course = CourseFactory(id=COURSE, display_name="Old")
        api.get_course_enrollment_details(COURSE)

        @transaction.atomic
        def rename_and_fail():
            course.display_name = "Never"
            course.save()
            assert api.get_course_enrollment_details(COURSE)["course_name"] == "Never"
            raise RuntimeError

        with pytest.raises(RuntimeError):
            rename_and_fail()
        assert api.get_course_enrollment_details(COURSE)["course_name"] == "Old"


@pytest.mark.rule("enrollment.details.cache")
@pytest.mark.parametrize("broken", ["SilentCache", "ReadOnlyCache"])
def test_broken_cache_is_logged_and_read_around(settings, caplog, broken):
    CourseFactory(id=COURSE)
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.{broken}"}}
    assert api.get_course_enrollment_details(COURSE)["course_id"] == COURSE
    assert any("cache" in message for message in caplog.messages)


@pytest.mark.parametrize(
    "course_id",
    [
        pytest.param("course-v1:edX+Démo+2026", id="beyond ASCII"),
        pytest.param(f"course-v1:edX+{'x' * 200}+2026", id="long"),
    ],
)
def test_awkward_keys_are_cached_like_others(course_id):
    CourseFactory(id=course_id)
    api.get_course_enrollment_details(course_id)
    with statements() as run:
        api.get_course_enrollment_details(course_id)
        assert len(run) == 0, run


def test_plain_keys_are_legible():
    CourseFactory(id=COURSE)
    api.get_course_enrollment_details(COURSE)
    assert cache.get(f"enrollment.course.details.{COURSE}.False") is not None
    assert cache.get(f"enrollment.course.details.{COURSE}.True") is None
