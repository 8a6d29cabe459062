"""What learners see of their credit (credit contract 15)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser

from credit import api
from credit.models import CreditEligibility
from tests.credit.factories import (
    CreditConfigFactory,
    CreditCourseFactory,
    CreditCourseProviderFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequestFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
    enroll,
)
from tests.support import statements

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _feature_is_on(settings):
    settings.FEATURES = {"ENABLE_CREDIT_ELIGIBILITY": True}


def buy(user, course, provider_id=None):
    """Move the learner to the mode `credit`, as commerce does, and note the provider, if one is given."""
    enrollment = user.course_enrollments.get(course_id=str(course.course_key))
    enrollment.change_mode("credit")
    if provider_id is not None:
        enrollment.attributes.create(namespace="credit", name="provider_id", value=provider_id)


@pytest.mark.rule("credit.summaries.dashboard")
class TestDashboard:
    def test_before_the_purchase_it_names_who_gives_credit(self, eligible_ron, potions, hogwarts):
        CreditProviderFactory(provider_id="beauxbatons", display_name="Beauxbatons")
        CreditProviderFactory(provider_id="durmstrang", active=False)
        deadline = CreditEligibility.objects.get().deadline
        key = str(potions.course_key)
        assert api.get_credit_dashboard(eligible_ron) == {
            key: {
                "course_key": key,
                "eligible": True,
                "deadline": deadline,
                "purchased": False,
                "provider_name": "Beauxbatons and Hogwarts School",
                "provider_status_url": None,
                "provider_id": None,
                "request_status": None,
                "error": False,
            }
        }

    def test_after_the_purchase_it_names_whom_the_learner_chose(self, eligible_ron, potions, hogwarts):
        CreditProviderFactory(provider_id="beauxbatons")
        buy(eligible_ron, potions, "hogwarts")
        [entry] = api.get_credit_dashboard(eligible_ron).values()
        assert (entry["purchased"], entry["error"]) == (True, False)
        assert (entry["provider_id"], entry["provider_name"]) == ("hogwarts", "Hogwarts School")
        assert entry["provider_status_url"] == "https://credit.example.com/status"

    @pytest.mark.parametrize(
        "provider_id",
        [
            pytest.param(None, id="nobody wrote down from whom"),
            pytest.param("nowhere", id="unknown"),
            pytest.param("durmstrang", id="not in use"),
        ],
    )
    def test_a_purchase_from_nobody_known_is_an_error(self, eligible_ron, potions, hogwarts, provider_id):
        CreditProviderFactory(provider_id="durmstrang", active=False)
        buy(eligible_ron, potions, provider_id)
        [entry] = api.get_credit_dashboard(eligible_ron).values()
        assert (entry["purchased"], entry["error"]) == (True, True)
        assert entry["provider_id"] is entry["provider_status_url"] is None

    def test_an_attribute_without_a_purchase_says_nothing(self, eligible_ron, potions, hogwarts):
        enrollment = eligible_ron.course_enrollments.get()
        enrollment.attributes.create(namespace="credit", name="provider_id", value="hogwarts")
        [entry] = api.get_credit_dashboard(eligible_ron).values()
        assert (entry["purchased"], entry["provider_id"]) == (False, None)

    def test_the_latest_request_counts(self, eligible_ron, potions, hogwarts):
        CreditRequestFactory(course=potions, provider=hogwarts, status="rejected")
        CreditRequestFactory(course=potions, status="approved")
        CreditRequestFactory(status="pending")
        [entry] = api.get_credit_dashboard(eligible_ron).values()
        assert entry["request_status"] == "approved"

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"deadline": NOW}, id="expired"),
            pytest.param({"course__enabled": False}, id="course switched off"),
            pytest.param({"username": "hermione"}, id="somebody else's"),
        ],
    )
    @time_machine.travel(NOW, tick=False)
    def test_only_what_is_valid_is_shown(self, ron, change):
        CreditEligibilityFactory(**{"username": "ron", "course__course_key": "course-v1:A+B+C", **change})
        assert api.get_credit_dashboard(ron) == {}

    @pytest.mark.parametrize("features", [{}, {"ENABLE_CREDIT_ELIGIBILITY": False}])
    def test_is_empty_while_the_feature_is_off(self, eligible_ron, settings, features):
        settings.FEATURES = features
        assert api.get_credit_dashboard(eligible_ron) == api.get_credit_progress_by_course(eligible_ron) == {}
        assert api.get_credit_progress(eligible_ron, CreditEligibility.objects.get().course.course_key) is None

    def test_is_empty_for_nobody_in_particular(self, potions):
        assert api.get_credit_dashboard(AnonymousUser()) == api.get_credit_progress_by_course(AnonymousUser()) == {}
        assert api.get_credit_progress(AnonymousUser(), potions.course_key) is None

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.rule("credit.budgets")
    @pytest.mark.parametrize("courses", [1, 7])
    def test_many_courses_cost_as_much_as_one(self, ron, hogwarts, courses):
        for number in range(courses):
            course = CreditCourseFactory()
            enroll(ron, course)
            CreditEligibilityFactory(username="ron", course=course)
            CreditRequestFactory(username="ron", course=course)
            CreditCourseProviderFactory(course=course, provider=hogwarts)
            if number % 2:
                buy(ron, course, "hogwarts")
        api.get_credit_dashboard(ron)  # the list of providers is cached now
        with statements() as run:
            assert len(api.get_credit_dashboard(ron)) == courses
        assert len(run) == 5, str(run)


@pytest.mark.rule("credit.summaries.providers")
class TestProvidersByCourse:
    def test_each_course_has_its_own_or_all_that_are_active(self, potions, hogwarts):
        charms = CreditCourseFactory()
        CreditProviderFactory(provider_id="beauxbatons")
        for provider in (hogwarts, CreditProviderFactory(provider_id="durmstrang", active=False)):
            CreditCourseProviderFactory(course=potions, provider=provider)
        found = api.get_providers_by_course([potions.course_key, charms.course_key])
        assert {key: [provider["id"] for provider in providers] for key, providers in found.items()} == {
            str(potions.course_key): ["hogwarts"],
            str(charms.course_key): ["beauxbatons", "hogwarts"],
        }

    @pytest.mark.parametrize(
        "configured",
        [
            {"CREDIT_PORTS": {"commerce": f"{__name__}.Shop"}},
            {"OVERRIDE_GET_CREDIT_PROVIDER_IDS_FOR_COURSE": f"{__name__}.override"},
        ],
        ids=["port", "override"],
    )
    def test_a_host_that_sells_itself_is_asked(self, ron, potions, hogwarts, settings, configured):
        charms, failing = CreditCourseFactory(), CreditCourseFactory(course_key="course-v1:a+fails+c")
        CreditConfigFactory()
        for name, value in configured.items():
            setattr(settings, name, value)
        found = api.get_providers_by_course([course.course_key for course in (potions, charms, failing)])
        assert [[provider["id"] for provider in providers] for providers in found.values()] == [["hogwarts"], [], []]
        CreditEligibilityFactory(username="ron", course=failing)
        [entry] = api.get_credit_dashboard(ron).values()
        assert (entry["provider_name"], entry["error"]) == (None, False)


class Shop:
    def credit_provider_ids(self, course_key):
        if "fails" in str(course_key):
            raise ConnectionError("commerce is down")
        return ["hogwarts", "unknown"] if course_key.course == "Potions101" else []


def override(original, course_id):
    from opaque_keys.edx.keys import CourseKey

    return Shop().credit_provider_ids(CourseKey.from_string(course_id))


@pytest.mark.rule("credit.summaries.progress")
class TestProgress:
    def test_shows_the_requirements_with_the_learners_statuses(self, ron, potions, grade, exam):
        CreditRequirementStatusFactory(requirement=grade)
        requirements = api.get_credit_requirement_status(potions.course_key, "ron")
        assert [requirement["status"] for requirement in requirements] == ["satisfied", None]
        progress = {"eligibility_status": "partial_eligible", "requirements": requirements}
        assert api.get_credit_progress(ron, potions.course_key) == progress
        assert api.get_credit_progress(ron, str(potions.course_key)) == progress
        assert api.get_credit_progress_by_course(ron) == {str(potions.course_key): progress}

    @pytest.mark.parametrize(
        ("statuses", "is_eligible", "standing"),
        [
            ([], False, "partial_eligible"),
            (["satisfied", "submitted"], False, "partial_eligible"),
            (["satisfied", "failed"], False, "not_eligible"),
            (["declined"], False, "not_eligible"),
            (["satisfied", "satisfied"], False, "partial_eligible"),
            (["satisfied", "satisfied"], True, "eligible"),
            (["failed", "declined"], True, "eligible"),
            ([], True, "eligible"),
        ],
    )
    def test_standing(self, ron, potions, grade, exam, statuses, is_eligible, standing):
        for requirement, status in zip((grade, exam), statuses, strict=False):
            CreditRequirementStatusFactory(requirement=requirement, status=status)
        if is_eligible:
            CreditEligibilityFactory(course=potions)
        assert api.get_credit_progress(ron, potions.course_key)["eligibility_status"] == standing
        [progress] = api.get_credit_progress_by_course(ron).values()
        assert progress["eligibility_status"] == standing

    def test_an_expired_eligibility_is_none(self, ron, potions, grade):
        CreditEligibilityFactory(course=potions, deadline=NOW - timedelta(days=3650))
        assert api.get_credit_progress(ron, potions.course_key)["eligibility_status"] == "partial_eligible"

    @pytest.mark.parametrize(
        ("mode", "is_shown"),
        [("verified", True), ("credit", True), ("audit", False), ("honor", False), ("professional", False)],
    )
    def test_is_for_two_modes(self, ron, potions, grade, mode, is_shown):
        ron.course_enrollments.update(mode=mode)
        assert (api.get_credit_progress(ron, potions.course_key) is not None) is is_shown
        assert bool(api.get_credit_progress_by_course(ron)) is is_shown

    @pytest.mark.parametrize("course_key", ["course-v1:a+b+c", "nonsense"])
    def test_a_course_without_credit_has_none(self, ron, course_key):
        assert api.get_credit_progress(ron, course_key) is None

    def test_nobody_is_shown_a_course_that_is_switched_off_or_not_theirs(self, ron, potions, grade):
        CreditRequirementFactory()
        potions.enabled = False
        potions.save()
        assert api.get_credit_progress(ron, potions.course_key) is None
        assert api.get_credit_progress_by_course(ron) == {}

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.rule("credit.budgets")
    @pytest.mark.parametrize("courses", [1, 7])
    def test_many_courses_cost_as_much_as_one(self, ron, potions, grade, courses):
        for _ in range(courses - 1):
            requirement = CreditRequirementFactory()
            enroll(ron, requirement.course)
            CreditRequirementStatusFactory(requirement=requirement)
        api.is_credit_course(potions.course_key)  # cached
        with statements() as run:
            assert len(api.get_credit_progress_by_course(ron)) == courses
        assert len(run) == 5, str(run)
        with statements() as run:
            api.get_credit_progress(ron, potions.course_key)
        assert len(run) == 4, str(run)


@pytest.mark.parametrize(("days", "is_urgent"), [(31, False), (30, False), (29.999, True), (0, True), (-1, True)])
@time_machine.travel(NOW, tick=False)
def test_the_last_thirty_days_are_urgent(days, is_urgent):
    assert api.is_deadline_urgent(NOW + timedelta(days=days)) is is_urgent
