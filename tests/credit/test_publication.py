"""A published course gets its requirements (credit contract 9.1)."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery.exceptions import Retry
from django.db import InterfaceError, OperationalError, transaction
from opaque_keys.edx.keys import CourseKey, UsageKey

from credit import api
from credit.backends import EnrollmentCourses, LocalExams
from credit.exceptions import CourseNotFound, InvalidCreditRequirements
from credit.handlers import on_course_publish
from credit.models import CourseExam, CreditCourse, CreditEligibility, CreditRequirement
from credit.tasks import update_credit_course_requirements, update_due_credit_requirements
from credit.types import Block, CourseBlock
from credit.utils import get_course_blocks
from enrollment.models import Course
from settings import base as site
from tests.credit.factories import CourseExamFactory, CreditCourseFactory, CreditRequirementFactory
from tests.enrollment.factories import CourseFactory
from tests.support import in_parallel, statements

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "course-v1:HogwartsX+Potions101+1T2026"
READ = "credit.tasks.update_credit_course_requirements"


def block(name):
    return f"block-v1:HogwartsX+Potions101+1T2026+type@sequential+block@{name}"


def add_exam(name, **fields):
    return CourseExamFactory(
        course_key=KEY, **{"content_id": block(name), "exam_name": name.capitalize(), "is_proctored": True, **fields}
    )


def exam_requirement(name):
    return {"namespace": "proctored_exam", "name": block(name), "display_name": name.capitalize(), "criteria": {}}


GRADE = {"namespace": "grade", "name": "grade", "display_name": "Minimum Grade", "criteria": {"min_grade": 0.8}}


@pytest.fixture
def course(potions):
    """The course in the catalogue, with a minimum grade for credit."""
    return Course.objects.update_or_create(id=KEY, defaults={"minimum_grade_credit": 0.8})[0]


def publish():
    on_course_publish(CourseKey.from_string(KEY))
    update_credit_course_requirements.apply([KEY]).get()


def requirements():
    return api.get_credit_requirements(CourseKey.from_string(KEY))


@pytest.mark.rule("credit.publication.list")
class TestRequirementsOfACourse:
    def test_grade_first_then_exams_dated_ones_first(self, course):
        for name, start in (("undated", None), ("late", NOW), ("zeta", None), ("early", NOW - timedelta(days=1))):
            add_exam(name, block_start=start)
        add_exam("beta", block_start=NOW)
        publish()
        names = ["early", "beta", "late", "undated", "zeta"]
        assert requirements() == [GRADE, *(exam_requirement(name) for name in names)]

    @pytest.mark.parametrize(
        "fields",
        [
            pytest.param({"is_proctored": False}, id="not proctored"),
            pytest.param({"is_active": False}, id="not in use"),
            pytest.param({"is_practice_exam": True}, id="for practice"),
            pytest.param({"content_id": "final"}, id="no usage key"),
        ],
    )
    def test_other_exams_are_left_out_with_a_log_line(self, course, caplog, fields):
        caplog.set_level(logging.INFO, "credit")
        exam = add_exam("other", **fields)
        publish()
        assert requirements() == [GRADE]
        assert f"Exam {exam.content_id} " in caplog.text

    def test_an_exam_without_a_block_is_left_out(self, course, caplog, settings):
        settings.CREDIT_PORTS = {"exams": f"{__name__}.OneBlock"}
        add_exam("kept")
        add_exam("gone")
        publish()
        assert requirements() == [GRADE, exam_requirement("kept")]
        assert f"Exam {block('gone')} " in caplog.text

    def test_a_course_without_minimum_grade_asks_for_none(self, course, caplog):
        Course.objects.update(minimum_grade_credit=None)
        add_exam("final")
        publish()
        assert requirements() == [exam_requirement("final")]
        assert "no minimum grade" in caplog.text

    def test_exams_of_other_courses_do_not_count(self, course):
        CourseExamFactory()
        publish()
        assert requirements() == [GRADE]

    def test_learners_are_not_touched(self, ron, course, grade):
        api.set_credit_requirement_status(ron, grade.course.course_key, "grade", "grade")
        before = list(CreditEligibility.objects.values())
        add_exam("final")
        publish()
        assert list(CreditEligibility.objects.values()) == before
        statuses = [requirement["status"] for requirement in api.get_credit_requirement_status(KEY, "ron")]
        assert statuses == ["satisfied", None]


class OneBlock(LocalExams):
    """A host whose course has lost a block."""

    def blocks(self, usage_keys):
        return {block("kept"): Block(start=None)}


@pytest.mark.rule("credit.publication.repeat")
class TestTwice:
    def test_changes_nothing(self, course):
        add_exam("final", block_start=NOW)
        publish()
        before = list(CreditRequirement.objects.order_by("pk").values())
        courses = list(CreditCourse.objects.values())
        publish()
        assert list(CreditRequirement.objects.order_by("pk").values()) == before
        assert list(CreditCourse.objects.values()) == courses

    @pytest.mark.rule("credit.budgets")
    @pytest.mark.parametrize("exams", [1, 25])
    def test_many_exams_cost_as_much_as_one(self, course, exams):
        for number in range(exams):
            add_exam(f"exam{number:02}", block_start=NOW)
        with statements() as first:
            api.refresh_credit_requirements(CourseKey.from_string(KEY))
        assert len(requirements()) == exams + 1
        with statements() as again:
            api.refresh_credit_requirements(CourseKey.from_string(KEY))
        assert (len(first), len(again)) == (9, 8), f"{first}\n\n{again}"

    def test_only_what_changed_is_written(self, course):
        for name in ("a", "b", "c"):
            add_exam(name)
        publish()
        modified = {row.name: row.modified for row in CreditRequirement.objects.all()}
        CourseExam.objects.filter(content_id=block("b")).update(exam_name="B, new")
        publish()
        changed = [row.name for row in CreditRequirement.objects.all() if row.modified != modified[row.name]]
        assert changed == [block("b")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("credit.publication.queued")
class TestPublishing:
    def test_asks_a_worker_after_the_commit_and_once(self, potions, queued, caplog):
        caplog.set_level(logging.INFO, "credit")
        with transaction.atomic():
            on_course_publish(potions.course_key)
            on_course_publish(potions.course_key)
            assert queued() == []
        [message] = queued()
        assert (message.task, message.args) == (READ, [KEY])
        assert f"Course {KEY} was published" in caplog.text

    def test_of_a_rollback_nothing_remains(self, potions, queued):
        with transaction.atomic():
            on_course_publish(potions.course_key)
            transaction.set_rollback(True)
        assert queued() == []
        assert CreditCourse.objects.get().requirements_due_at is None

    @pytest.mark.parametrize("enabled", [False, None])
    def test_of_another_course_asks_nobody(self, queued, caplog, enabled):
        caplog.set_level(logging.INFO, "credit")
        if enabled is not None:
            CreditCourseFactory(course_key=KEY, enabled=enabled)
        on_course_publish(CourseKey.from_string(KEY))
        assert queued() == []
        assert not [record for record in caplog.records if record.name.startswith("credit")]


@pytest.mark.rule("credit.publication.retries")
class TestTheTask:
    @pytest.mark.parametrize("course_id", ["nonsense", "a+b+c", "library-v1:a+b"])
    def test_a_bad_key_is_logged_and_not_tried_again(self, course_id, caplog):
        update_credit_course_requirements.apply([course_id]).get()
        if course_id != "library-v1:a+b":
            assert course_id in caplog.text

    @pytest.mark.parametrize("enabled", [False, None])
    def test_a_course_that_earns_no_credit_any_more_is_no_error(self, enabled, caplog):
        CreditCourseFactory(course_key=KEY, enabled=False)
        if enabled is None:
            CreditCourse.objects.all().delete()
        update_credit_course_requirements.apply([KEY]).get()
        assert not CreditRequirement.objects.exists()
        assert not [record for record in caplog.records if record.name.startswith("credit")]

    def test_bad_requirements_are_logged_and_not_tried_again(self, course, grade, caplog):
        add_exam("final", exam_name="")
        publish()
        assert requirements() == [GRADE]  # as before
        assert f"The requirements of course {KEY} are badly formed: proctored_exam/" in caplog.text
        assert CreditCourse.objects.get().requirements_due_at is None

    @pytest.mark.parametrize(
        "failure",
        [
            pytest.param(OperationalError("gone away"), id="database"),
            pytest.param(InterfaceError("connection already closed"), id="connection"),
            pytest.param(ConnectionError("exams.example.com"), id="transport"),
            pytest.param(TimeoutError("exams.example.com"), id="time-out"),
            pytest.param(None, id="course not found"),
        ],
    )
    def test_what_passes_is_tried_again_later_and_stays_due(self, course, settings, failure):
        settings.CREDIT_PORTS = {"courses": f"{__name__}.FailingCourses"}
        FailingCourses.failure = failure
        on_course_publish(CourseKey.from_string(KEY))
        task = update_credit_course_requirements
        task.push_request(id="1", args=[KEY], kwargs={}, retries=1, called_directly=False)
        try:
            with pytest.raises(Retry) as retry:
                task.run(KEY)
        finally:
            task.pop_request()
        assert retry.value.when == 60
        assert CreditCourse.objects.get().requirements_due_at is not None

    def test_it_gives_up_after_some_retries(self, potions):
        result = update_credit_course_requirements.apply([KEY])
        assert isinstance(result.result, CourseNotFound)

    def test_other_faults_are_faults(self, course, settings):
        settings.CREDIT_PORTS = {"courses": f"{__name__}.FailingCourses"}
        FailingCourses.failure = ZeroDivisionError()
        assert isinstance(update_credit_course_requirements.apply([KEY]).result, ZeroDivisionError)


class FailingCourses:
    """A host that answers nothing, or not now."""

    failure = None

    def facts(self, course_key):
        if self.failure is not None:
            raise self.failure


@pytest.mark.rule("credit.publication.sweep")
class TestTheSweep:
    @pytest.mark.parametrize(("minutes", "is_read"), [(29, False), (31, True)])
    def test_reads_what_no_task_has_read(self, course, minutes, is_read):
        with time_machine.travel(NOW, tick=False):
            on_course_publish(CourseKey.from_string(KEY))
        with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
            update_due_credit_requirements.apply().get()
        assert bool(requirements()) is is_read
        assert (CreditCourse.objects.get().requirements_due_at is None) is is_read

    def test_one_that_fails_does_not_keep_the_others(self, course, caplog):
        unknown, failing = "course-v1:no+such+course", "course-v1:bad+exams+1"
        for key in (unknown, failing):
            CreditCourseFactory(course_key=key)
        CourseFactory(id=failing)
        CourseExamFactory(course_key=failing, exam_name="")
        CreditCourse.objects.update(requirements_due_at=NOW)
        assert api.refresh_due_requirements(due_before=NOW + timedelta(hours=1)) == 1
        assert requirements() == [GRADE]
        assert not CreditCourse.objects.exclude(requirements_due_at=None).exists()
        assert unknown in caplog.text
        assert failing in caplog.text

    def test_what_passes_stays_due(self, course, settings, caplog):
        settings.CREDIT_PORTS = {"courses": f"{__name__}.FailingCourses"}
        FailingCourses.failure = ConnectionError("https://user:password@exams.example.com")
        CreditCourse.objects.update(requirements_due_at=NOW)
        assert api.refresh_due_requirements(due_before=NOW + timedelta(hours=1)) == 0
        assert CreditCourse.objects.get().requirements_due_at == NOW
        assert "password" not in caplog.text

    def test_the_site_runs_it(self):
        assert update_due_credit_requirements.name in {entry["task"] for entry in site.CELERY_BEAT_SCHEDULE.values()}


class MeanwhileChanged(EnrollmentCourses):
    """A host whose course is published again, with another grade, just after it has been read."""

    times = 1

    def facts(self, course_key):
        facts = super().facts(course_key)
        if MeanwhileChanged.times:
            MeanwhileChanged.times -= 1
            Course.objects.update(minimum_grade_credit=0.5)
            on_course_publish(course_key)
        return facts


@pytest.mark.rule("credit.publication.newest")
@pytest.mark.parametrize(("times", "grade_asked_for", "stays_due"), [(1, 0.5, False), (99, None, True)])
def test_an_old_list_never_replaces_a_newer_one(course, settings, caplog, times, grade_asked_for, stays_due):
    settings.CREDIT_PORTS = {"courses": f"{__name__}.MeanwhileChanged"}
    MeanwhileChanged.times = times
    publish()
    assert [row["criteria"]["min_grade"] for row in requirements()] == ([grade_asked_for] if grade_asked_for else [])
    assert (CreditCourse.objects.get().requirements_due_at is not None) is stays_due


def test_blocks_of_a_category(settings):
    for name in ("b", "a"):
        add_exam(name, block_start=NOW)
    add_exam("x", content_id="no key")
    add_exam("y", content_id=block("y").replace("sequential", "vertical"))
    assert get_course_blocks(CourseKey.from_string(KEY), "sequential") == [
        CourseBlock(location=UsageKey.from_string(block(name)), start=NOW) for name in ("a", "b")
    ]
    assert get_course_blocks(CourseKey.from_string(KEY), "chapter") == []


@pytest.mark.slow
@pytest.mark.database("postgresql", "mysql")
@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("credit.concurrency.publication")
class TestAtTheSameMoment:
    def test_readers_see_the_old_list_or_the_new_one_and_the_newest_stays(self, course):
        """Publications of two versions, and learners who read: every list seen is one of the two, whole."""
        versions = {0.5: [f"a{number}" for number in range(6)], 0.6: [f"b{number}" for number in range(6)]}

        def version(min_grade):
            Course.objects.filter(pk=KEY).update(minimum_grade_credit=min_grade)
            with transaction.atomic():
                CourseExam.objects.filter(course_key=KEY).update(is_active=False)
                CourseExam.objects.filter(content_id__in=[block(name) for name in versions[min_grade]]).update(
                    is_active=True
                )

        for name in (*versions[0.5], *versions[0.6]):
            add_exam(name)
        version(0.6)
        publish()

        for number in range(10):
            newest = (0.5, 0.6)[number % 2]
            version(newest)
            *published, seen = in_parallel(publish, publish, lambda: [requirements() for _ in range(10)])
            assert published == [None, None]
            for lists in seen:
                names = {row["display_name"][0] for row in lists if row["namespace"] == "proctored_exam"}
                assert names in ({"A"}, {"B"})
                assert len(lists) == 7
            assert requirements()[0]["criteria"] == {"min_grade": newest}
            assert CreditCourse.objects.get().requirements_due_at is None

    def test_learners_go_on(self, ron, course, potions):
        CreditRequirementFactory(course=potions)
        for number in range(10):
            Course.objects.update(minimum_grade_credit=0.5 + number / 100)
            results = in_parallel(
                publish,
                lambda: api.set_credit_requirement_status(ron, potions.course_key, "grade", "grade"),
                publish,
            )
            assert results == [None, None, None]
            assert CreditEligibility.objects.count() == 1
            CreditEligibility.objects.all().delete()


def test_a_refresh_tells_whether_the_course_earns_credit(course):
    assert api.refresh_credit_requirements(CourseKey.from_string(KEY)) is True
    assert api.refresh_credit_requirements(CourseKey.from_string("course-v1:a+b+c")) is False
    add_exam("final", exam_name="")
    with pytest.raises(InvalidCreditRequirements):
        api.refresh_credit_requirements(CourseKey.from_string(KEY))
