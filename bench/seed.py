"""The rows that a bench run works on."""

from datetime import timedelta
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.utils import timezone
from oauth2_provider.models import get_application_model
from opaque_keys.edx.keys import CourseKey

from credit.models import (
    CreditCourse,
    CreditEligibility,
    CreditProvider,
    CreditRequest,
    CreditRequirement,
    CreditRequirementStatus,
)

COURSE = "course-v1:HogwartsX+Potions101+1T2026"
PROVIDER = "hogwarts"
CLIENT_ID = CLIENT_SECRET = "bench"
PROVIDERS = 3


def load(*, learners: int, requests: int) -> list[str]:
    """Load one credit course, providers, eligible learners without a request, and pending requests of others.

    Returns:
        The uuids of the pending requests.
    """
    staff = get_user_model().objects.create(username="staff", email="staff@example.com", is_staff=True)
    get_application_model().objects.create(
        name="bench",
        user=staff,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type="confidential",
        authorization_grant_type="client-credentials",
    )
    course = CreditCourse.objects.create(course_key=CourseKey.from_string(COURSE), enabled=True)
    providers = [_provider(number) for number in range(PROVIDERS)]
    grade = CreditRequirement.objects.create(
        course=course, namespace="grade", name="grade", display_name="Minimum Grade", criteria={"min_grade": 0.8}
    )
    _eligible_learners(course, grade, learners)
    pending = [
        CreditRequest(uuid=uuid4().hex, username=f"asked{number}", course=course, provider=providers[0])
        for number in range(requests)
    ]
    CreditRequest.objects.bulk_create(pending, batch_size=1000)
    get_user_model().objects.bulk_create(
        [get_user_model()(username=f"asked{number}", email=f"asked{number}@example.com") for number in range(requests)],
        batch_size=1000,
    )
    return [request.uuid for request in pending]


def _provider(number: int) -> CreditProvider:
    return CreditProvider.objects.create(
        provider_id=PROVIDER if not number else f"university-{number}",
        display_name=f"University {number}",
        enable_integration=True,
        provider_url="https://credit.example.com/request",
    )


def _eligible_learners(course: CreditCourse, grade: CreditRequirement, count: int) -> None:
    names = [f"learner{number}" for number in range(count)]
    users = [get_user_model()(username=name, email=f"{name}@example.com", first_name="Ron") for name in names]
    get_user_model().objects.bulk_create(users, batch_size=1000)
    deadline = timezone.now() + timedelta(days=365)
    CreditEligibility.objects.bulk_create(
        [CreditEligibility(username=name, course=course, deadline=deadline) for name in names], batch_size=1000
    )
    CreditRequirementStatus.objects.bulk_create(
        [
            CreditRequirementStatus(username=name, requirement=grade, status="satisfied", reason={"final_grade": 0.95})
            for name in names
        ],
        batch_size=1000,
    )
