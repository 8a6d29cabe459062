"""The sample as rows."""

from django.contrib.auth import get_user_model
from django.db import transaction
from oauth2_provider.models import Application

from credit.models import CourseExam, CreditCourse, CreditProvider
from demo.sample import COURSE_KEY, COURSE_NAME, EXAM_ID, EXAM_NAME, MINIMUM_GRADE, Account, Sample, University
from enrollment.models import Course, CourseMode, LearnerProfile


@transaction.atomic
def load(sample: Sample) -> None:
    """Write every row of the sample; the database must not have any of them yet."""
    add_course()
    for university in sample.universities:
        add_university(university, sample.address_of(university))
    for account in sample.accounts:
        add_account(account)


def add_course() -> None:
    course = Course.objects.create(
        id=COURSE_KEY, display_name=COURSE_NAME, minimum_grade_credit=MINIMUM_GRADE, enable_proctored_exams=True
    )
    CourseMode.objects.create(
        course=course, mode_slug="verified", mode_display_name="Verified certificate", min_price=49
    )
    CreditCourse.objects.create(course_key=COURSE_KEY, enabled=True)
    CourseExam.objects.create(course_key=COURSE_KEY, content_id=EXAM_ID, exam_name=EXAM_NAME, is_proctored=True)


def add_university(university: University, address: str) -> None:
    CreditProvider.objects.create(
        provider_id=university.provider_id,
        display_name=university.name,
        enable_integration=True,
        provider_url=address,
        provider_status_url=address,
        eligibility_email_message=university.message,
    )


def add_account(account: Account) -> None:
    user = get_user_model().objects.create_user(
        account.username,
        account.email,
        account.password,
        first_name=account.first_name,
        last_name=account.last_name,
        is_staff=account.is_staff,
        is_superuser=account.is_staff,
    )
    LearnerProfile.objects.create(user=user, name=account.full_name, country=account.country)
    Application.objects.create(
        name=f"{account.first_name}'s program",
        user=user,
        client_id=account.client_id,
        client_secret=account.client_secret,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
