"""What the service knows before the clients call: courses with modes, learners, and programs with an account each.

The tests import its names; `load` runs once, inside the service's environment.
"""

from datetime import UTC, datetime, timedelta

OPEN = "course-v1:edX+DemoX+2026_T1"
LEGACY = "edX/DemoX/2013_T1"
PAID = "course-v1:edX+Pro+2026_T1"
LAPSED = "course-v1:edX+Lapsed+2026_T1"
CLOSED = "course-v1:edX+Closed+2026_T1"
FULL = "course-v1:edX+Full+2026_T1"
CROWDED = "course-v1:edX+Crowd+2026_T1"
UNKNOWN = "course-v1:edX+Nowhere+2026_T1"

START, DEADLINE = datetime(2026, 2, 3, tzinfo=UTC), datetime(2036, 11, 1, 12, 30, tzinfo=UTC)
PASSED = datetime(2026, 3, 1, tzinfo=UTC)
LEARNERS, CROWD = 60, 250

STAFF = ("portal", "campus", "worker", "retirer")  # client ids of programs, and the usernames of their accounts
PUPILS = ("ron", "hermione", "luna", "neville")  # learners who hold a token of their own
LEAVERS = {"leaver": "RETIRING_ENROLLMENTS", "waiting": "PENDING", "locked": "LOCKING_COMPLETE"}  # states of retirement
SECRETS = {name: f"secret of {name}" for name in (*STAFF, *PUPILS)}


def load() -> None:
    """Make the rows."""
    from django.contrib.auth import get_user_model
    from oauth2_provider.models import Application

    from enrollment.models import CourseEnrollment, RetirementRequest  # after setup: they need the apps
    from tests.enrollment.factories import CourseFactory, CourseModeFactory

    users = get_user_model().objects
    users.bulk_create([users.model(username=f"learner{n}", email=f"learner{n}@example.com") for n in range(LEARNERS)])
    crowd = users.bulk_create([users.model(username=f"crowd{n}") for n in range(CROWD)])
    for name in SECRETS:
        user = users.create(
            username=name, email=f"{name}@example.com", is_staff=name in STAFF, is_superuser=name == "retirer"
        )
        Application.objects.create(
            client_id=name,
            client_secret=SECRETS[name],
            user=user,
            client_type="confidential",
            authorization_grant_type="client-credentials",
        )

    sold = CourseFactory(id=OPEN, display_name="Demonstration", start=START)
    CourseModeFactory(course=sold, mode_slug="audit", mode_display_name="Audit")
    CourseModeFactory(
        course=sold,
        mode_slug="verified",
        mode_display_name="Verified Certificate",
        min_price=49,
        suggested_prices="10,20",
        expiration_datetime=DEADLINE,
        sku="8CF08E5",
        bulk_sku="A5B6DBE",
    )
    CourseModeFactory(course=sold, mode_slug="credit", mode_display_name="Credit")
    CourseFactory(id=LEGACY, display_name="Old", self_paced=True)
    CourseModeFactory(course=CourseFactory(id=PAID), mode_slug="professional")
    lapsed = CourseFactory(id=LAPSED)
    CourseModeFactory(course=lapsed, mode_slug="audit")
    CourseModeFactory(course=lapsed, mode_slug="verified", expiration_datetime=PASSED)
    CourseFactory(id=CLOSED, enrollment_end=PASSED + timedelta(days=1))
    CourseFactory(id=FULL, max_student_enrollments_allowed=0)
    CourseFactory(id=CROWDED)
    CourseEnrollment.objects.bulk_create([CourseEnrollment(user=user, course_id=CROWDED) for user in crowd])
    for name, state in LEAVERS.items():
        users.create(username=name)
        RetirementRequest.objects.create(username=name, state=state)
