"""What a course asks for (credit contract 4.1, 6.1)."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.utils.translation import gettext_lazy

from credit import api
from credit.exceptions import CreditApiBadRequest, InvalidCreditCourse, InvalidCreditRequirements
from credit.models import CreditEligibility, CreditRequirement
from tests.credit.factories import CreditCourseFactory, CreditRequirementFactory, CreditRequirementStatusFactory
from tests.support import statements

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GRADE = {"namespace": "grade", "name": "grade", "display_name": "Minimum Grade", "criteria": {"min_grade": 0.8}}
FINAL = {"namespace": "proctored_exam", "name": "final", "display_name": "Final Exam", "criteria": {}}
MIDTERM = {"namespace": "proctored_exam", "name": "midterm", "display_name": "Midterm", "criteria": {}}


def rows_of(course):
    columns = ("namespace", "name", "display_name", "criteria", "active", "sort_value")
    return list(CreditRequirement.objects.filter(course=course).order_by("pk").values_list(*columns))


@pytest.mark.rule("credit.requirements.publish")
class TestPublishing:
    def test_the_list_becomes_the_requirements_in_its_order(self, potions):
        api.set_credit_requirements(potions.course_key, [GRADE, {**FINAL, "start_date": NOW}])
        assert api.get_credit_requirements(potions.course_key) == [GRADE, FINAL]
        assert [row[-1] for row in rows_of(potions)] == [0, 1]

    def test_what_is_left_out_becomes_inactive_and_may_return(self, potions):
        api.set_credit_requirements(potions.course_key, [GRADE, FINAL])
        api.set_credit_requirements(potions.course_key, [MIDTERM, GRADE])
        assert api.get_credit_requirements(potions.course_key) == [MIDTERM, GRADE]
        api.set_credit_requirements(potions.course_key, [FINAL, {**GRADE, "criteria": {"min_grade": 0.5}}])
        assert api.get_credit_requirements(potions.course_key) == [FINAL, {**GRADE, "criteria": {"min_grade": 0.5}}]
        assert len(rows_of(potions)) == 3

    def test_an_empty_list_disables_all(self, potions, grade, exam):
        api.set_credit_requirements(potions.course_key, [])
        assert api.get_credit_requirements(potions.course_key) == []

    def test_of_a_repeated_pair_the_last_counts(self, potions):
        api.set_credit_requirements(potions.course_key, [GRADE, FINAL, {**GRADE, "display_name": "Again"}])
        assert rows_of(potions) == [
            ("grade", "grade", "Again", {"min_grade": 0.8}, True, 2),
            ("proctored_exam", "final", "Final Exam", {}, True, 1),
        ]

    def test_the_same_list_again_writes_nothing(self, potions):
        api.set_credit_requirements(potions.course_key, [GRADE, FINAL])
        before = list(CreditRequirement.objects.order_by("pk").values())
        with statements() as run:
            api.set_credit_requirements(potions.course_key, [GRADE, FINAL])
        assert list(CreditRequirement.objects.order_by("pk").values()) == before
        assert not [sql for sql in run.texts if not sql.startswith("SELECT")]

    def test_the_same_list_again_writes_nothing_even_with_a_repeated_pair(self, potions):
        repeated = [GRADE, FINAL, {**GRADE, "display_name": "Again"}]
        api.set_credit_requirements(potions.course_key, repeated)
        before = list(CreditRequirement.objects.order_by("pk").values())
        api.set_credit_requirements(potions.course_key, repeated)
        assert list(CreditRequirement.objects.order_by("pk").values()) == before

    def test_other_courses_keep_theirs(self, potions, grade):
        other = CreditRequirementFactory(name="other")
        api.set_credit_requirements(potions.course_key, [])
        other.refresh_from_db()
        assert other.active

    def test_learners_statuses_stay_and_nobody_becomes_eligible(self, potions, grade, exam):
        status = CreditRequirementStatusFactory(requirement=grade)
        api.set_credit_requirements(potions.course_key, [GRADE])
        status.refresh_from_db()
        assert status.status == "satisfied"
        assert not CreditEligibility.objects.exists()

    @pytest.mark.parametrize("criteria", [{}, None, [], 0.8, "text", {"deep": [{"er": None}]}])
    def test_criteria_may_be_anything(self, potions, criteria):
        api.set_credit_requirements(potions.course_key, [{**GRADE, "criteria": criteria}])
        assert api.get_credit_requirements(potions.course_key) == [{**GRADE, "criteria": criteria}]

    def test_a_display_name_may_be_translatable(self, potions):
        api.set_credit_requirements(potions.course_key, [{**GRADE, "display_name": gettext_lazy("Minimum Grade")}])
        assert api.get_credit_requirements(potions.course_key) == [GRADE]

    @pytest.mark.parametrize(
        ("bad", "named"),
        [
            pytest.param({}, ["namespace", "name", "display_name", "criteria"], id="nothing"),
            pytest.param({**GRADE, "namespace": ""}, ["namespace"], id="empty namespace"),
            pytest.param({**GRADE, "name": None}, ["name"], id="null name"),
            pytest.param({**GRADE, "display_name": ""}, ["display_name"], id="empty display name"),
            pytest.param({**GRADE, "name": "x" * 256}, ["name"], id="too long for the column"),
            pytest.param({k: v for k, v in GRADE.items() if k != "criteria"}, ["criteria"], id="no criteria"),
            pytest.param("grade", [], id="no dict"),
        ],
    )
    def test_one_bad_requirement_refuses_all(self, potions, grade, bad, named):
        before = rows_of(potions)
        with pytest.raises(InvalidCreditRequirements) as caught:
            api.set_credit_requirements(potions.course_key, [FINAL, bad])
        assert isinstance(caught.value, CreditApiBadRequest)
        assert rows_of(potions) == before
        listed = str(caught.value).rpartition(": ")[2].split(", ") if named else []
        assert listed == named

    def test_every_bad_one_is_named(self, potions):
        with pytest.raises(InvalidCreditRequirements, match=r"grade/.*name.*; exam/x.*criteria"):
            api.set_credit_requirements(
                potions.course_key,
                [{**GRADE, "name": ""}, {"namespace": "exam", "name": "x", "display_name": "X"}],
            )

    @pytest.mark.parametrize("enabled", [False, None])
    def test_the_course_must_be_a_credit_course(self, enabled):
        course = CreditCourseFactory(enabled=False)
        if enabled is None:
            course.delete()
        with pytest.raises(InvalidCreditCourse):
            api.set_credit_requirements(course.course_key, [GRADE])
        assert not CreditRequirement.objects.exists()

    def test_form_is_checked_before_the_course(self):
        course = CreditCourseFactory(enabled=False)
        with pytest.raises(InvalidCreditRequirements):
            api.set_credit_requirements(course.course_key, [{}])


class TestReading:
    def test_one_namespace(self, potions, grade, exam):
        assert api.get_credit_requirements(potions.course_key, namespace="proctored_exam") == [FINAL]

    def test_a_course_without_requirements_has_an_empty_list(self):
        assert api.get_credit_requirements(CreditCourseFactory.build().course_key) == []

    def test_each_comes_with_the_learners_status(self, potions, grade, exam):
        with time_machine.travel(NOW, tick=False):
            CreditRequirementStatusFactory(username="ron", requirement=grade)
        CreditRequirementStatusFactory(username="hermione", requirement=exam)
        assert api.get_credit_requirement_status(potions.course_key, "ron") == [
            {
                **GRADE,
                "reason": {"final_grade": 0.95},
                "status": "satisfied",
                "status_date": NOW,
                "order": 0,
            },
            {**FINAL, "reason": None, "status": None, "status_date": None, "order": 1},
        ]

    @pytest.mark.parametrize(
        ("filters", "names"),
        [
            ({}, ["grade", "final"]),
            ({"namespace": "grade"}, ["grade"]),
            ({"name": "final"}, ["final"]),
            ({"namespace": "grade", "name": "final"}, []),
        ],
    )
    def test_statuses_can_be_filtered(self, potions, grade, exam, filters, names):
        found = api.get_credit_requirement_status(potions.course_key, "ron", **filters)
        assert [status["name"] for status in found] == names

    @pytest.mark.rule("credit.budget.statuses")
    @pytest.mark.parametrize("count", [1, 5])
    def test_statuses_cost_two_queries(self, potions, count):
        for number in range(count):
            requirement = CreditRequirementFactory(course=potions, name=f"r{number}", sort_value=number)
            CreditRequirementStatusFactory(requirement=requirement)
        with statements() as run:
            assert len(api.get_credit_requirement_status(potions.course_key, "ron")) == count
        assert len(run) == 2, run
