"""In which courses a learner has to do with credit, and how many statements it takes to tell."""

from datetime import timedelta

import pytest
from django.utils import timezone

from credit import api
from tests.credit.factories import (
    CreditCourseFactory,
    CreditCourseProviderFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
    enroll,
)
from tests.enrollment.factories import UserFactory
from tests.support import statements

pytestmark = [pytest.mark.django_db, pytest.mark.rule("credit.learner-pages.overview")]


@pytest.fixture(autouse=True)
def _feature_is_on(settings):
    settings.FEATURES = {"ENABLE_CREDIT_ELIGIBILITY": True}


@pytest.fixture
def learner():
    return UserFactory(username="ron")


@pytest.mark.parametrize(
    ("enabled", "mode", "is_active", "row", "shown"),
    [
        pytest.param(True, "verified", True, None, True, id="enrolled, verified"),
        pytest.param(True, "credit", True, None, True, id="enrolled, credit bought"),
        pytest.param(True, "audit", True, None, False, id="enrolled, audit"),
        pytest.param(True, "verified", False, None, False, id="not enrolled any more"),
        pytest.param(False, "verified", True, None, False, id="no credit in the course"),
        pytest.param(True, None, True, CreditEligibilityFactory, True, id="eligible"),
        pytest.param(False, None, True, CreditEligibilityFactory, False, id="eligible, no credit any more"),
        pytest.param(True, None, True, CreditRequestFactory, True, id="asked"),
        pytest.param(False, None, True, CreditRequestFactory, True, id="asked, no credit any more"),
        pytest.param(True, None, True, CreditRequirementFactory, False, id="nothing to do with it"),
    ],
)
def test_which_courses_are_shown(learner, enabled, mode, is_active, row, shown):
    course = CreditCourseFactory(enabled=enabled)
    if mode:
        enroll(learner, course, mode, is_active=is_active)
    if row:
        row(course=course)
    assert [found.course_key for found in api.get_learner_courses(learner)] == [course.course_key] * shown
    found = api.get_learner_course(learner, course.course_key)
    assert (found is not None) == shown
    assert api.get_learner_courses(UserFactory(username="hermione")) == []


def test_nothing_is_shown_while_the_feature_is_off(learner, settings):
    course = CreditEligibilityFactory().course
    settings.FEATURES = {}
    assert api.get_learner_courses(learner) == []
    assert api.get_learner_course(learner, course.course_key) is None


@pytest.mark.parametrize(
    ("status", "days", "enabled", "standing"),
    [
        pytest.param("satisfied", 5, True, "eligible", id="eligible"),
        pytest.param("failed", 5, True, "eligible", id="eligible stays eligible"),
        pytest.param("satisfied", -1, True, "partial_eligible", id="too late"),
        pytest.param("satisfied", 5, False, "partial_eligible", id="no credit in the course any more"),
        pytest.param("failed", None, True, "not_eligible", id="failed"),
        pytest.param("declined", None, True, "not_eligible", id="declined"),
        pytest.param("submitted", None, True, "partial_eligible", id="being reviewed"),
    ],
)
def test_where_the_learner_stands(learner, status, days, enabled, standing):
    requirement = CreditRequirementFactory(course__enabled=enabled)
    CreditRequirementStatusFactory(requirement=requirement, status=status)
    CreditRequestFactory(course=requirement.course, status="rejected")
    deadline = None if days is None else timezone.now() + timedelta(days=days)
    if deadline:
        CreditEligibilityFactory(course=requirement.course, deadline=deadline)

    [course] = api.get_learner_courses(learner)

    assert (course.standing, course.deadline, course.is_enabled) == (standing, deadline, enabled)
    assert [row["status"] for row in course.requirements] == [status]
    assert [request["status"] for request in course.requests] == ["rejected"]


def many_courses(learner, count):
    provider = CreditProviderFactory()
    for _ in range(count):
        course = CreditCourseFactory()
        enroll(learner, course)
        for number in range(3):
            requirement = CreditRequirementFactory(course=course, name=f"exam{number}", namespace="proctored_exam")
            CreditRequirementStatusFactory(requirement=requirement)
        CreditEligibilityFactory(course=course)
        CreditRequestFactory(course=course, provider=provider)
    return course


@pytest.mark.parametrize("count", [1, 30])
def test_any_number_of_courses_takes_as_many_statements(learner, count):
    course = many_courses(learner, count)
    with statements() as listed:
        assert len(api.get_learner_courses(learner)) == count
    with statements() as single:
        assert api.get_learner_course(learner, course.course_key).course_key == course.course_key
    assert len(listed) == len(single) == 7, listed


class TestProvidersToAsk:
    @pytest.fixture
    def course(self):
        return CreditCourseProviderFactory(provider__provider_id="a").course

    @pytest.fixture(autouse=True)
    def _providers(self, course):
        CreditCourseProviderFactory(course=course, provider__provider_id="b")
        CreditCourseProviderFactory(course=course, provider__provider_id="closed", provider__active=False)
        CreditProviderFactory(provider_id="elsewhere")

    @pytest.mark.parametrize(
        ("mode", "seller", "asked"),
        [
            pytest.param(None, None, ["a", "b"], id="not enrolled any more"),
            pytest.param("verified", None, ["a", "b"], id="before the purchase, all of the course"),
            pytest.param("credit", "b", ["b"], id="afterwards, who sold it"),
            pytest.param("credit", None, None, id="bought, nobody knows from whom"),
            pytest.param("credit", "closed", None, id="bought from one that is closed"),
        ],
    )
    def test_which_providers_can_be_asked(self, learner, course, mode, seller, asked):
        if mode:
            enrollment = enroll(learner, course, mode)
            if seller:
                enrollment.attributes.create(namespace="credit", name="provider_id", value=seller)
        found = api.get_providers_to_ask(learner, course.course_key)
        assert (found and [provider["id"] for provider in found]) == asked
