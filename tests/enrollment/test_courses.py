"""Courses, and the rows that offer their modes."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from enrollment.api import set_default_upgrade_deadline
from enrollment.models import Course, CourseMode
from tests.enrollment.factories import CourseFactory, CourseModeFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TOMORROW = timezone.now() + DAY


def test_organisation_comes_from_the_key_unless_given():
    assert Course.objects.create(id="course-v1:edX+Demo+2026").org == "edX"
    assert Course.objects.create(id="course-v1:edX+Demo+2027", org="Other").org == "Other"


@pytest.mark.parametrize(
    ("display_name", "shown"),
    [("Physics", "Physics"), ("", "2026 T1"), (None, "2026 T1")],
    ids=["name", "empty", "null"],
)
def test_course_without_a_name_is_shown_by_its_run(display_name, shown):
    course = CourseFactory(id="course-v1:edX+Demo+2026_T1", display_name=display_name)
    assert course.display_name_with_default == shown


def test_bad_key_is_a_form_error():
    with pytest.raises(ValidationError) as refusal:
        Course(id="invalidcourse").full_clean()
    assert set(refusal.value.message_dict) == {"id"}


@pytest.mark.parametrize(
    ("start", "end", "is_open"),
    [
        pytest.param(None, None, True, id="no window"),
        pytest.param(-DAY, DAY, True, id="inside"),
        pytest.param(DAY, None, False, id="before"),
        pytest.param(None, -DAY, False, id="after"),
        pytest.param(timedelta(0), None, False, id="at the first moment"),
        pytest.param(None, timedelta(0), False, id="at the last moment"),
    ],
)
def test_enrollment_window_excludes_its_bounds(time_machine, start, end, is_open):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    course = CourseFactory(
        enrollment_start=None if start is None else now + start, enrollment_end=None if end is None else now + end
    )
    assert course.is_enrollment_open() is is_open


def test_pacing_and_end():
    assert CourseFactory(self_paced=True).pacing == "self"
    assert CourseFactory().pacing == "instructor"
    assert CourseFactory(end=timezone.now() - DAY).has_ended()
    assert not CourseFactory(end=TOMORROW).has_ended()
    assert not CourseFactory(end=None).has_ended()


@pytest.mark.rule("enrollment.mode.rules")
@pytest.mark.parametrize(
    ("slug", "min_price", "expiration", "field"),
    [
        pytest.param("professional", 1, TOMORROW, "expiration_datetime", id="professional with a deadline"),
        pytest.param("no-id-professional", 1, TOMORROW, "expiration_datetime", id="the other professional mode"),
        pytest.param("verified", 0, None, "min_price", id="verified for nothing"),
        pytest.param("professional", 0, None, "min_price", id="professional for nothing"),
        pytest.param("audit", -1, None, "min_price", id="price below nothing"),
    ],
)
def test_mode_that_breaks_a_rule_is_never_saved(slug, min_price, expiration, field):
    mode = CourseModeFactory.build(
        course=CourseFactory(), mode_slug=slug, min_price=min_price, expiration_datetime=expiration
    )

    with pytest.raises(ValidationError) as refusal:
        mode.save()

    assert set(refusal.value.message_dict) == {field}
    assert not CourseMode.objects.exists()


def test_currency_is_lowered_and_an_offer_is_unique_in_it():
    mode = CourseModeFactory(currency="EUR")
    assert mode.currency == "eur"
    with pytest.raises(IntegrityError), transaction.atomic():
        CourseModeFactory(course=mode.course, currency="eur")
    CourseModeFactory(course=mode.course, currency="usd")


class TestDeadline:
    def test_assigning_one_marks_it_as_chosen(self):
        mode = CourseModeFactory(mode_slug="verified")
        assert not mode.expiration_datetime_is_explicit

        mode.expiration_datetime = TOMORROW
        assert mode.expiration_datetime_is_explicit
        mode.save()
        assert CourseMode.objects.get().expiration_datetime_is_explicit

    def test_creating_with_one_marks_it_as_chosen(self):
        assert CourseModeFactory(mode_slug="verified", expiration_datetime=TOMORROW).expiration_datetime_is_explicit

    def test_taking_it_away_marks_nothing(self):
        mode = CourseModeFactory(mode_slug="verified")
        mode.expiration_datetime = None
        assert not mode.expiration_datetime_is_explicit

    def test_reading_one_marks_nothing(self):
        mode = CourseModeFactory(mode_slug="verified")
        mode.set_expiration(TOMORROW, explicit=False)
        mode.save()

        assert not CourseMode.objects.get().expiration_datetime_is_explicit
        mode.refresh_from_db()
        assert not mode.expiration_datetime_is_explicit
        deferred = CourseMode.objects.defer("expiration_datetime").get()
        assert deferred.expiration_datetime == TOMORROW
        assert not deferred.expiration_datetime_is_explicit
        alone = CourseMode.objects.only("expiration_datetime").get()
        assert not alone.expiration_datetime_is_explicit
        alone.expiration_datetime = TOMORROW + DAY
        assert alone.expiration_datetime_is_explicit

    def test_default_is_ten_days_before_the_course_ends(self):
        end = timezone.now() + 100 * DAY
        mode = CourseModeFactory(course=CourseFactory(end=end), mode_slug="verified")

        set_default_upgrade_deadline(mode.course_id)

        mode.refresh_from_db()
        assert mode.expiration_datetime == end - 10 * DAY
        assert not mode.expiration_datetime_is_explicit

    @pytest.mark.parametrize("end", [None, TOMORROW], ids=["course without end", "chosen by a person"])
    def test_default_leaves_what_it_must_not_touch(self, end):
        chosen = None if end is None else TOMORROW + DAY
        mode = CourseModeFactory(course=CourseFactory(end=end), mode_slug="verified", expiration_datetime=chosen)

        set_default_upgrade_deadline(mode.course_id)

        mode.refresh_from_db()
        assert mode.expiration_datetime == chosen


def test_history_of_a_mode_has_every_change_and_nothing_else():
    mode = CourseModeFactory(mode_slug="verified", min_price=10)
    mode.save()
    mode.min_price = 20
    mode.save()
    mode.delete()

    kept = [(row.history_type, row.min_price) for row in CourseMode.history.order_by("history_id")]
    assert kept == [("+", 10), ("~", 20), ("-", 20)]
