"""What most tests of the credit app start from: one course with its requirements, one university, one learner."""

import pytest

from tests.credit.broker import empty_broker
from tests.credit.factories import (
    CreditCourseFactory,
    CreditEligibilityFactory,
    CreditProviderFactory,
    CreditRequirementFactory,
    CreditRequirementStatusFactory,
    enroll,
)
from tests.enrollment.factories import LearnerProfileFactory, UserFactory

SECRET = "931433d583c84ca7ba41784bad3232e6"


@pytest.fixture
def potions():
    """A course for credit."""
    return CreditCourseFactory(course_key="course-v1:HogwartsX+Potions101+1T2026")


@pytest.fixture
def grade(potions):
    """The course's minimum grade."""
    return CreditRequirementFactory(course=potions)


@pytest.fixture
def exam(potions):
    """The course's proctored exam."""
    return CreditRequirementFactory(
        course=potions, namespace="proctored_exam", name="final", display_name="Final Exam", criteria={}, sort_value=1
    )


@pytest.fixture
def hogwarts(settings):
    """A university with a key."""
    settings.CREDIT_PROVIDER_SECRET_KEYS = {"hogwarts": SECRET}
    return CreditProviderFactory(provider_id="hogwarts", display_name="Hogwarts School")


@pytest.fixture
def ron(potions):
    """A learner with a profile, enrolled in a mode that earns credit."""
    user = UserFactory(username="ron", email="ron@example.com", first_name="Ron", last_name="Weasley")
    LearnerProfileFactory(user=user, name="Ronald Weasley", country="GB")
    enroll(user, potions)
    return user


@pytest.fixture
def eligible_ron(ron, potions, grade):
    """The learner, having met the minimum grade."""
    CreditRequirementStatusFactory(username=ron.username, requirement=grade, reason={"final_grade": 0.95})
    CreditEligibilityFactory(username=ron.username, course=potions)
    return ron


@pytest.fixture
def boss(client):
    """The client, logged in as somebody who may do everything."""
    client.force_login(UserFactory(username="boss", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def queued():
    """A function that returns the tasks that have been put on the broker, and takes them off."""
    with empty_broker() as take:
        yield take
