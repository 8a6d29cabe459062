"""What every host must answer: the same questions to the stand-alone one and to one in memory (contract 14)."""

from datetime import UTC, datetime, timedelta

import pytest
from opaque_keys.edx.keys import CourseKey, UsageKey

from credit import api, ports
from credit.types import Block, Exam, Learner, Profile
from events.credit.signals import CREDIT_ELIGIBILITY_EARNED
from events.testing import captured_events
from tests.credit import hosts
from tests.credit.factories import CreditRequirementFactory
from tests.credit.hosts import Facts, Place

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POTIONS = CourseKey.from_string("course-v1:HogwartsX+Potions101+1T2026")
CHARMS = CourseKey.from_string("course-v1:HogwartsX+Charms+1T2026")
RON = Profile(name="Ronald Weasley", country="GB", language="es")


def exam(name="final", **flags):
    return Exam(
        content_id=f"block-v1:HogwartsX+Potions101+1T2026+type@sequential+block@{name}",
        exam_name=name,
        is_proctored=flags.get("is_proctored", True),
        is_active=flags.get("is_active", True),
        is_practice_exam=flags.get("is_practice_exam", False),
    )


UNCOUNTED = [exam("x", is_proctored=False), exam("y", is_active=False), exam("z", is_practice_exam=True)]


@pytest.fixture(params=["stand-alone", "in memory"])
def host(request, settings):
    host = hosts.StandAlone() if request.param == "stand-alone" else hosts.forget()
    settings.CREDIT_PORTS = host.PORTS
    return host


class TestLearners:
    def test_an_account_is_known_by_name_and_id(self, host):
        ron = host.add_learner("ron", first_name="Ron", last_name="Weasley", is_staff=True, is_active=False)
        host.add_learner("hermione")
        assert ron == Learner(
            id=ron.id,
            username="ron",
            email="ron@example.com",
            full_name="Ron Weasley",
            is_staff=True,
            is_active=False,
        )
        assert ports.learners().by_username("ron") == ports.learners().by_id(ron.id) == ron
        assert ports.learners().by_username("ron", lock=True) == ports.learners().by_id(ron.id, lock=True) == ron

    def test_an_unknown_account_is_none(self, host):
        ron = host.add_learner("ron")
        assert ports.learners().by_username("Ron") is None
        assert ports.learners().by_id(ron.id + 1) is None

    def test_names_may_be_missing(self, host):
        assert host.add_learner("ron", first_name="", last_name="").full_name == ""

    def test_no_profile_differs_from_an_empty_one(self, host):
        empty = Profile(name="", country="")
        assert ports.learners().profile(host.add_learner("ron", profile=empty).id) == empty
        assert ports.learners().profile(host.add_learner("hermione").id) is None

    def test_an_enrollment_is_known_active_or_not(self, host):
        host.add_course(POTIONS, Facts("Potions", None, None))
        ron = host.add_learner("ron")
        host.enroll(ron, POTIONS, Place("audit", is_active=False, created=NOW))
        found = ports.learners().enrollment(ron.id, POTIONS)
        assert (found.mode, found.is_active, found.created) == ("audit", False, NOW)
        assert ports.learners().enrollment(ron.id, CHARMS) is None

    def test_all_enrollments_are_known_by_course(self, host):
        ron = host.add_learner("ron")
        host.enroll(ron, POTIONS, Place("audit", is_active=False, created=NOW))
        host.enroll(ron, CHARMS, Place("verified", is_active=True, created=None))
        host.enroll(host.add_learner("hermione"), POTIONS, Place("verified", is_active=True, created=NOW))
        found = ports.learners().enrollments(ron.id)
        assert {key: (row.mode, row.is_active) for key, row in found.items()} == {
            str(POTIONS): ("audit", False),
            str(CHARMS): ("verified", True),
        }

    def test_where_credit_was_bought_is_known_by_course(self, host):
        ron, hermione = host.add_learner("ron"), host.add_learner("hermione")
        for learner, provider_id in ((ron, "hogwarts"), (hermione, "beauxbatons")):
            host.enroll(learner, POTIONS, Place("credit", is_active=True, created=NOW))
            host.buy(learner, POTIONS, provider_id)
        host.enroll(ron, CHARMS, Place("credit", is_active=True, created=NOW))
        assert ports.learners().bought_from(ron.id) == {str(POTIONS): "hogwarts"}

    def test_verified_learners_earn_credit_and_auditors_do_not(self, host):
        assert "verified" in ports.learners().credit_modes()
        assert not {"audit", "honor", "credit", "masters"} & ports.learners().credit_modes()


class TestCourses:
    def test_facts(self, host):
        host.add_course(POTIONS, Facts("Potions", NOW, 0.8))
        facts = ports.courses().facts(POTIONS)
        assert (facts.display_name, facts.end, facts.minimum_grade_credit) == ("Potions", NOW, 0.8)
        assert ports.courses().facts(CHARMS) is None

    def test_facts_of_many_courses(self, host):
        host.add_course(POTIONS, Facts("Potions", NOW, 0.8))
        found = ports.courses().facts_by_course([POTIONS, CHARMS])
        assert {key: facts.display_name for key, facts in found.items()} == {str(POTIONS): "Potions"}


class TestExams:
    def test_exams_of_every_kind_are_listed(self, host):
        listed = [
            exam("a"),
            exam("b", is_proctored=False),
            exam("c", is_active=False),
            exam("d", is_practice_exam=True),
        ]
        for one in listed:
            host.add_exam(POTIONS, one, None)
        assert ports.exams().exams(POTIONS) == listed
        assert ports.exams().exams(CHARMS) == []

    @pytest.mark.parametrize("start", [NOW, None])
    def test_a_block_has_a_start_or_none(self, host, start):
        host.add_exam(POTIONS, exam(), start)
        final, unknown = (UsageKey.from_string(exam(name).content_id) for name in ("final", "unknown"))
        assert ports.exams().block(final) == Block(start=start)
        assert ports.exams().blocks([final, unknown]) == {str(final): Block(start=start)}

    def test_an_unknown_block_is_none(self, host):
        assert ports.exams().block(UsageKey.from_string(exam().content_id)) is None

    @pytest.mark.rule("credit.request.completion-date")
    @pytest.mark.parametrize(
        ("days", "completed"),
        [
            pytest.param([], None, id="no exam"),
            pytest.param([1], NOW + timedelta(days=1), id="one exam"),
            pytest.param([3, 2], NOW + timedelta(days=3), id="the last of two"),
            pytest.param([3, None], None, id="one not completed"),
            pytest.param([3, "no attempt"], None, id="one not attempted"),
        ],
    )
    def test_completion_needs_every_proctored_exam(self, host, days, completed):
        for number, day in enumerate(days):
            one = exam(f"exam{number}")
            host.add_exam(POTIONS, one, None)
            host.attempt(POTIONS, one.content_id, "hermione", NOW)
            if day != "no attempt":
                host.attempt(POTIONS, one.content_id, "ron", day and NOW + timedelta(days=day))
        for name, flags in (
            ("x", {"is_proctored": False}),
            ("y", {"is_active": False}),
            ("z", {"is_practice_exam": True}),
        ):
            host.add_exam(POTIONS, exam(name, **flags), None)
        assert ports.exams().last_completion_date(POTIONS, "ron") == completed


def test_commerce_knows_who_gives_credit(host):
    host.sell(POTIONS, ["beauxbatons", "hogwarts"])
    assert ports.commerce().credit_provider_ids(POTIONS) == ["beauxbatons", "hogwarts"]


def test_a_learner_earns_and_requests_credit_on_any_host(host, potions, hogwarts):
    CreditRequirementFactory(course=potions)
    host.add_course(POTIONS, Facts("Potions", None, None))
    host.sell(POTIONS, ["durmstrang", "beauxbatons"])
    ron = host.add_learner("ron", profile=RON)
    host.enroll(ron, POTIONS, Place("verified", is_active=True, created=NOW))

    with captured_events() as events:
        api.set_credit_requirement_status(Account(ron.id), POTIONS, "grade", "grade", reason={"final_grade": 0.9})
        form = api.create_credit_request(POTIONS, "hogwarts", "ron")

    [earned] = [event.data["eligibility"] for event in events if event.signal is CREDIT_ELIGIBILITY_EARNED]
    assert earned.provider_ids == ["beauxbatons", "durmstrang"]
    assert {event.data[name].user.id for event in events for name in event.data} == {ron.id}
    parameters = form["parameters"]
    assert (parameters["user_full_name"], parameters["user_country"]) == ("Ronald Weasley", "GB")
    assert parameters["enrollment_timestamp"] == int(NOW.timestamp())


class Account:
    """What a caller has of a learner whose account is not ours."""

    def __init__(self, pk):
        self.pk = pk
