"""Grade events handled per second, against the api calls that they lead to."""

import itertools
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from bench.measure import ROUNDS, Row, at_most, compare
from bench.site import Site
from credit.api import set_credit_requirement_status
from credit.models import CreditCourse, CreditRequirement
from enrollment.api import record_course_grade
from enrollment.models import Course, CourseEnrollment
from events.learning.data import CourseData, PersistentCourseGradeData
from events.learning.signals import PERSISTENT_GRADE_SUMMARY_CHANGED

GRADES = at_most(50, quick=3)  # per round
COURSE = CourseKey.from_string("course-v1:HogwartsX+Grades+1T2026")
PERCENT = 0.95


def rows(site: Site) -> Iterator[Row]:
    """Handle each event as a consumer does, in a transaction of its own; each grade is a learner's first."""
    needed = GRADES * (ROUNDS + 1)
    learners = _learners(2 * needed)
    events = iter([_grade(learner.pk) for learner in learners[:needed]])
    others = iter(learners[needed:])

    def handle(times: int) -> None:
        for event in itertools.islice(events, times):
            metadata = PERSISTENT_GRADE_SUMMARY_CHANGED.generate_signal_metadata()
            with transaction.atomic():
                PERSISTENT_GRADE_SUMMARY_CHANGED.send_event_with_custom_metadata(
                    metadata, send_robust=False, using="default", grade=event
                )

    def call(times: int) -> None:
        for learner in itertools.islice(others, times):
            with transaction.atomic():
                record_course_grade(
                    learner.pk,
                    COURSE,
                    reported_at=timezone.now(),
                    percent_grade=PERCENT,
                    letter_grade="Pass",
                    passed_timestamp=timezone.now(),
                    course_version="1",
                    grading_policy_hash="1",
                )
                set_credit_requirement_status(learner, COURSE, "grade", "grade", reason={"final_grade": PERCENT})

    yield compare(
        "grade events handled",
        ours=handle,
        baseline=call,
        baseline_name="the two api calls that each leads to",
        target=None,
        repeat=GRADES,
    )


def _learners(count: int) -> list[AbstractBaseUser]:
    """Make a course with a grade and an exam to pass, and learners in it who have passed neither."""
    course = Course.objects.create(id=str(COURSE), display_name="Grades", end=timezone.now() + timedelta(days=30))
    credit_course = CreditCourse.objects.create(course_key=COURSE, enabled=True)
    for place, (namespace, criteria) in enumerate([("grade", {"min_grade": 0.8}), ("proctored_exam", {})]):
        CreditRequirement.objects.create(
            course=credit_course, namespace=namespace, name=namespace, criteria=criteria, sort_value=place
        )
    model = get_user_model()
    learners = model.objects.bulk_create([model(username=f"graded{number}") for number in range(count)])
    CourseEnrollment.objects.bulk_create(
        [CourseEnrollment(user=learner, course=course, mode="verified") for learner in learners]
    )
    return [*learners]


def _grade(user_id: int) -> PersistentCourseGradeData:
    now = timezone.now()
    return PersistentCourseGradeData(
        user_id=user_id,
        course=CourseData(course_key=COURSE, display_name="Grades"),
        course_edited_timestamp=now,
        course_version="1",
        grading_policy_hash="1",
        percent_grade=PERCENT,
        letter_grade="Pass",
        passed_timestamp=now,
    )
